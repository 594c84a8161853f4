// Four tutorials taught what this course teaches. No fact of theirs is left
// out, and none of their mistakes is handed on: each has a place, and is there.
import { assertEquals, assertThrows } from "@std/assert";
import { HOUSE, list } from "./course_files.ts";
import { assertKept } from "./kept.ts";
import { brokenIds, brokenPlaces, parseRows, type Row } from "./sources.ts";

const folder = new URL("sources/", import.meta.url);
const rows = list(folder).flatMap((name) =>
  parseRows(Deno.readTextFileSync(new URL(name, folder)))
);

function readHouse(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(new URL(path, HOUSE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("all 202 facts of the sources have a row", () => {
  assertKept(brokenIds(rows));
  assertEquals(rows.length, 202);
});

Deno.test("each fact stands where its row says", () => {
  assertKept(rows.flatMap((row) => brokenPlaces(row, readHouse)));
});

// -- The promises themselves, on a course that is made up --

const COURSE: Record<string, string> = {
  "README.md": "Learn.",
  "lessons/01/README.md": "A socket is\none end of a connection.",
  "lessons/02/README.md": "Nothing is said here.",
};

function found(places: string, lessons = "01"): string[] {
  const [row] = parseRows(`S0-01 taught ${lessons}\nA fact.\n${places}`);
  return brokenPlaces(row!, (path) => COURSE[path]);
}

const right: [name: string, places: string, lessons?: string][] = [
  ["across the end of a line", "01/README.md: A socket is one end"],
  ["on the first page of all", "README.md: Learn."],
  ["at two places", "01/README.md: A socket\n02/README.md: Nothing", "01 02"],
];

for (const [name, places, lessons] of right) {
  Deno.test(`a fact may stand ${name}`, () => {
    assertKept(found(places, lessons));
  });
}

const wrong: [
  name: string,
  broken: string,
  places: string,
  lessons?: string,
][] = [
  [
    "words that are not there",
    "S0-01 points to 01/README.md, which does not say: A plug is one",
    "01/README.md: A plug is one",
  ],
  [
    "a second place that is wrong",
    "S0-01 points to 01/README.md, which does not say: Nothing",
    "01/README.md: A socket\n01/README.md: Nothing",
  ],
  [
    "a file that is not there",
    "S0-01 points to 01/plug.ts, which is not there",
    "01/plug.ts: A socket",
  ],
  [
    "a lesson that is not the row's",
    "S0-01 points to 02/README.md, which is in none of its lessons",
    "02/README.md: Nothing is said",
  ],
  [
    "words that are too few",
    "S0-01 quotes 1 characters, not 5 to 60: A",
    "01/README.md: A",
  ],
];

for (const [name, broken, places, lessons] of wrong) {
  Deno.test(`a row is noticed that points to ${name}`, () => {
    assertEquals(found(places, lessons), [broken]);
  });
}

Deno.test("an id is noticed that is missing, made up, or there twice", () => {
  const row = (id: string): Row => ({ ...rows[0]!, id });
  const ids = ["S0-01", "S0-01", "S0-3"].map(row);

  assertEquals(brokenIds(ids, { S0: 2 }), [
    "S0-02 is missing",
    "S0-3 is no fact",
    "S0-01 stands there twice",
  ]);
});

for (
  const text of [
    "S0-01 known 01\nA fact.\n01/README.md: A socket", // No such status.
    "S0-01 taught\nA fact.\n01/README.md: A socket", // No lesson.
    "S0-01 taught 01\nA fact.", // No place.
    "S0-01 taught 01\nA fact.\nsomewhere", // No words.
  ]
) {
  Deno.test(`no row is made of ${JSON.stringify(text)}`, () => {
    assertThrows(() => parseRows(text), SyntaxError, "Cannot read a");
  });
}
