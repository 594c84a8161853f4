// The page as an application that is asked without a network and a browser.
// (With both: tests/page_test.ts.)
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Course, openCourse, type PageState } from "../runner/mod.ts";
import { Live } from "./live.ts";
import { server } from "./server.ts";
import { failing, IGNORED } from "./test_problem.ts";

const HOST = "127.0.0.1:7100";

const FILES: Record<string, string> = {
  "lessons/README.md":
    "## First & last\n\n| [03](03/README.md) | x | an `echo` | nc |\n",
  "lessons/03/README.md":
    "# 03 · Many <clients>\n\n## Try it\n\n```sh\nnc 127.0.0.1 7003\n```\n\n" +
    "## Questions\n\n<details><summary>Who waits?</summary>\n\nBob.\n\n</details>\n",
  "lessons/03/echo.ts": 'const a = "<b>";\nexport function serve() {}\n',
  "lessons/03/hints.md":
    "## lesson\n\nLook.\n\n## await-in-accept-loop\n\nWho `waits`?\n\nThere.\n\nSo.\n",
  "lessons/04/README.md": "# 04 · UDP\n",
  "lessons/04/udp.ts": "export {};\n",
  "solutions/03/echo.ts": 'const a = "<i>";\nexport function serve() {}\n',
};

const PASSING: PageState = {
  lesson: "03",
  checking: false,
  verdict: {
    passed: true,
    checks: [{
      name: "serve() <ends>",
      status: "passed",
      networks: ["simulated"],
    }],
    ms: 90,
  },
  passed: ["03"],
};

/** A page on a made-up course. What it wants started is in `started`. */
class Page implements Disposable {
  readonly root = Deno.makeTempDirSync();
  readonly live = new Live();
  readonly started: string[] = [];
  readonly #app: ReturnType<typeof server>;

