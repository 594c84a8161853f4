import { assertEquals } from "@std/assert";
import { ReportReader } from "./report.ts";

const PLAN = '\u001eword {"plan":["a","b"]}\n';

function read(...pieces: string[]): ReportReader {
  const reader = new ReportReader("word");
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return reader;
}

Deno.test("ReportReader takes the data lines out of the output", () => {
  const end = '{"end":"a","status":"passed","ms":3,"networks":["loopback"]}';
  const reader = read(
    `hello\n${PLAN}\u001eword {"begin":"a"}\n`,
    `\u001eword ${end}\n`,
  );

  assertEquals(reader.report.plan, ["a", "b"]);
  assertEquals([...reader.report.begun], ["a"]);
  assertEquals(reader.report.ended.get("a")?.status, "passed");
  assertEquals(reader.output, "hello\n");
});

Deno.test("ReportReader joins lines that come in any pieces", () => {
  const whole = `hello\n${PLAN}bye\n`;
  for (let cut = 0; cut <= whole.length; cut++) {
    const reader = read(whole.slice(0, cut), whole.slice(cut));

    assertEquals(reader.report.plan, ["a", "b"]);
    assertEquals(reader.output, "hello\nbye\n");
  }
});

Deno.test("ReportReader finds data behind output without a newline", () => {
  const reader = read(`no newline${PLAN}`);

  assertEquals(reader.report.plan, ["a", "b"]);
  assertEquals(reader.output, "no newline");
});

Deno.test("ReportReader joins data that goes on over lines", () => {
  const reader = read(
    '\u001eword<{"plan":["a"\n',
    'hello\n\u001eword+,"b\n\u001eword>"]}\n',
    '\u001eword {"begin":"a"}\n',
  );

  assertEquals(reader.report.plan, ["a", "b"]);
  assertEquals([...reader.report.begun], ["a"]);
  assertEquals(reader.output, "hello\n");
});

Deno.test("ReportReader drops data that was cut short by other data", () => {
  for (const cut of ["", '\u001eword+,"status":"failed","failure":{"te\n']) {
    const reader = read(
      '\u001eword<{"end":"a"\n',
      cut,
      '\u001eword<{"stuck":"a",\n\u001eword>"text":"too late"}\n',
    );

    assertEquals(reader.report.ended.size, 0);
    assertEquals(reader.report.stuck.get("a")?.text, "too late");
    assertEquals(reader.output, "");
  }
});

Deno.test("ReportReader takes lines with another word for output", () => {
  const reader = read(
    '\u001eother {"plan":["x"]}\n\u001e {"plan":["y"]}\n',
    '\u001ewords {"plan":["z"]}\n',
  );

  assertEquals(reader.report.plan, undefined);
});

Deno.test("ReportReader keeps the first plan", () => {
  const reader = read(PLAN, '\u001eword {"plan":["x"]}\n');

  assertEquals(reader.report.plan, ["a", "b"]);
});

Deno.test("ReportReader takes a line that was cut short for output", () => {
  const reader = read('\u001eword {"plan":["a"');

  assertEquals(reader.report.plan, undefined);
});

Deno.test("ReportReader counts a flood without a newline, and forgets it", () => {
  const reader = read(...Array<string>(50).fill("x".repeat(10_000)));

  assertEquals(reader.printed, 500_000);
  assertEquals(reader.output.length, 64 * 1024);
});
