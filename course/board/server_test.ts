import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { TestBoard } from "./test_board.ts";

const JSON_TYPE = { "content-type": "application/json" };

Deno.test("the board shows who is where, and what most people fail", async () => {
  using board = new TestBoard();
  const [ada, bo] = [await board.join("Ada"), await board.join("Bo")];

  await board.report(ada);
  await board.report(bo);
  board.now += 11 * 60_000;
  await board.report(ada, {
    status: "passing",
    good: 11,
    check: null,
    diagnosis: null,
    passed: ["01", "02", "03"],
  });
  await board.report(bo);

  const page = await board.page();
  assertStringIncludes(page, "join <b>192.168.1.20:8080</b>");
  assertStringIncludes(page, `code <b>${board.room.settings.code}</b>`);
  assertMatch(page, /<bdi>Bo<\/bdi>.*03.*fails.*1\/11.*11 min/);
  assertMatch(page, /<bdi>Ada<\/bdi>.*03.*passes/);
  assertStringIncludes(page, "await-in-accept-loop</th>");
  assertStringIncludes(page, "<b>1</b> person</td>");
  assertStringIncludes(page, "<b>1</b> passed, <b>1</b> at it");
  assert(page.indexOf(">Bo<") < page.indexOf(">Ada<"), "who needs it first");
  assert(!page.includes(board.room.settings.key), "the key is projected");
});

Deno.test("a report is answered with what the instructor has set", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  const before = await (await board.report(ada)).json();

  assertMatch(await board.form("/note", { note: "Look at accept()" }), /^303/);
  assertMatch(await board.form("/timer", { minutes: "45" }), /^303/);
  assertMatch(await board.form("/open", { open: "04" }), /^303/);
  board.now += 60_000;
  const after = await (await board.report(ada)).json();
  await board.form("/note", { note: " " });
  await board.form("/timer", { minutes: "20", stop: "1" });
  await board.form("/open", { open: "" });
  const cleared = await (await board.report(ada)).json();

  const nothing = { note: null, timerMs: null, open: null, againMs: 3_000 };
  assertEquals(before, nothing);
  assertEquals(after, {
    note: "Look at accept()",
    timerMs: 44 * 60_000,
    open: "04",
    againMs: 3_000,
  });
  assertEquals(cleared, nothing);
});

Deno.test("who comes back with their token is who they were", async () => {
  using board = new TestBoard();
  const { code } = board.room.settings;
  const ada = await board.join("Ada");
  const again = await board.post("/api/join", { name: "Ada", code }, {
    token: ada,
  });
  const other = await board.post("/api/join", { name: "Ada", code });
  const renamed = await board.post("/api/join", { name: "Eve", code }, {
    token: ada,
  });

  assertEquals(await again.json(), { name: "Ada", token: ada });
  const { name, token } = await other.json();
  assertEquals(name, "Ada (2)");
  assertNotEquals(token, ada);
  assertEquals(await renamed.json(), { name: "Eve", token: ada });
  assertEquals(board.room.learners.map(({ name }) => name), ["Eve", "Ada (2)"]);
});

Deno.test("who is silent is away, and back with the next report", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  await board.report(ada);
  board.now += 9_000;
  assert(!(await board.page()).includes("away"));

  board.now += 1;
  assertMatch(await board.page(), /class="away".*<bdi>Ada/);
  assertStringIncludes(await board.page(), "1 away");
  await board.report(ada);
  assert(!(await board.page()).includes("away"));
});

Deno.test("a report tells since when a check fails, even from before it came", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  board.now += 20 * 60_000;

  await board.report(ada, { forMs: 5 * 60_000 });
  assertMatch(await board.page(), /<bdi>Ada.*5 min/);
  await board.report(ada, { forMs: 0, good: 2 });
  assertMatch(await board.page(), /<bdi>Ada.*5 min/, "the same check");
  await board.report(ada, { forMs: 3_600_000, check: "serve() ends" });
  assertMatch(await board.page(), /<bdi>Ada.*20 min/, "not before they came");
});

