// A browser without a window, for lessons whose real client is a page.
import type { Running } from "../running.ts";
import { start } from "../tools.ts";

/** How long a page may take to answer. */
const PATIENCE_MS = 20_000;

/** A browser without a window, with one page open. */
export async function openPage(url: string): Promise<Page> {
  const folder = await Deno.makeTempDir();
  const browser = start("chromium", [
    "--headless",
    "--no-sandbox", // It refuses to run as root otherwise.
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-port=0",
    `--user-data-dir=${folder}`,
  ]);
  try {
    const socket = await drive(browser);
    const page = new Page(browser, socket, folder);
    await page.open(url);
    return page;
  } catch (error) {
    await browser.stop();
    throw error;
  }
}

/** Connects to the page that a browser begins with. */
async function drive(browser: Running): Promise<WebSocket> {
  const said = () => browser.stderr.match(/listening on ws:\/\/([\d.:]+)/)?.[1];
  await browser.when(() => said() !== undefined, "listen", 30_000);
  const response = await fetch(`http://${said()}/json/list`);
  const pages: { type: string; webSocketDebuggerUrl: string }[] = await response
    .json();
  const { webSocketDebuggerUrl } = pages.find(({ type }) => type === "page")!;
  const socket = new WebSocket(webSocketDebuggerUrl);
  await next(socket, "open");
  return socket;
}

/** What the browser says to whoever drives it. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  // deno-lint-ignore no-explicit-any -- It differs from method to method.
  readonly result?: any;
}

/** A page in a browser, driven by the DevTools protocol. */
export class Page implements AsyncDisposable {
  readonly #browser: Running;
  readonly #socket: WebSocket;
  readonly #folder: string;
  #asked = 0;

  /** Takes over `browser`, and `socket`, which leads to one of its pages. */
  constructor(browser: Running, socket: WebSocket, folder: string) {
    this.#browser = browser;
    this.#socket = socket;
    this.#folder = folder;
  }

  /** Goes to `url`, and waits until it has loaded. */
  async open(url: string): Promise<void> {
    const loaded = this.#heard(({ method }) =>
      method === "Page.loadEventFired"
    );
    await this.#ask("Page.enable");
    await this.#ask("Page.navigate", { url });
    await loaded;
  }

  /** What `code` gives in the page, once its promise has resolved. */
  async evaluate(code: string): Promise<unknown> {
    const options = { awaitPromise: true, returnByValue: true };
    const params = { expression: code, ...options };
    const { result } = await this.#ask("Runtime.evaluate", params);
    if (result.exceptionDetails) {
      throw new Error(`The page threw: ${JSON.stringify(result)}`);
    }
    return result.result.value;
  }

  /** Sends a command of the DevTools protocol; gives its answer. */
  #ask(method: string, params = {}): Promise<Message> {
    const id = ++this.#asked;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return this.#heard((message) => message.id === id);
  }

  /** Waits for a message, and not for ever. */
  #heard(wanted: (message: Message) => boolean): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const hear = ({ data }: MessageEvent) => {
      const message = JSON.parse(data);
      if (wanted(message)) resolve(message);
    };
    const late = () => reject(new Error("Cannot drive the page: it is silent"));
    const timer = setTimeout(late, PATIENCE_MS);
    this.#socket.addEventListener("message", hear);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#socket.removeEventListener("message", hear);
    });
  }

  /** Ends the browser, and forgets what it kept. */
  async [Symbol.asyncDispose]() {
    const closed = next(this.#socket, "close");
    this.#socket.send('{"id":0,"method":"Browser.close"}');
    await closed;
    await this.#browser.exit();
    await this.#browser.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function next(socket: WebSocket, type: string): Promise<Event> {
  return new Promise((resolve) =>
    socket.addEventListener(type, resolve, { once: true })
  );
}
