// A check stands in for functions of the platform while it plays, and a program
// may have taken hold of one before: `const { connect } = Deno` at its top. So
// each of these functions is replaced once, before any program is loaded, by a
// door: it stays, and leads wherever calls lead at the moment.
import { sleep } from "../node_timers/sleep.ts";
import "../real.ts"; // It keeps the originals, and has to come first.

type Call = (...args: unknown[]) => unknown;

/** A function that stays in its place. */
interface Door {
  /** What its callers hold. */
  readonly through: Call;
  /** What they reach. */
  inside: Call;
}

/** What these have can be called as their methods, and not alone. */
const OWNERS: ReadonlySet<object> = new Set([performance, crypto]);

const doors = new Map<object, Map<string, Door>>();

open(Deno, [
  "connect",
  "connectTls",
  "listen",
  "listenDatagram",
  "listenTls",
  "refTimer",
  "startTls",
  "unrefTimer",
]);
open(globalThis, [
  "clearInterval",
  "clearTimeout",
  "setInterval",
  "setTimeout",
]);
// `util.promisify()` asks for this.
const custom = Symbol.for("nodejs.util.promisify.custom");
Object.defineProperty(setTimeout, custom, { value: sleep });
open(AbortSignal, ["timeout"]);
open(Date, ["now"]);
open(performance, ["now"]);
open(Math, ["random"]);
open(crypto, ["getRandomValues"]);

function open(target: object, names: string[]) {
  const opened = new Map<string, Door>();
  for (const name of names) {
    const original = Reflect.get(target, name);
    if (original === undefined) continue; // Deno was not told to have it.
    const door: Door = {
      through(this: unknown, ...args) {
        // `const { now } = performance` is refused outside a check, too.
        const refused = OWNERS.has(target) && this !== target;
        return refused ? original.apply(this, args) : door.inside(...args);
      },
      inside: original.bind(target),
    };
    Object.defineProperty(door.through, "name", { value: name });
    put(target, name, door.through);
    opened.set(name, door);
  }
  doors.set(target, opened);
}

/** Puts `properties` in the place of `target`'s own; returns how to undo it. */
export function replace(
  target: object,
  properties: Record<string, unknown>,
): () => void {
  const undo = Object.entries(properties).map(([name, value]) => {
    const door = doors.get(target)?.get(name);
    if (!door) return put(target, name, value);
    const { inside } = door;
    door.inside = value as Call;
    // A program may have put something else in its place.
    const restore = put(target, name, door.through);
    return () => {
      door.inside = inside;
      restore();
    };
  });
  return () => undo.forEach((restore) => restore());
}

function put(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  const descriptor = { value, writable: true, configurable: true };
  Object.defineProperty(target, name, { enumerable: true, ...descriptor });
  return () => {
    if (before) Object.defineProperty(target, name, before);
    else Reflect.deleteProperty(target, name);
  };
}