Deno.test("requests without the code, the token or the key are refused", async () => {
  using board = new TestBoard();
  const { code } = board.room.settings;
  const wrong = code === "0000" ? "0001" : "0000";

  for (const body of [{ name: "Ada" }, { name: "Ada", code: wrong }, []]) {
    const answer = await board.post("/api/join", body);
    assertEquals(answer.status, 403);
    assertEquals(
      await answer.text(),
      "The code is another one: it stands on the board.\n",
    );
  }
  const number = await board.post("/api/join", { name: "A", code: +code });
  assertEquals(number.status, 403);
  assertMatch(await board.says("/join"), /^403 No code was given/);
  assertMatch(await board.says("/join?code="), /^403 No code was given/);
  assertMatch(await board.says(`/join?code=${wrong}`), /^403 The code is/);
  for (const token of ["", "x", "nobody's", "' OR 1=1 --"]) {
    const answer = await board.report(token);
    assertEquals(answer.status, 401);
    assertMatch(await answer.text(), /Join again/);
  }
  assertEquals(board.room.learners, []);
});

Deno.test("what is the instructor's needs the key", async () => {
  using board = new TestBoard();
  await board.join("Ada");
  const origin = { origin: "http://192.168.1.20:8080" };
  const doors = ["/", "/people", "/events", "/board.csv"];
  const levers = ["/note", "/timer", "/open", "/people/1/remove"];

  for (const headers of [{}, { cookie: "board-key=wrong" }]) {
    for (const path of doors) {
      assertMatch(
        await board.says(path, { headers }),
        /^403 This is for the instructor/,
      );
    }
    for (const path of levers) {
      const asked = { method: "POST", headers: { ...headers, ...origin } };
      assertMatch(await board.says(path, asked), /^403 This is for the instr/);
    }
    // They would count as guesses otherwise.
    board.now += 60_000;
  }
  assertMatch(await board.says("/?key=wrong"), /^403 This is for/);
  assertEquals(board.room.learners.length, 1);
  assertEquals(board.room.settings.note, null);
});

Deno.test("the key is put into a cookie, and out of sight", async () => {
  using board = new TestBoard();
  const { key } = board.room.settings;
  const answer = await board.ask(`/?key=${key}`);

  assertEquals(answer.status, 303);
  assertEquals(answer.headers.get("location"), "/");
  assertMatch(
    answer.headers.get("set-cookie")!,
    new RegExp(`^board-key=${key};.*HttpOnly; SameSite=Strict`),
  );
});

Deno.test("who guesses is stopped, and nobody else is", async () => {
  using board = new TestBoard();
  const { code } = board.room.settings;
  const ada = await board.join("Ada");
  for (let n = 0; n < 20; n++) await board.says("/join?code=guess");

  const right = { name: "Eve", code };
  const stopped = await board.post("/api/join", right);
  const other = await board.post("/api/join", right, { from: "192.168.1.78" });
  const known = await board.report(ada);
  board.now += 3_000;
  const later = await board.post("/api/join", right);

  assertEquals(stopped.status, 429);
  assertEquals(stopped.headers.get("retry-after"), "3");
  assertEquals(
    await stopped.text(),
    "That is too much at once. Try again in 3 s.\n",
  );
  assertEquals([other.status, known.status, later.status], [200, 200, 200]);
});

Deno.test("too many requests are refused, from one learner or one address", async () => {
  using board = new TestBoard();
  const [ada, bo] = [await board.join("Ada"), await board.join("Bo")];
  for (let n = 0; n < 30; n++) await board.report(ada);

  assertEquals((await board.report(ada)).status, 429);
  assertEquals((await board.report(bo)).status, 200);
  for (let n = 0; n < 3_000; n++) await board.ask("/static/none");
  assertMatch(await board.says("/static/board.js"), /^429 That is too much/);
  board.now += 1_000;
  assertMatch(await board.says("/static/board.js"), /^200/);
  assertEquals((await board.report(ada)).status, 200);
});

Deno.test("what is too large is refused, with and without its length", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  const huge = JSON.stringify({ name: "A".repeat(1_000_000) });
  const stream = new ReadableStream<Uint8Array>({
    pull: (it) => it.enqueue(new Uint8Array(1_024).fill(32)),
  });

  const one = await board.post("/api/join", huge);
  const two = await board.says("/api/report", {
    method: "POST",
    headers: { ...JSON_TYPE, authorization: `Bearer ${ada}` },
    body: stream,
  });
  const form = await board.form("/note", { note: "x".repeat(5_000) });

  assertEquals(one.status, 413);
  assertEquals(await one.text(), "A request may have 4096 bytes.\n");
  assertMatch(two, /^413/);
  assertMatch(form, /^413/);
});

