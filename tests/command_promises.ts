// What a table of commands promises its page: that nothing on it is left out,
// and that nothing is played that is not there.
import type { Output, Page, Step } from "./commands/table.ts";
import { type Block, blocks, sections } from "./markdown.ts";

type Part = Page["scenes"][number]["part"];

/** Where a page and its table differ, in words. */
export function unlike(page: Page, markdown: string): string[] {
  const parts = divided(markdown);
  return [
    ...(Object.keys(parts) as Part[])
      .flatMap((part) => leftOut(page, part, parts[part])),
    ...madeUp(page, markdown),
    ...Object.keys(page.unplayed ?? {})
      .filter((line) => !linesOf(commandsOn(markdown)).includes(line))
      .map((line) => `"unplayed" names what is not there: ${line}`),
    ...unsaid(page, markdown),
    ...uncompared(page, markdown),
  ];
}

/** Whether a page has commands at all. */
export function hasCommands(markdown: string): boolean {
  return commandsOn(markdown).length > 0;
}

/** Lines of commands that are not played, and no reason is given. */
function leftOut(page: Page, part: Part, text: string): string[] {
  const played = linesOf(stepsOf(page, part).flatMap(typed));
  const known = [...played, ...Object.keys(page.unplayed ?? {})];
  return linesOf(commandsOn(text))
    .filter((line) => !known.includes(line))
    .map((line) =>
      `a command is not played (${part}): ${line}\n` +
      `Play it in a scene of its table, or give the reason in "unplayed"`
    );
}

/** Commands that are played and stand nowhere. */
function madeUp(page: Page, markdown: string): string[] {
  return stepsOf(page)
    .filter((step) => !("told" in step))
    .flatMap(typed)
    .filter((run) => !squeezed(markdown).includes(squeezed(run)))
    .map((run) => `what the table plays is not there: ${run}`);
}

/** Words that the table takes from the page, and that are not on it. */
function unsaid(page: Page, markdown: string): string[] {
  const told = stepsOf(page).flatMap((step) => "told" in step ? step.told : []);
  return [...told, ...outputs(stepsOf(page))]
    .filter((words) => words !== undefined)
    .filter((words) => !squeezed(markdown).includes(squeezed(words)))
    .map((words) => `the table takes from it what it does not say: ${words}`);
}

/** Lines that are shown as output, and are compared with nothing. */
function uncompared(page: Page, markdown: string): string[] {
  const pictures = page.pictures ?? [];
  const plain = fenced(markdown, /^(?:text)?$/).map(({ code }) => code);
  const isPicture = (code: string) => pictures.includes(linesOf([code])[0]!);
  const steps = stepsOf(page);
  const done = steps.flatMap((it) => "type" in it ? it.type ?? [] : []);
  const known = linesOf([...outputs(steps), ...steps.flatMap(typed), ...done]);
  return [
    ...linesOf(plain.filter((code) => !isPicture(code)))
      .filter((line) => !known.includes(line.replace(/^\$ /, "")))
      .map((line) =>
        `a line is shown and not compared: ${line}\n` +
        `Compare it in a step ("prints", "mentions"), or put the block's ` +
        `first line into "pictures"`
      ),
    ...pictures.filter((first) => !linesOf(plain).includes(first))
      .map((first) => `"pictures" names what is not there: ${first}`),
  ];
}

/** What stands under "Try it", and the rest. */
function divided(markdown: string): Record<Part, string> {
  const tryIt = sections(markdown).find(({ title }) => title === "Try it");
  const text = tryIt?.text ?? "";
  return { "Try it": text, experiment: markdown.replace(text, "") };
}

function stepsOf(page: Page, part?: Part): Step[] {
  return page.scenes
    .filter((scene) => part === undefined || scene.part === part)
    .flatMap(({ steps }) => steps);
}

/** What a step types into a shell. */
function typed(step: Step): string[] {
  if ("run" in step) return [step.run];
  return "set" in step ? [step.set] : [];
}

/** The strings that are compared; an expression is the table's own. */
function outputs(steps: Step[]): string[] {
  return steps
    .flatMap((step): (Output | undefined)[] =>
      "set" in step ? [] : [step.prints, step.mentions].flat()
    )
    .filter((output) => typeof output === "string");
}

function commandsOn(markdown: string): string[] {
  return fenced(markdown, /^sh$/).map(({ code }) => code);
}

/** Blocks of a kind; one that belongs to a list is moved to the margin. */
function fenced(markdown: string, info: RegExp): Block[] {
  const flat = markdown.replace(
    /^( +)(`{3,}.*\n[^]*?^\1`{3,})$/gm,
    (_, margin, block) => block.replaceAll(`\n${margin}`, "\n"),
  );
  return blocks(flat).filter((block) => info.test(block.info));
}

/** All lines that are not empty. */
function linesOf(texts: string[]): string[] {
  return texts.flatMap((text) => text.split("\n"))
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}

/** Prose breaks its lines anywhere. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
