import { pathToFileURL } from "node:url";
import { output } from "./process.ts";

/** What every measurement is given. */
export interface Bench {
  /** The checkout that is measured, without a slash at its end. */
  readonly root: string;
  /** A temporary folder. It goes when the bench ends. */
  readonly folder: string;
  /** How often each thing is measured; the median counts. */
  readonly rounds: number;
  /** How long one measurement of a server takes. */
  readonly seconds: number;
  /** Everything as small as it gets, to try the bench itself. */
  readonly tiny: boolean;
}

/** Compiles the C programs of this room, and gives the folder they are in. */
export async function compiled(
  { root, folder }: Bench,
  sources: readonly string[],
): Promise<string> {
  const compile = (source: string) => {
    const name = source.replace(/^.*\/|\.c$/g, "");
    const from = `${root}/course/bench/${source}`;
    return output(["cc", "-O2", "-o", `${folder}/${name}`, from]);
  };
  await Promise.all(sources.map(compile));
  return folder;
}

/** Opens a listener on a port that the kernel chooses, and prints the port. */
export const LISTEN = `
const listener = Deno.listen(
  { hostname: "127.0.0.1", port: 0, tcpBacklog: 4_096 });
console.log((listener.addr as Deno.NetAddr).port);`;

/** A Deno that runs `program` with what `-P` grants, as learners run theirs. */
export function deno(
  { root, folder }: Bench,
  name: string,
  program: string,
): string[] {
  const path = `${folder}/${name}.ts`;
  Deno.writeTextFileSync(path, program);
  const config = ["--config", `${root}/deno.json`];
  return [Deno.execPath(), "run", "-q", "-P", ...config, path];
}

/** The same, where what a lesson's solution exports is called `solution`. */
export function solved(bench: Bench, path: string, program: string): string[] {
  const url = new URL(`solutions/${path}`, `${pathToFileURL(bench.root)}/`);
  const name = path.replaceAll(/\W/g, "_");
  return deno(bench, name, `import * as solution from "${url}";\n${program}`);
}

/** Whether a file of the checkout is there. */
export function exists({ root }: Pick<Bench, "root">, path: string): boolean {
  try {
    return Deno.statSync(`${root}/${path}`).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