Deno.test("what is malformed is refused, with the reason", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  const says = async (body: string, type = "application/json") =>
    await board.says("/api/report", {
      method: "POST",
      headers: { "content-type": type, authorization: `Bearer ${ada}` },
      body,
    });

  assertMatch(await says("{"), /^400 This is no JSON object/);
  assertMatch(await says("null"), /^400 This is no JSON object/);
  assertMatch(await says("[]"), /^400 A report has to be an object/);
  assertMatch(await says("{}"), /^400 The status is/);
  assertMatch(await says("{}", "text/plain"), /^415 Send JSON/);
  const code = await board.report(ada, { code: "Deno.listen()" });
  assertEquals(code.status, 400);
  assertMatch(await code.text(), /these fields and no other/);
  assertMatch(await board.form("/timer", { minutes: "-1" }), /^400 The timer/);
  assertMatch(await board.form("/timer", { minutes: "x" }), /^400 The timer/);
  assertMatch(await board.form("/timer"), /^400 The timer/);
  assertMatch(await board.form("/open", { open: "four" }), /^400 A lesson/);
  assertMatch(
    await board.form("/open", { open: "99" }),
    /^400 .* no lesson 99/,
  );
  assertEquals(board.room.settings.open, null);
  assertMatch(await board.form("/note"), /^400 The form has no "note"/);
});

Deno.test("what ends too early is refused, and what is no form", async () => {
  using board = new TestBoard();
  const body = new ReadableStream<Uint8Array>({
    pull() {
      throw new Deno.errors.BadResource("The other side has left");
    },
  });
  const cut = { method: "POST", headers: JSON_TYPE, body };
  const origin = { origin: "http://192.168.1.20:8080" };
  const multipart = { "content-type": "multipart/form-data" };
  const parts = {
    method: "POST",
    headers: { ...board.key, ...origin, ...multipart },
    body: "hello",
  };

  assertMatch(await board.says("/api/join", cut), /^400 .*ended too early/);
  assertMatch(await board.says("/note", parts), /^400 This is no form/);
  assertMatch(await board.says("/timer", parts), /^400 This is no form/);
});

Deno.test("a bug of the board's own is no refusal: it is thrown, and printed", async () => {
  using board = new TestBoard();
  board.room.setNote = () => {
    throw new TypeError("a bug");
  };

  await assertRejects(
    () => board.form("/note", { note: "Hello" }),
    TypeError,
    "a bug",
  );
});

Deno.test("other origins and other names are refused", async () => {
  using board = new TestBoard();
  const evil = { origin: "http://evil.example" };
  const note = (headers: Record<string, string>) =>
    board.says("/note", {
      method: "POST",
      headers: { ...board.key, ...headers },
    });

  assertMatch(await note(evil), /^403 Only the board's own pages.*evil/);
  assertMatch(await note({}), /^403 .*does not say where it came from/);
  assertMatch(
    await board.says("/api/join", {
      method: "POST",
      headers: { ...evil, ...JSON_TYPE },
      body: "{}",
    }),
    /^403 Only the board's own pages/,
  );
  assertMatch(
    await board.says("/", {
      headers: { ...board.key, "sec-fetch-site": "cross-site" },
    }),
    /^403 .*this came cross-site/,
  );
  for (const host of ["evil.example:8080", "192.168.1.20.evil.example"]) {
    assertMatch(await board.says("/", { headers: { host } }), /^421 .*evil/);
  }
  for (const host of ["localhost:8080", "board.example:8080", "[::1]:80"]) {
    const headers = { ...board.key, host };
    assertMatch(await board.says("/", { headers }), /^200/);
  }
});

Deno.test("the policy of every page lets nothing foreign in", async () => {
  using board = new TestBoard();
  const answer = await board.ask("/", { headers: board.key });

  const policy = answer.headers.get("content-security-policy")!;
  assertStringIncludes(policy, "default-src 'none'");
  assert(!policy.includes("unsafe"), policy);
  assertEquals(answer.headers.get("x-frame-options"), "DENY");
});

Deno.test("names and notes are text, on every page", async () => {
  using board = new TestBoard();
  const { code } = board.room.settings;
  const markup = `<script>alert(1)</script>`;
  const ada = await board.join(markup);
  await board.form("/note", { note: `<b>${markup}` });
  await board.report(ada, { check: `"><img src=x>`, diagnosis: null });

  for (const path of ["/", "/people", `/join?code=${code}`]) {
    const page = await board.page(path);
    assert(!page.includes("<script>alert"), path);
    assert(!page.includes("<img"), path);
  }
  assertStringIncludes(
    await board.page(),
    "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>",
  );
  for (const name of ["", "x".repeat(10_000), "\u001b[2J", "\u202eadA"]) {
    const answer = await board.post("/api/join", { name, code });
    assertMatch(await answer.text(), /^(The name|A request may have)/);
    assert(answer.status === 400 || answer.status === 413);
  }
  assertMatch(
    await board.form("/note", { note: "\u202e" }),
    /^400 The note/,
  );
});

Deno.test("who is removed is gone, and so is their token", async () => {
  using board = new TestBoard();
  const [ada] = [await board.join("Ada"), await board.join("Bo")];
  const { id } = board.room.learners[0]!;

  assertMatch(await board.form(`/people/${id}/remove`), /^303/);

  assertEquals((await board.report(ada)).status, 401);
  assertEquals(board.room.learners.map(({ name }) => name), ["Bo"]);
});

Deno.test("a second click on an old button removes nobody who came since", async () => {
  using board = new TestBoard();
  await board.join("Ada");
  await board.join("Bo");
  const { id } = board.room.learners[1]!;
  await board.form(`/people/${id}/remove`);
  await board.join("Cat");

  await board.form(`/people/${id}/remove`);

  assertEquals(board.room.learners.map(({ name }) => name), ["Ada", "Cat"]);
});

Deno.test("a clock that is set back locks nobody out", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  board.now -= 60_000;

  assertEquals((await board.report(ada)).status, 200);
});

