/**
 * Starts a program of the learner's choice, with a window of its own, and does
 * not wait for it.
 *
 * @returns Why it cannot be started, as the end of a sentence, or undefined.
 */
export function launch(
  [program = "", ...args]: readonly string[],
  options: { readonly cwd?: string } = {},
): string | undefined {
  try {
    const child = new Deno.Command(program, {
      ...options,
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `there is no program "${program}"`;
    }
    // It may be a text, or a folder: anything can stand in a variable.
    if (error instanceof Error) return `"${program}" cannot be run`;
    throw error;
  }
}
