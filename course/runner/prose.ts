import { words } from "./contents.ts";

/** What a lesson's README offers once its checks pass. */
export interface Afterwards {
  /** The commands of "Try it", line by line. */
  readonly tryIt: readonly string[];
  /** The first of its questions, without the answer. */
  readonly question?: string;
}

/** Reads the sections "Try it" and "Questions"; either may be missing. */
export function afterwards(readme: string): Afterwards {
  const tryIt = /^```sh\n([^]*?)^```/m.exec(section(readme, "Try it"))?.[1];
  const questions = section(readme, "Questions");
  const asked = /<summary>([^]*?)<\/summary>/.exec(questions)?.[1] ??
    questions.trim().split(/\n\s*\n/)[0]!;
  const question = words(asked);
  return {
    tryIt: tryIt?.trimEnd().split("\n") ?? [],
    ...(question && { question }),
  };
}

function section(markdown: string, title: string): string {
  const parts = markdown.split(/^## +/m);
  const found = parts.find((part) => part.split("\n")[0]!.trim() === title);
  return found?.slice(found.indexOf("\n") + 1) ?? "";
}
