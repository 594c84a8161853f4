import { bold, dim, green, red, yellow } from "@std/fmt/colors";
import { boardLines } from "./board_lines.ts";
import { problemLines } from "./problem_lines.ts";
import type { Content } from "./screen.ts";
import { clip, pad, spread, width, wrap } from "./text.ts";
import type { TypeProblem } from "./types.ts";
import type { CheckResult, Verdict } from "./verdict.ts";
import type { View } from "./view.ts";

const TYPES_SHOWN = 2;

/** The lesson itself: its checks, and the first failure or what comes next. */
export function lessonPage(view: View, columns: number, rows: number): Content {
  const { lesson, verdict, checking, notice } = view;
  const file = `lessons/${lesson.id}/${lesson.starter}`;
  const body = [...spread(` ${file}`, status(view), columns - 1), ""];
  body.push(...boardLines(view.board, columns));
  if (notice) body.push(...wrap(` ${notice}`, columns, " ").map(yellow), "");
  if (verdict?.passed) body.push(...success(view, verdict, columns));
  else if (verdict) body.push(...failure(view, verdict, columns, rows));
  else body.push(" The checks are running for the first time.");
  body.push(...typeLines(view.types ?? [], columns));
  return { body, keys: legend(view, !checking && verdict?.passed === true) };
}

function status({ checking, verdict }: View): string {
  if (checking || !verdict) return dim("checking …");
  if (verdict.ms === 0) return "";
  const time = verdict.at.toTimeString().slice(0, 8);
  return dim(`checked in ${Math.round(verdict.ms)} ms, ${time}`);
}

function legend(view: View, passes: boolean): Content["keys"] {
  const last = view.lessons.at(-1) === view.lesson;
  const open = ["o", "open"] as const;
  const all = [["w", "page"], ["l", "list"], ["q", "quit"]] as const;
  if (!passes) {
    const folded = view.unfolded ? "fewer checks" : "all checks";
    return [["h", "hint"], ["a", folded], ["r", "reset"], open, ...all];
  }
  const solution = ["s", "compare with the solution"] as const;
  return last ? [solution, ...all] : [["n", "next lesson"], solution, ...all];
}

function success(view: View, verdict: Verdict, columns: number): string[] {
  const { checks, ms } = verdict;
  const count = checks.length === 1 ? "1 check" : `${checks.length} checks`;
  const line = `   ${green("✓")} ${count}${networks(checks)}`;
  const summary = view.unfolded
    ? checks.map((check) => checkLine(check, columns))
    : spread(line, dim(`${Math.round(ms)} ms`), columns - 1);
  return [...summary, "", ...next(view, columns)];
}

function next(
  { afterwards, lesson, lessons }: View,
  columns: number,
): string[] {
  const commands = afterwards?.tryIt ?? [];
  // A comment that would be cut says nothing: then all of them go.
  const fit = commands.every((command) => 20 + width(command) <= columns);
  const lines = commands.flatMap((command, index) => {
    const shown = fit ? command : command.replace(/ +# .*/, "");
    const label = pad(index === 0 ? bold(" Try it for real:") : "", 20);
    return wrap(label + shown, columns, " ".repeat(24));
  });
  const question = afterwards?.question;
  if (question) {
    const told = ` One more question (README.md has the answer): ${question}`;
    const asked = wrap(told, columns, " ");
    lines.push(...(lines.length > 0 ? [""] : []), ...asked);
  }
  if (lesson === lessons.at(-1)) {
    lines.push("", " This was the last lesson.");
  }
  return lines;
}

/** Where the checks ran: " , on the simulated network and on loopback". */
export function networks(checks: readonly CheckResult[]): string {
  const names = new Set(checks.flatMap(({ networks }) => networks));
  const places = [];
  if (names.has("simulated")) places.push("on the simulated network");
  if (names.has("loopback")) places.push("on loopback");
  return places.length === 0 ? "" : `, ${places.join(" and ")}`;
}

function failure(
  view: View,
  { checks, problem }: Verdict,
  columns: number,
  rows: number,
): string[] {
  const explained = problem ? problemLines(problem, columns, rows) : [];
  // What the failure says matters more than the list of what passed.
  const room = rows - explained.length - 12;
  const listed = checkLines(checks, view.unfolded, room, columns);
  if (listed.length > 0) listed.push("");
  return [...listed, ...explained];
}

function checkLines(
  checks: readonly CheckResult[],
  unfolded: boolean,
  room: number,
  columns: number,
): string[] {
  const line = (check: CheckResult) => checkLine(check, columns);
  if (unfolded) return checks.map(line);
  const failing = checks.findIndex(({ status }) => status === "failed");
  const before = checks.slice(0, failing < 0 ? checks.length : failing);
  const good = before.filter(({ status }) => status !== "waiting");
  const listed = good.length > Math.max(3, room)
    ? [`   ${green("✓")} ${good.length} checks, before this one`]
    : good.map(line);
  if (failing >= 0) listed.push(line(checks[failing]!));
  const after = checks.length - good.length - (failing < 0 ? 0 : 1);
  if (after > 0) listed.push(dim(`   ·  ${after} more, after this one`));
  return listed;
}

function checkLine({ name, status }: CheckResult, columns: number): string {
  const text = clip(name, columns - 6);
  if (status === "passed") return `   ${green("✓")} ${text}`;
  if (status === "failed") return `   ${red("✗")} ${bold(text)}`;
  return dim(status === "ignored" ? `   – ${text}` : `   · ${text}`);
}

function typeLines(types: readonly TypeProblem[], columns: number): string[] {
  if (types.length === 0) return [];
  const label = " Types, beside the checks:  ";
  const wide = columns >= 60;
  const indent = " ".repeat(wide ? label.length : 2);
  const lines = types.slice(0, TYPES_SHOWN).flatMap(
    ({ at, message }, index) => {
      const head = index === 0 && wide ? label : indent;
      return wrap(`${head}${at}  ${message}`, columns - 1, indent).slice(0, 6);
    },
  );
  const more = types.length - TYPES_SHOWN;
  if (more > 0) lines.push(dim(`${indent}and ${more} more: deno check`));
  return wide ? ["", ...lines] : ["", label, ...lines];
}
