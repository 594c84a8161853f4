// The facts of four tutorials that this course covers, one row for each, in
// sources/*.txt. S0 is a book's chapter on sockets, S1 a tutorial with
// exercises, S2 an article, S3 the first third of a long guide. A row is
//
//     S0-46 corrected 11
//     A timeout for each call is no deadline.
//     11/README.md: It limits each call
//
// its id, its status, its lessons; the fact, in our words; and one place or
// more: a file, and words that stand in it.

/** Where a fact is told. */
export interface Place {
  /** From `lessons/` if it begins with a number, otherwise from the root. */
  readonly file: string;
  /** Stands there word for word; only white space may differ. */
  readonly words: string;
}

/** One fact of a source. */
export interface Row {
  /** The source and the number in it, such as `S0-46`. */
  readonly id: string;
  /**
   * `corrected` if the source is wrong or leaves out what matters: then the
   * places show the correction. `explained` if it is told, and not practised.
   */
  readonly status: string;
  /** Two digits each. */
  readonly lessons: string[];
  readonly fact: string;
  readonly places: Place[];
}

/** The text of a file, seen from the root, if there is one. */
type Read = (path: string) => string | undefined;

/** How many facts were found in each source. */
export const SOURCES: Record<string, number> = {
  S0: 65,
  S1: 40,
  S2: 32,
  S3: 65,
};

/** Reads rows, which empty lines divide. Fails at what is no row. */
export function parseRows(text: string): Row[] {
  return text.trim().split(/\n\s*\n/).map(parseRow);
}

function parseRow(text: string): Row {
  const [head, fact, ...where] = text.split("\n");
  const [, id, status, lessons] = head!.match(
    /^(\S+) (taught|corrected|explained)((?: \d\d)+)$/,
  ) ?? [];
  if (!id || !status || !lessons || !fact || where.length === 0) {
    throw new SyntaxError(
      `Cannot read a row: it has a head, a fact and places, not\n${text}`,
    );
  }
  const places = where.map(parsePlace);
  return { id, status, lessons: lessons.trim().split(" "), fact, places };
}

function parsePlace(line: string): Place {
  const [, file, words] = line.match(/^(\S+): (.+)$/) ?? [];
  if (!file || !words) {
    throw new SyntaxError(`Cannot read a place: it is a file, not "${line}"`);
  }
  return { file, words };
}

/** What is wrong with the ids: missing, there twice, or of no source. */
export function brokenIds(
  rows: readonly Row[],
  sources: Record<string, number> = SOURCES,
): string[] {
  const wanted = Object.entries(sources).flatMap(([source, count]) =>
    Array.from(
      { length: count },
      (_, i) => `${source}-${String(i + 1).padStart(2, "0")}`,
    )
  );
  const ids = rows.map(({ id }) => id);
  return [
    ...wanted.filter((id) => !ids.includes(id)).map((id) => `${id} is missing`),
    ...ids.filter((id) => !wanted.includes(id)).map((id) => `${id} is no fact`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index)
      .map((id) => `${id} stands there twice`),
  ];
}

/** What is wrong with a row's places. */
export function brokenPlaces(row: Row, read: Read): string[] {
  return row.places.flatMap((place) =>
    brokenPlace(place, row.lessons, read).map((what) => `${row.id} ${what}`)
  );
}

function brokenPlace(
  { file, words }: Place,
  lessons: readonly string[],
  read: Read,
): string[] {
  const number = file.match(/^(\d\d)\//)?.[1];
  const text = read(number === undefined ? file : `lessons/${file}`);
  const page = /^(lessons\/)?README\.md$/.test(file);
  return [
    ...(number !== undefined && lessons.includes(number) || page
      ? []
      : [`points to ${file}, which is in none of its lessons`]),
    ...(words.length < 5 || words.length > 60
      ? [`quotes ${words.length} characters, not 5 to 60: ${words}`]
      : []),
    ...(text === undefined
      ? [`points to ${file}, which is not there`]
      : folded(text).includes(folded(words))
      ? []
      : [`points to ${file}, which does not say: ${words}`]),
  ];
}

function folded(text: string): string {
  return text.replace(/\s+/g, " ");
}
