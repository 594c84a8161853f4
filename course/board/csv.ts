import type { Learner } from "./store.ts";

const COLUMNS = "name joined lesson status good of check diagnosis since passed"
  .split(" ");

/** A byte order mark: without it Excel does not read the file as UTF-8. */
const BOM = "\ufeff";

/**
 * All learners as comma-separated values (RFC 4180), with a row of names and
 * times as ISO 8601. A text that a spreadsheet would compute gets an apostrophe
 * in front: a name is a name, whatever it begins with.
 */
export function csv(learners: readonly Learner[]): string {
  const rows = learners.map((it) => [
    it.name,
    time(it.joined),
    it.lesson,
    it.status,
    String(it.good),
    String(it.of),
    it.check ?? "",
    it.diagnosis ?? "",
    time(it.since),
    [...it.passed].map(([id, at]) => `${id} ${time(at)}`).sort().join("; "),
  ]);
  return BOM + [COLUMNS, ...rows]
    .map((row) => row.map(cell).join(",") + "\r\n").join("");
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function cell(text: string): string {
  const tame = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}
