/** "Ada", or "Ada (2)" if there is one already. */
export function freeName(
  name: string,
  others: readonly { readonly name: string }[],
): string {
  const taken = new Set(others.map(({ name }) => name));
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name} (${n})`;
  return free;
}
