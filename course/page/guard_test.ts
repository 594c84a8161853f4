import { assertEquals, assertStringIncludes } from "@std/assert";
import { refusal } from "./guard.ts";

const HOST = "127.0.0.1:7100";
const PAGE = { "sec-fetch-site": "same-origin" };

/** What is said to a request; "" if it is let in. */
function said(
  headers: Record<string, string>,
  { path = "/lessons/03", method = "GET" } = {},
): string {
  const request = new Request(`http://${HOST}${path}`, {
    method,
    headers: { host: HOST, ...headers },
  });
  const no = refusal(request);
  return no ? `${no.status} ${no.why}` : "";
}

Deno.test("refusal() lets the page itself in, by either name", () => {
  assertEquals(said(PAGE), "");
  assertEquals(said({ ...PAGE, host: "localhost:7100" }), "");
  assertEquals(said({}), "", "a tool without a browser");
  const origin = { ...PAGE, origin: `http://${HOST}` };
  assertEquals(said(origin), "");
  assertEquals(said(origin, { method: "POST", path: "/lessons/03/start" }), "");
});

Deno.test("refusal() turns foreign names for this machine away", () => {
  for (
    const host of [
      "evil.example:7100",
      "127.0.0.1.evil.example",
      "localhost.evil.example:7100",
      "evil.example#127.0.0.1:7100",
      "0.0.0.0:7100",
      "",
    ]
  ) {
    const answer = said({ host });
    assertStringIncludes(answer, "421 This page is for this machine alone.");
    assertStringIncludes(answer, `"${host}"`);
  }
});

Deno.test("refusal() turns other origins away", () => {
  for (
    const origin of [
      "http://evil.example",
      "http://127.0.0.1:7003",
      "https://127.0.0.1:7100",
      "http://localhost:7100",
      "null",
    ]
  ) {
    assertStringIncludes(said({ origin }), `403 Only this page itself`);
    assertStringIncludes(said({ origin }), `"${origin}"`);
  }
});

Deno.test("refusal() wants to know where a change comes from", () => {
  const start = { path: "/lessons/03/start", method: "POST" };

  assertStringIncludes(said({}, start), "403 Only this page itself");
  assertStringIncludes(
    said({ origin: "http://evil.example" }, start),
    "403 Only this page itself",
  );
});

Deno.test("refusal() lets others link here, and load nothing", () => {
  const link = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };

  assertEquals(said(link), "");
  assertStringIncludes(said({ ...link, "sec-fetch-dest": "iframe" }), "403");
  assertStringIncludes(
    said({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }),
    "403 Only this page itself may load that",
  );
  assertStringIncludes(said({ "sec-fetch-site": "same-site" }), "403");
});

Deno.test("refusal() says which methods there are", () => {
  assertEquals(
    said(PAGE, { method: "DELETE" }),
    "405 Here one can use GET, HEAD, and not DELETE.",
  );
  assertStringIncludes(said(PAGE, { method: "POST" }), "405");
  assertStringIncludes(said(PAGE, { path: "/lessons/03/start" }), "use POST");
});

Deno.test("refusal() repeats no more than a little of what it was sent", () => {
  assertEquals(said({ host: "e".repeat(5_000) }).length < 300, true);
});
