// The page in the browser, as a process of the runner's. States come in on
// standard input, a line of JSON each; what the learner wants goes out the same
// way. It ends when its input does.
import { openCourse, type PageState, type PageWord } from "../runner/mod.ts";
import { Live } from "./live.ts";
import { server } from "./server.ts";

/** Above the ports of the lessons, 7001 to 7028. */
const PORT = 7100;

function say(word: PageWord): void {
  console.log(JSON.stringify(word));
}

/** Listens where it always does, so that an open window finds it again. */
function serve(app: ReturnType<typeof server>): void {
  const listen = (port: number) =>
    Deno.serve({
      hostname: "127.0.0.1",
      port,
      onListen: ({ hostname, port }) =>
        say({ address: `http://${hostname}:${port}/` }),
    }, app.fetch);
  try {
    listen(PORT);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    listen(0);
  }
}

if (import.meta.main) {
  const course = openCourse(Deno.cwd());
  const live = new Live();
  const app = server({ course, live, start: ({ id }) => say({ start: id }) });
  const text = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const piece of text) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      // Nobody is asked in before there is something to show.
      if (live.state === undefined) serve(app);
      live.show(JSON.parse(line) as PageState);
    }
  }
  Deno.exit(0);
}
