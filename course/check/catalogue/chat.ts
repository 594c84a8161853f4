// What recognizers ask about the lines that people in a room hear.
import type { Evidence } from "../evidence.ts";
import { offered, partialWrites } from "./traffic.ts";

const decoder = new TextDecoder();

/** The lines that came and were not expected, broken ones included. */
function unexpected({ expected, received }: Evidence): string[] {
  const wanted = lines(expected);
  return lines(received).filter((line) => !wanted.includes(line));
}

/** The lines that were expected and did not come. */
function missing({ expected, received }: Evidence): string[] {
  const came = lines(received);
  return lines(expected).filter((line) => !came.includes(line));
}

function lines(bytes: Uint8Array = new Uint8Array()): string[] {
  return decoder.decode(bytes).split("\n").filter((line) => line !== "");
}

/** Somebody heard what they had said themselves. */
export function hearsThemselves(evidence: Evidence): boolean {
  const { who, expected } = evidence;
  return unexpected(evidence).some((line) =>
    who === undefined
      ? line.startsWith("[") && expected?.length === 0
      : line.startsWith(`[${who}] `)
  );
}

/** Somebody is gone, and the others wait to be told. */
export function missesGoodbye(evidence: Evidence): boolean {
  return missing(evidence).some((line) => line.endsWith("has left the room")) &&
    missing(evidence).every((line) => line.startsWith("* "));
}

/** A word went past somebody, in the moment when somebody else was let go. */
export function wasPassedOver(evidence: Evidence): boolean {
  return missing(evidence).some((line) => line.startsWith("[")) &&
    lines(evidence.received).some((line) => line.endsWith("has left the room"));
}

/** A client heard something, or was talked about, that has not said a name. */
export function isNotInside({ kind, who, recording }: Evidence): boolean {
  const sent = recording.events.filter((event) =>
    event.side === "cast" && event.kind === "send" && event.who === who
  );
  return kind === "extra" &&
    !sent.some(({ bytes = new Uint8Array() }) => bytes.includes(0x0a));
}

/** Somebody came in, and came in again. */
export function cameTwice(evidence: Evidence): boolean {
  const came = lines(evidence.received).find((line) =>
    line.endsWith("has entered the room")
  );
  return came !== undefined &&
    evidence.recording.events.some((event) =>
      event.side === "cast" && event.kind === "receive" &&
      event.who === evidence.who && lines(event.bytes).includes(came)
    );
}

/** The program waits until somebody reads, and others miss a line. */
export function waitsForAnother({ kind, who, recording }: Evidence): boolean {
  return kind === "silence" &&
    recording.waiting.some((call) =>
      call.side === "program" && call.kind === "write" && call.who !== who
    );
}

/** The program hung up on somebody to whom it had written all that it began. */
export function letGoOfReader({ kind, who, recording }: Evidence): boolean {
  const calls = recording.program().filter((call) => call.who === who);
  return ["end", "reset", "closed"].includes(kind) &&
    calls.some(({ kind }) => kind === "close") &&
    calls.every(({ kind, error }) => kind !== "write" || error === undefined) &&
    !recording.waiting.some((call) =>
      call.side === "program" && call.kind === "write" && call.who === who
    );
}

/** Names stand in an object's order, or one that all objects have was refused. */
export function isKeyOfObject(evidence: Evidence): boolean {
  const [wanted = ""] = missing(evidence);
  const [came = ""] = unexpected(evidence);
  const title = "* The room contains: ";
  if (evidence.kind !== "different" || !wanted.startsWith(title)) return false;
  if (!came.startsWith(title)) {
    return evidence.who !== undefined && evidence.who in {};
  }
  const names = wanted.slice(title.length).split(", ");
  const keys = Object.keys(Object.fromEntries(names.map((name) => [name, 1])));
  return came.slice(title.length) === keys.join(", ");
}

/** Another line began before the rest of this one was written. */
export function isMixed({ kind, recording }: Evidence): boolean {
  const writes = recording.program("write");
  return ["assert", "different", "silence"].includes(kind) &&
    partialWrites(recording).some(({ write, next }) => {
      const rest = offered(write) - write.size!;
      return next !== undefined && offered(next) !== rest &&
        writes.some((e) => e.who === write.who && offered(e) === rest);
    });
}

/** A name was refused, and its line had ended in CR LF. */
export function isRefusedWithCr(evidence: Evidence): boolean {
  const { who, recording } = evidence;
  const said = recording.events.findLast(({ side, kind, ...event }) =>
    side === "cast" && kind === "send" && event.who === who
  );
  return decoder.decode(said?.bytes).endsWith("\r\n") &&
    missing(evidence).length > 0 &&
    lines(evidence.received).every((line) => line.startsWith("* "));
}
