/** Fails with what is broken, as it was written, unless nothing is. */
export function assertKept(broken: readonly string[]): void {
  if (broken.length > 0) throw new Error(`broken:\n\n${broken.join("\n\n")}`);
}
