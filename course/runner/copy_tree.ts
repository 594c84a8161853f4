/** Copies a file, or a folder with all that is in it. A missing one is skipped. */
export function copyTree(from: string, to: string): void {
  let stat: Deno.FileInfo;
  try {
    stat = Deno.statSync(from);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!stat.isDirectory) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to, { recursive: true });
  for (const { name } of Deno.readDirSync(from)) {
    copyTree(`${from}/${name}`, `${to}/${name}`);
  }
}
