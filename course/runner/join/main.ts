// Speaks with the board of a workshop, for the runner that started it. It is a
// process of its own for two reasons.
//
// - The runner, and all that it starts for a lesson, may reach loopback and
//   nothing else, and a task cannot be given more when it is run. This process
//   may reach one address, the board's, and nothing else; no file, no program.
// - Whatever the board does, slow, silent or wrong, happens here: no verdict
//   waits for it.
//
// Lines of JSON come in (`Start`, then `Standing`s) and go out (`Word`s). It
// ends when the runner does.
import { Reporting } from "./reporting.ts";
import type { Standing, Start, Word } from "./words.ts";

function say(word: Word): void {
  console.log(JSON.stringify(word));
}

if (import.meta.main) {
  let reporting: Reporting | undefined;
  let rest = "";
  const text = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const piece of text) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (reporting) reporting.show(JSON.parse(line) as Standing);
      else {
        reporting = new Reporting(JSON.parse(line) as Start, say);
        reporting.run().then(() => Deno.exit(0));
      }
    }
  }
  Deno.exit(0);
}