  constructor(state?: PageState) {
    for (const [path, text] of Object.entries(FILES)) {
      const file = `${this.root}/${path}`;
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(file, text);
    }
    const course: Course = openCourse(this.root);
    if (state) this.live.show(state);
    this.#app = server({
      course,
      live: this.live,
      start: ({ id }) => {
        this.started.push(id);
        this.live.show({ ...failing(IGNORED), lesson: id });
      },
    });
  }

  /** Asks as the page itself does. */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { host: HOST, ...init.headers };
    return await this.#app.request(`http://${HOST}${path}`, {
      ...init,
      headers,
    });
  }

  async text(path: string): Promise<string> {
    return await (await this.ask(path)).text();
  }

  [Symbol.dispose]() {
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("the page of a failing lesson has its prose, checks, diagram, hints and source", async () => {
  using page = new Page(failing(IGNORED));

  const text = await page.text("/lessons/03");

  assertStringIncludes(text, "<h1>03 · Many &lt;clients&gt;</h1>");
  assertStringIncludes(text, "✗ 0 of 1 checks pass");
  assertStringIncludes(text, "bob expected 5 bytes, &quot;hello&quot;");
  assertStringIncludes(text, '<svg class="wire" role="group"');
  assertStringIncludes(text, "<summary>Hint 1 of 3: a question</summary>");
  assertStringIncludes(text, "<p>Who <code>waits</code>?</p>");
  assertStringIncludes(text, '<span class="row" id="line-1" data-n="1">');
  assertStringIncludes(text, "<summary>Who waits?</summary>");
  assert(!text.includes("solutions/03"), "the solution comes after passing");
  assert(!/<b>|<clients>/.test(text), "something is not escaped");
});

Deno.test("the page of a passing lesson has the way on, and the solution", async () => {
  using page = new Page(PASSING);

  const text = await page.text("/lessons/03");

  assertStringIncludes(text, "✓ 1 check passes");
  assertStringIncludes(text, "✓ 1 check, on the simulated network");
  assertStringIncludes(text, "nc 127.0.0.1 7003");
  assertStringIncludes(text, "<strong>One more question:</strong> Who waits?");
  assertStringIncludes(text, 'action="/lessons/04/start"');
  assertStringIncludes(text, 'class="row mine" data-n="-"');
  assertStringIncludes(text, 'class="row theirs" data-n="+"');
});

Deno.test("the page of a lesson that cannot be loaded says why, and hints at nothing", async () => {
  const text = "echo.ts:1:7  Expected ';' <eof>";
  const problem = { text, at: "echo.ts:1:7", loading: true as const };
  const verdict = { passed: false, checks: [], problem, ms: 9 };
  using page = new Page({ ...PASSING, verdict });

  const shown = await page.text("/lessons/03");

  assertStringIncludes(shown, "✗ no check ran");
  assertStringIncludes(shown, "Expected &#39;;&#39; &lt;eof&gt;");
  assertStringIncludes(shown, '<span class="row lit" id="line-1"');
  assert(!shown.includes("Hint 1"));
});

Deno.test("types stand beside the checks, with a link to their line", async () => {
  const types = [{ at: "echo.ts:2:8", message: "Type '<T>' is not 'b'." }];
  using page = new Page({ ...PASSING, types });

  assertStringIncludes(
    await page.text("/lessons/03"),
    '<a href="#line-2">echo.ts:2:8</a> Type <code>&lt;T&gt;</code> is not <code>b</code>.',
  );
});

Deno.test("another lesson's page can be read, and started", async () => {
  using page = new Page(failing(IGNORED));

  const text = await page.text("/lessons/04");
  const answer = await page.ask("/lessons/04/start", {
    method: "POST",
    headers: { origin: `http://${HOST}` },
  });

  assertStringIncludes(text, 'You are at <a href="/lessons/03">03 Many');
  assertStringIncludes(text, 'action="/lessons/04/start"');
  assertEquals(page.started, ["04"]);
  assertEquals(answer.status, 303);
  assertEquals(answer.headers.get("location"), "/lessons/04");
});

Deno.test("the map lists all lessons, with what passes and where one is", async () => {
  using page = new Page({ ...PASSING, lesson: "04" });

  const text = await page.text("/lessons");

  assertStringIncludes(text, "1 of 2 lessons pass");
  assertStringIncludes(text, "<h2>First &amp; last</h2>");
  assertStringIncludes(text, 'aria-label="passes">✓</span>');
  assertStringIncludes(text, 'aria-label="you are here">▸</span>');
});

Deno.test("/ leads to the current lesson, and to the map before there is one", async () => {
  using early = new Page();
  using page = new Page(PASSING);

  const [map, lesson] = [await early.ask("/"), await page.ask("/")];

  assertEquals(map.headers.get("location"), "/lessons");
  assertEquals(lesson.headers.get("location"), "/lessons/03");
});

Deno.test("a new state is told to those who listen, and the latest first", async () => {
  using page = new Page(failing(IGNORED));
  const { body } = await page.ask("/events");
  const events = body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => {
    let text = "";
    while (!text.endsWith("\n\n")) text += (await events.read()).value;
    assertStringIncludes(text, "event: state\n");
    return JSON.parse(text.replace(/^event.*\n/, "").replace(/^data: /gm, ""));
  };

  const first = await next();
  page.live.show(PASSING);
  const second = await next();
  page.live.show({ lesson: "03", checking: true, passed: ["03"] });
  const third = await next();
  await events.cancel();

  assertEquals(first.lesson, "03");
  assertStringIncludes(first.trouble, "<svg");
  assertEquals([second.version, second.trouble], [first.version + 1, ""]);
  assertStringIncludes(second.status, "1 check passes");
  assertEquals(third.version, second.version, "nothing has come of it yet");
  assertEquals(third.results, second.results, "what was said still stands");
  assertStringIncludes(third.status, "checking");
});

Deno.test("nothing foreign is allowed to load, to frame, or to read", async () => {
  using page = new Page(PASSING);

  const { headers } = await page.ask("/lessons/03");
  const policy = headers.get("content-security-policy")!;

  assertStringIncludes(policy, "default-src 'none'");
  assertStringIncludes(policy, "script-src 'self'");
  assertStringIncludes(policy, "frame-ancestors 'none'");
  assert(!/unsafe|https?:|\*|data:/.test(policy), policy);
  assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  assertEquals(headers.get("access-control-allow-origin"), null);
});

Deno.test("what the page loads is all here", async () => {
  using page = new Page(PASSING);
  const text = await page.text("/lessons/03");
  const urls = [...text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)]
    .map(([, url]) => url!);

  for (const url of [...urls, "/static/film.js"]) {
    const answer = await page.ask(url);
    assertEquals(answer.status, 200, url);
    assert((await answer.text()).length > 100, url);
  }
  assertEquals(urls.length, 6);
});

Deno.test("what is not there is a 404, and a stranger gets the guard's answer", async () => {
  using page = new Page(PASSING);

  for (
    const path of ["/lessons/99", "/static/../server.ts", "/static/x", "/x"]
  ) {
    const answer = await page.ask(path);
    assertEquals(answer.status, 404, path);
    await answer.body?.cancel();
  }
  const foreign = await page.ask("/lessons/03", { headers: { host: "evil" } });
  const wrong = await page.ask("/lessons/03", { method: "PUT" });
  assertEquals(foreign.status, 421);
  assertStringIncludes(await foreign.text(), 'was asked for "evil".');
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
  await wrong.body?.cancel();
});
