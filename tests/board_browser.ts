// The board as a room sees it: a board with people in it, and a browser that
// looks at what is projected.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { Board, Learner } from "./board.ts";
import { hear, type Look, openBrowser } from "./chromium.ts";

/** The two pictures that projectors have. */
export const SMALL = { width: 1280, height: 720 };
export const LARGE = { width: 1920, height: 1080 };

/** A board, and the browser of its instructor. */
export class Wall implements AsyncDisposable {
  readonly board: Board;
  /** What the browser complained about, in any window. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;

  private constructor(board: Board, browser: Browser) {
    this.board = board;
    this.#browser = browser;
  }

  /** Starts both. */
  static async up(): Promise<Wall> {
    const board = new Board();
    await board.start();
    return new Wall(board, await openBrowser());
  }

  /** Lets people join, one for each name. */
  async join(names: readonly string[]): Promise<Learner[]> {
    const learners = names.map((name) => new Learner(this.board, name));
    for (const learner of learners) await learner.join();
    return learners;
  }

  /** Opens the instructor's link in a window of its own. */
  async window(look: Look = {}): Promise<Page> {
    const context = await this.context(look);
    const page = await context.newPage();
    hear(page, this.complaints);
    await page.goto(this.board.link);
    return page;
  }

  /** A window's own cookies. */
  context(look: Look = {}): Promise<BrowserContext> {
    return this.#browser.newContext({ viewport: SMALL, ...look });
  }

  /** Ends both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.board[Symbol.asyncDispose]();
  }
}
