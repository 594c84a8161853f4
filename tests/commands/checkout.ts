import { fileURLToPath } from "node:url";
import { copyTree } from "../../course/runner/copy_tree.ts";
import { findLessons, HOUSE } from "../course_files.ts";

const COPIED = ["deno.json", "deno.lock", "lessons"];
const LINKED = ["course", "solutions", "tests"];

/** In a terminal curl draws no meter beside what it gets; here it would. */
const CURLRC = "no-progress-meter\n";

/** A checkout as a learner has it, in a folder that is deleted at the end. */
export class Checkout implements Disposable {
  readonly #root = Deno.makeTempDirSync();
  readonly #lessons = findLessons();

  constructor() {
    Deno.mkdirSync(this.folder);
    for (const name of COPIED) {
      copyTree(
        fileURLToPath(new URL(name, HOUSE)),
        fileURLToPath(new URL(name, this.folder)),
      );
    }
    for (const name of LINKED) {
      Deno.symlinkSync(new URL(name, HOUSE), new URL(name, this.folder));
    }
    // On a machine with Node alone, `deno` is somewhere else, or nowhere.
    Deno.mkdirSync(this.bin);
    Deno.symlinkSync(Deno.execPath(), `${this.bin}/deno`);
    Deno.writeTextFileSync(`${this.home}/.curlrc`, CURLRC);
  }

  get folder(): URL {
    return new URL(`file://${this.#root}/course/`);
  }

  /** Where `deno` is, for PATH. */
  get bin(): string {
    return `${this.#root}/bin`;
  }

  /** Where settings of programs are. */
  get home(): string {
    return this.#root;
  }

  /** Solves the lessons up to `last`, two digits, and no others. */
  solve(last: string): void {
    for (const { number, starter, solution } of this.#lessons) {
      const here = starter.href.replace(HOUSE.href, this.folder.href);
      const program = number <= last ? solution : starter;
      Deno.copyFileSync(program, new URL(here));
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }
}
