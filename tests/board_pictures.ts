// Takes the pictures of the board that README.md shows: the board itself, in
// the second hour of a workshop that is made up. Its clock is set by hand.
import { fileURLToPath } from "node:url";
import { readLessons } from "../course/board/lessons.ts";
import { Room } from "../course/board/room.ts";
import { server } from "../course/board/server.ts";
import type { Status } from "../course/board/standing.ts";
import { Store } from "../course/board/store.ts";
import { openBrowser } from "./chromium.ts";
import { HOUSE } from "./course_files.ts";

const MINUTE = 60_000;
const NAMES = "Ada Bo Chen Dilnoza Émile Fatima Grace Hiro Ines Jürgen Keiko " +
  "ليلى María Nadia Olu Priya Quentin Rosa Søren Tomasz Uma Vera Wei Xenia " +
  "Yusuf Zoë Anselm ליאור Chloé Dmitri";

/** Where people are: a lesson, how it is going, and why. */
type Place = [lesson: number, status: Status, check: string, mistake?: string];

const ACCEPT: Place = [
  3,
  "failing",
  "serve() answers the second client while the first is silent",
  "await-in-accept-loop",
];
const PLACES: Place[] = [
  ACCEPT,
  [4, "failing", "request() asks again when no answer comes"],
  ACCEPT,
  [3, "passing", ""],
  [
    2,
    "failing",
    "echoConn() goes on until the client has no more to send",
    "reads-once",
  ],
  ACCEPT,
  [4, "working", ""],
  [
    3,
    "failing",
    "serve() forgets clients that leave without a word",
    "leaked-conn",
  ],
  ACCEPT,
  [4, "passing", ""],
  [
    3,
    "failing",
    "serve() forgets clients that leave without a word",
    "leaked-conn",
  ],
];

let now = Date.UTC(2026, 0, 31, 14);
const store = new Store(":memory:");
// Pictures that are taken again are the same.
store.set({ code: "4821" });
const room = new Room(store, () => now);

/** Says where somebody is, for so long by now. */
function report(token: string, [lesson, status, check, mistake]: Place) {
  const two = (n: number) => String(n).padStart(2, "0");
  const all = Array.from({ length: lesson }, (_, n) => two(n + 1));
  room.report(token, {
    lesson: two(lesson),
    status,
    good: status === "failing" ? 1 + check.length % 8 : 11,
    of: 11,
    check: check || null,
    diagnosis: mistake ?? null,
    passed: status === "passing" ? all : all.slice(0, -1),
    forMs: 0,
  });
}

const tokens = NAMES.split(" ").map((name) => room.join(name).token);
const begin = now;
tokens.forEach((token, n) => {
  now = begin + (40 + n * 11 % 29) * MINUTE;
  report(token, PLACES[n % PLACES.length]!);
});
now = begin + 70 * MINUTE;
// Two have left the room; the others have just said that they are there.
tokens.slice(2).forEach((token, n) =>
  report(token, PLACES[(n + 2) % PLACES.length]!)
);
room.setNote("Which line waits while ann is silent?");
room.setTimer(25);
room.setOpen("04");

const address = "192.168.1.20:8080";
const lessons = readLessons(fileURLToPath(new URL("lessons", HOUSE)));
const app = server({ room, lessons, address });
const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
await using served = Deno.serve(options, app.fetch);
await using browser = await openBrowser();
for (const colorScheme of ["light", "dark"] as const) {
  const viewport = { width: 1280, height: 720 };
  const page = await browser.newPage({ colorScheme, viewport });
  await page.goto(
    `http://127.0.0.1:${served.addr.port}/?key=${room.settings.key}`,
  );
  const file = `course/board/pictures/board-${colorScheme}.png`;
  const path = fileURLToPath(new URL(file, HOUSE));
  await page.screenshot({ path, animations: "disabled" });
}
