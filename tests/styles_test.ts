// Every solution passes in four manners of other people, too: with the timers
// of node:timers, with functions that it takes out of their objects at its top,
// before a check can stand in for them, with Node's Buffer for its bytes, and
// with ends that it hears of a little later, as from one of Node's streams.
import { brokenAlternative } from "./alternative_promises.ts";
import { findLessons, HOUSE } from "./course_files.ts";
import { assertKept } from "./kept.ts";
import { pooled } from "./pool.ts";

const TIMERS = ["clearInterval", "clearTimeout", "setInterval", "setTimeout"];
const SOCKETS = [
  "connect",
  "connectTls",
  "listen",
  "listenDatagram",
  "listenTls",
  "startTls",
];

const MANNERS = {
  "imports the timers of node:timers": (source: string) =>
    called("(?<![.\\w])", TIMERS).test(source)
      ? `import { ${TIMERS.join(", ")} } from "node:timers";\n${source}`
      : source,
  "takes functions out of their objects": takesAtItsTop,
  "keeps its bytes in a Buffer": keepsInBuffers,
  "hears of an end some ticks later": hearsLate,
};

/** A `Buffer` is a `Uint8Array` like any other, but that its `slice()` is a view. */
function keepsInBuffers(source: string): string {
  const kept = source
    .replace(/\bnew Uint8Array\((?!\[)/g, "inBuffer(")
    .replace(/\bUint8Array\.of\(/g, "bufferOf(")
    .replace(/(?<![\w.)])((?:[\w#]+\.)*[\w#]+)\.slice\(/g, "sliceOf($1, ");
  return kept === source ? source : `import { Buffer } from "node:buffer";
const inBuffer = (from = 0, ...rest) =>
  typeof from === "number" ? Buffer.alloc(from) : Buffer.from(from, ...rest);
const bufferOf = (...bytes) => Buffer.from(bytes);
const sliceOf = (all, ...range) =>
  Buffer.isBuffer(all)
    ? Uint8Array.prototype.slice.call(all, ...range)
    : all.slice(...range);
${kept}`;
}

/** Each step of a stream of Node's that ends, or fails, waits for a tick. */
function hearsLate(source: string): string {
  const late = source.replace(
    /(?<=await )((?:[\w#]+\.)+read\((?:[^()]|\([^()]*\))*\))/g,
    "heard($1)",
  );
  return late === source ? source : `import { nextTick } from "node:process";
const heard = async (read) => {
  const ticks = async () => {
    for (let i = 0; i < 4; i++) await new Promise((done) => nextTick(done));
  };
  const count = await read.catch(async (error) => {
    await ticks();
    throw error;
  });
  if (count === null) await ticks();
  return count;
};
${late}`;
}

function takesAtItsTop(source: string): string {
  const taken = source
    .replace(called("Deno\\.", SOCKETS), "taken_$1(")
    .replace(called("(?<![.\\w])", TIMERS), "taken_$1(")
    .replace(/\bDate\.now\(/g, "taken_date(")
    .replace(/\bMath\.random\(/g, "taken_random(")
    .replace(/\bperformance\.now\(/g, "taken_now(");
  if (taken === source) return source;
  return `const { ${SOCKETS.map(renamed)} } = Deno;
const { ${TIMERS.map(renamed)} } = globalThis;
const { now: taken_date } = Date;
const { random: taken_random } = Math;
const taken_now = performance.now.bind(performance);
${taken}`;
}

function renamed(name: string): string {
  return `${name}: taken_${name}`;
}

/** A call of one of `names`, behind what matches `before`. */
function called(before: string, names: readonly string[]): RegExp {
  return new RegExp(`${before}(${names.join("|")})\\(`, "g");
}

for (const [manner, change] of Object.entries(MANNERS)) {
  Deno.test(`every solution passes when it ${manner}`, async (t) => {
    const folder = Deno.makeTempDirSync();
    try {
      const changed = findLessons().flatMap(({ number, solution }) => {
        const source = Deno.readTextFileSync(solution);
        const other = change(source);
        if (other === source) return []; // It calls none of them.
        const program = new URL(`file://${folder}/${number}.ts`);
        Deno.writeTextFileSync(program, `// style: ${manner}\n${other}`);
        return [{ number, program }];
      });
      const broken = await pooled(
        changed,
        ({ number, program }) => brokenAlternative(number, program, HOUSE),
      );

      for (const [index, { number }] of changed.entries()) {
        await t.step(`lesson ${number}`, () => assertKept(broken[index]!));
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}