Deno.test("all of it can be exported", async () => {
  using board = new TestBoard();
  await board.report(await board.join("Ada, the first"));
  const answer = await board.ask("/board.csv", { headers: board.key });

  assertEquals(answer.headers.get("content-type"), "text/csv; charset=utf-8");
  assertMatch(answer.headers.get("content-disposition")!, /board\.csv/);
  const bytes = await answer.bytes();
  assertEquals([...bytes.slice(0, 3)], [0xef, 0xbb, 0xbf], "for Excel");
  assertStringIncludes(
    new TextDecoder().decode(bytes),
    '"Ada, the first",2026-01-31T14:00',
  );
});

Deno.test("the table has everybody in full", async () => {
  using board = new TestBoard();
  await board.report(await board.join("Ada"));
  const page = await board.page("/people");

  assertStringIncludes(page, "serve() answers the second client");
  // It takes a second click: there is no way back.
  assertMatch(page, /<summary[^>]*>remove<.*<button>Remove Ada</);
});

Deno.test("a crowd is shown in part, and counted whole", async () => {
  using board = new TestBoard();
  for (let n = 0; n < 70; n++) await board.join(`Learner ${n}`);
  const page = await board.page();

  assertEquals(page.match(/data-person/g)!.length, 60);
  assertStringIncludes(page, "70 people");
  assertStringIncludes(page, "and 10 more");
});

Deno.test("of many mistakes the rest is counted, whatever share it has", async () => {
  using board = new TestBoard();
  for (let n = 1; n <= 7; n++) {
    const token = await board.join(`Learner ${n}`);
    await board.report(token, { diagnosis: `mistake-${n}` });
  }
  const page = await board.page();

  assertEquals(page.match(/mistake-/g)!.length, 5);
  // The two that are left out have one person each, as have the others.
  assertStringIncludes(page, '<p class="soft">and 2 more</p>');
});

Deno.test("the event stream has what changed, and only that", async () => {
  using board = new TestBoard();
  const ada = await board.join("Ada");
  const { body } = await board.ask("/events", { headers: board.key });
  const events = body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await events.read()).value!;

  const first = await next();
  await board.report(ada);
  const second = await next();
  await board.form("/note", { note: "two\nlines" });
  const third = await next();
  await events.cancel();

  assertMatch(first, /^id: 1\nevent: board\ndata: \{.*\}\n\n$/);
  assertEquals(
    Object.keys(JSON.parse(first.split("data: ")[1]!)),
    ["address", "timer", "note", "bars", "stuck", "people"],
  );
  const { address } = JSON.parse(first.split("data: ")[1]!);
  assertStringIncludes(await board.page(), `data-address="${address}"`);
  assertEquals(
    Object.keys(JSON.parse(second.split("data: ")[1]!)),
    ["bars", "stuck", "people"],
  );
  assertMatch(third, /^id: 3\n/);
  assertEquals(JSON.parse(third.split("data: ")[1]!), {
    note: '<p dir="auto">two lines</p>',
  });
});
