import { assertEquals } from "@std/assert";
import { shorten, trouble } from "./trouble.ts";
import { typeProblems } from "./types.ts";

const ROOT = "/tmp/Mein Kürs #1";
const URL_OF_IT = "file:///tmp/Mein%20K%C3%BCrs%20%231";

Deno.test("shorten() calls files as those who write them do", () => {
  const stack = `    at serve (${URL_OF_IT}/lessons/03/echo.ts:11:3)
    at async within (${URL_OF_IT}/course/check/play.ts:61:20)
    at Object.exit (ext:deno_os/30_os.js:1:968)`;

  assertEquals(shorten(stack, ROOT), "    at serve (echo.ts:11:3)");
});

Deno.test("trouble() reads where a file cannot be parsed", () => {
  const output = `error: SyntaxError: Expected '(', got 'const'
  |
7 |   for await const conn of listener) {
  |             ~~~~~
    at ${URL_OF_IT}/lessons/03/echo.ts:7:13
`;

  assertEquals(trouble(output, ROOT), {
    message: "Expected '(', got 'const'",
    note: "it cannot be parsed",
    at: "echo.ts:7:13",
    frame: {
      code: "  for await const conn of listener) {",
      marks: "            ^^^^^",
    },
  });
});

Deno.test("trouble() finds nothing in output that tells of no error", () => {
  assertEquals(trouble("hello\nerror: Test failed\n", ROOT), undefined);
});

Deno.test("typeProblems() reads each error on one line", () => {
  const output = `Check lessons/03/echo.ts
TS2345 [ERROR]: Argument of type 'string' is not assignable
  to parameter of type 'Uint8Array'.
  conn.write("hello");
             ~~~~~~~
    at ${URL_OF_IT}/lessons/03/echo.ts:14:9

TS2304 [ERROR]: Cannot find name 'con'.
  con.close();
  ~~~
    at ${URL_OF_IT}/lessons/03/echo.ts:15:3

Found 2 errors.
`;

  assertEquals(typeProblems(output, ROOT), [
    {
      at: "echo.ts:14:9",
      message: "Argument of type 'string' is not assignable to parameter of " +
        "type 'Uint8Array'.",
    },
    { at: "echo.ts:15:3", message: "Cannot find name 'con'." },
  ]);
  assertEquals(typeProblems("Check lessons/03/echo.ts\n", ROOT), []);
});
