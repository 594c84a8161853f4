import { assertEquals } from "@std/assert";
import { boardToJoin, leave, remember } from "./membership.ts";

const ASKED = { address: "192.168.1.20:8080", name: "Ada", code: "4821" };
const HOUR = 3_600_000;

function withRoot(body: (root: string) => void): void {
  const root = Deno.makeTempDirSync();
  Deno.mkdirSync(`${root}/.course`);
  try {
    body(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("boardToJoin() goes back to a board on the same day, by the token", () =>
  withRoot((root) => {
    const { address, name } = ASKED;
    const member = { address, name, token: "t-1" };
    assertEquals(boardToJoin(root, undefined), undefined);

    remember(root, { ...member, joined: Date.now() - HOUR });
    assertEquals(boardToJoin(root, undefined), member);
    remember(root, { ...member, joined: Date.now() - 13 * HOUR });
    assertEquals(boardToJoin(root, undefined), undefined, "the next day");
  }));

Deno.test("boardToJoin() shows the token to the board that gave it, and to no other", () =>
  withRoot((root) => {
    const { address, name } = ASKED;
    remember(root, { address, name, token: "t-1", joined: 0 });
    const other = { ...ASKED, address: "10.0.0.7:8080" };

    assertEquals(boardToJoin(root, ASKED), { ...ASKED, token: "t-1" });
    assertEquals(boardToJoin(root, other), other);
  }));

Deno.test("leave() forgets the board", () =>
  withRoot((root) => {
    assertEquals(leave(root), false);
    remember(root, { ...ASKED, token: "t-1", joined: Date.now() });
    assertEquals(leave(root), true);
    assertEquals(boardToJoin(root, undefined), undefined);
  }));

Deno.test("boardToJoin() knows no board from a file that it did not write", () =>
  withRoot((root) => {
    for (const text of ["", "{", "null", "[]", '{"address": 7}']) {
      Deno.writeTextFileSync(`${root}/.course/board.json`, text);
      assertEquals(boardToJoin(root, undefined), undefined, text);
    }
  }));

Deno.test({
  name: "remember() keeps the token from others on this machine",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withRoot((root) => {
      remember(root, { ...ASKED, token: "t-1", joined: 0 });
      const { mode } = Deno.statSync(`${root}/.course/board.json`);
      assertEquals(mode! & 0o777, 0o600);
    }),
});
