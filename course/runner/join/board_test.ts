import { assertEquals, assertRejects } from "@std/assert";
import { Board, Lost, Unwanted } from "./board.ts";

const ADA = { address: "", name: "Ada", code: "4821" };
const STANDING = {
  lesson: "03",
  status: "failing",
  good: 1,
  of: 11,
  check: "serve() ends",
  diagnosis: null,
  passed: [],
  forMs: 10,
} as const;

/** Gives `use` a board that answers as it is told. */
async function answering(
  answer: (request: Request) => Response | Promise<Response>,
  use: (board: Board) => Promise<unknown>,
): Promise<void> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, answer);
  try {
    await use(new Board(`127.0.0.1:${server.addr.port}`));
  } finally {
    await server.shutdown();
  }
}

Deno.test("Board.join() sends the name and the code, and Board.report() the token", async () => {
  const heard: unknown[] = [];
  await answering(async (request) => {
    const { pathname } = new URL(request.url);
    const token = request.headers.get("authorization");
    heard.push([pathname, token, await request.json()]);
    return Response.json(
      pathname === "/api/join"
        ? { name: "Ada (2)", token: "t-1" }
        : { note: "Look", timerMs: 60_000, open: "04", againMs: 3_000 },
    );
  }, async (board) => {
    assertEquals(await board.join(ADA), { name: "Ada (2)", token: "t-1" });
    assertEquals(await board.report(STANDING, "t-1"), {
      news: { note: "Look", timerMs: 60_000, open: "04" },
      againMs: 3_000,
    });
  });

  assertEquals(heard, [
    ["/api/join", null, { name: "Ada", code: "4821" }],
    ["/api/report", "Bearer t-1", STANDING],
  ]);
});

Deno.test("Board passes on why it was refused", () =>
  answering(
    () => new Response("The code is another one.\n", { status: 403 }),
    (board) =>
      assertRejects(
        () => board.join(ADA),
        Unwanted,
        "The code is another one.",
      ),
  ));

const strangers: [who: string, answer: () => Response][] = [
  ["a login page", () => new Response("<html>", { status: 200 })],
  ["a way elsewhere", () => Response.redirect("http://127.0.0.1:9/login")],
  ["another web server", () => new Response("Not Found", { status: 404 })],
  ["a page that forbids", () => new Response("<html>", { status: 403 })],
  ["a proxy without a board", () => new Response("Bad", { status: 502 })],
  ["a board with too much to do", () => new Response("", { status: 429 })],
  ["JSON of something else", () => Response.json([])],
  ["a token that is none", () => Response.json({ token: "a b" })],
  ["megabytes", () => new Response("x".repeat(3_000_000))],
  [
    "an answer without an end",
    () =>
      new Response(
        new ReadableStream({
          pull: (it) => it.enqueue(new Uint8Array(4_096)),
        }),
      ),
  ],
];

for (const [who, answer] of strangers) {
  Deno.test(`Board takes ${who} for no board, and does not give up`, () =>
    answering(
      answer,
      (board) => assertRejects(() => board.join(ADA), Lost),
    ));
}

Deno.test("Board says so where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();

  await assertRejects(
    () => new Board(`127.0.0.1:${port}`).join(ADA),
    Lost,
    "The board cannot be reached.",
  );
});

Deno.test("Board.report() believes no news that cannot be", () =>
  answering(
    () =>
      Response.json({
        note: "x\n".repeat(5_000),
        timerMs: 1e300,
        open: "<b>",
        againMs: 0,
      }),
    async (board) => {
      const { news, againMs } = await board.report(STANDING, "t");
      assertEquals(news.note!.length < 300 && !news.note!.includes("\n"), true);
      assertEquals([news.timerMs, news.open], [86_400_000, null]);
      assertEquals(againMs, 1_000);
    },
  ));
