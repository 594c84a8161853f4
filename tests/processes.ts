// The processes that have a folder for their working directory, and a word on
// their command line. Linux only: it looks into /proc.
const LOOK = `
for process in /proc/[0-9]*; do
  test "$(readlink $process/cwd)" = "$1" || continue
  tr '\\0' ' ' < $process/cmdline | grep -qF -- "$2" && basename $process
done; true`;

/** The ids of the processes that work in `folder` and have `word` in their call. */
export async function processes(
  folder: string,
  word: string,
): Promise<number[]> {
  const args = ["-c", LOOK, "look", folder, word];
  const { stdout } = await new Deno.Command("sh", { args, stderr: "null" })
    .output();
  const ids = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  return ids.map(Number);
}

/** Waits until so many of them run, and returns their ids. */
export async function untilThereAre(
  count: number,
  folder: string,
  word: string,
): Promise<number[]> {
  const until = Date.now() + 20_000;
  let found: number[] = [];
  while (Date.now() < until) {
    found = await processes(folder, word);
    if (found.length === count) return found;
    // Nobody tells when a process comes or goes; asking again is all there is.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot find ${count} of ${word}: there are ${found.length}`);
}
