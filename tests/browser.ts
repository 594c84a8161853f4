// The page as somebody sees it: a copy of the course, `deno task learn --page`
// in it without a terminal, and a browser that looks at what it serves.
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { copyTree } from "../course/runner/copy_tree.ts";
import { hear, type Look, openBrowser } from "./chromium.ts";
import { HOUSE } from "./course_files.ts";
import { Running } from "./running.ts";

const COPIED = ["deno.json", "deno.lock", "course", "lessons", "solutions"];
const WIDE = { width: 1440, height: 900 };

/** A learner's checkout whose page is open in a browser. */
export class Learner implements AsyncDisposable {
  /** Where the copy of the course lies. */
  readonly root: string;
  /** What the browser complained about, in any window. */
  readonly complaints: string[] = [];
  readonly #running: Running;
  readonly #browser: Browser;
  #address = "";

  private constructor(root: string, running: Running, browser: Browser) {
    this.root = root;
    this.#running = running;
    this.#browser = browser;
  }

  /** Starts at `lesson`, and waits until the page can be reached. */
  static async at(lesson: string): Promise<Learner> {
    const root = Deno.makeTempDirSync();
    for (const name of COPIED) {
      copyTree(fileURLToPath(new URL(name, HOUSE)), `${root}/${name}`);
    }
    const browser = await openBrowser();
    const args = ["task", "-q", "learn", "--page", lesson];
    const cwd = new URL(`file://${root}/`);
    const running = new Running(Deno.execPath(), args, cwd);
    const learner = new Learner(root, running, browser);
    const said = await running.until("/\n");
    learner.#address = said.match(/http:\S+\//)![0];
    return learner;
  }

  /** Where the page is, without a slash at the end. */
  get origin(): string {
    return this.#address.slice(0, -1);
  }

  /** Opens `path` in a window of its own. */
  async window(path = "/", look: Look = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: WIDE, ...look });
    const page = await context.newPage();
    hear(page, this.complaints);
    await page.goto(this.origin + path);
    return page;
  }

  /** Saves the file at `path`, from the copy's root, with more at its end. */
  append(path: string, text: string): void {
    Deno.writeTextFileSync(`${this.root}/${path}`, text, { append: true });
  }

  /** Puts a solution into the learner's file. */
  solve(lesson: string, file: string): void {
    const path = `${lesson}/${file}`;
    const solution = Deno.readTextFileSync(`${this.root}/solutions/${path}`);
    Deno.writeTextFileSync(`${this.root}/lessons/${path}`, solution);
  }

  /** Ends the browser and the runner, and removes the copy. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    this.#running.signal("SIGTERM");
    await this.#running.exit();
    await this.#running.stop();
    Deno.removeSync(this.root, { recursive: true });
  }
}
