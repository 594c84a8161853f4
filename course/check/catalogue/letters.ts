// What recognizers ask about the datagrams that a program sent and received.
import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import type { Event, Recording } from "../recording.ts";

/** What is done within this time, in milliseconds, is done without waiting. */
const AT_ONCE_MS = 5;

/** The datagrams that the program has sent. */
export function sent(recording: Recording): Event[] {
  return recording.program("send").filter(succeeded);
}

/** The datagrams that the program has received. */
export function received(recording: Recording): Event[] {
  return recording.program("receive").filter(succeeded);
}

function succeeded({ error }: Event): boolean {
  return error === undefined;
}

/** Whether a call of the program waits for a datagram. */
export function waitsToReceive({ waiting }: Recording): boolean {
  return waiting.some(({ side, kind }) =>
    side === "program" && kind === "receive"
  );
}

/** Whether several calls of the program waited for a datagram at once. */
export function waitsTwice({ events, waiting }: Recording): boolean {
  const calls = events.map(({ text }) => text);
  const pending = waiting.map(({ what }) => what);
  return [...calls, ...pending].some((call) =>
    /^receive\(\).* beside another/.test(call)
  );
}

/** Whether the kernel refused a datagram of the program, for its length. */
export function wasTooLong(recording: Recording): boolean {
  return recording.program("send").some(({ error }) =>
    error instanceof Error && "code" in error && error.code === "EMSGSIZE"
  );
}

/** Whether the program sent to somebody else than it had heard from last. */
export function answeredAnother(recording: Recording): boolean {
  let asker: string | undefined;
  for (const { kind, who, error } of recording.program()) {
    if (error !== undefined) continue;
    if (kind === "receive") asker = who;
    if (kind === "send" && asker !== undefined && who !== asker) return true;
  }
  return false;
}

/** Whether what the program received last came from whom it had asked. */
export function lastIsFromAsked(recording: Recording): boolean | undefined {
  const last = received(recording).at(-1);
  return last && isFromAsked(last, recording);
}

function isFromAsked(letter: Event, recording: Recording): boolean {
  return sent(recording).some(({ who }) => who === letter.who);
}

/** Whether the wrong bytes came in a datagram of somebody who was not asked. */
export function cameFromStranger(evidence: Evidence): boolean {
  const letter = carrier(evidence);
  return letter !== undefined && !isFromAsked(letter, evidence.recording);
}

/** Whether the wrong bytes came in an answer to something else. */
export function cameUnderAnotherId(evidence: Evidence): boolean {
  const letter = carrier(evidence);
  return letter !== undefined &&
    sent(evidence.recording).every(({ bytes }) => !sameId(bytes, letter.bytes));
}

/** The datagram that brought the program the bytes which came out wrong. */
function carrier({ received: wrong, recording }: Evidence): Event | undefined {
  if (!wrong?.length) return;
  return received(recording).findLast(({ bytes = [] }) =>
    bytes.some((_, at) => wrong.every((byte, i) => bytes[at + i] === byte))
  );
}

/** Whether what the program received last carries the id that it had sent. */
export function lastHasId(recording: Recording): boolean | undefined {
  const last = received(recording).at(-1)?.bytes;
  return last && sent(recording).some(({ bytes }) => sameId(bytes, last));
}

/** Whether the program sent the same datagram twice to the same address. */
export function asksAgain(recording: Recording): boolean {
  return hasTwins(sent(recording));
}

/** Whether the program threw as soon as something came that was no answer. */
export function endedByStray(recording: Recording): boolean {
  const [thrown] = recording.program("throw");
  const last = received(recording).at(-1);
  if (thrown === undefined || last === undefined) return false;
  const right = lastIsFromAsked(recording) && lastHasId(recording);
  return !right && thrown.at - last.at < AT_ONCE_MS;
}

/** Whether the wrong answer is one that somebody else had got. */
export function answersAnother(
  { kind, who, received: wrong, recording }: Evidence,
): boolean {
  return kind === "different" &&
    sent(recording).some((letter) =>
      letter.who !== who && equal(letter.bytes, wrong)
    );
}

/** Whether the program sent one payload under two ids. */
export function changedId(recording: Recording): boolean {
  const [first, ...more] = sent(recording);
  return more.some(({ bytes }) =>
    !sameId(first?.bytes, bytes) && samePayload(first?.bytes, bytes)
  );
}

/** Whether what came last has the sender and the id of another payload. */
export function changedPayload(recording: Recording): boolean {
  const letters = received(recording);
  const last = letters.at(-1);
  return letters.some(({ who, bytes }) =>
    who === last?.who && sameId(bytes, last.bytes) &&
    !samePayload(bytes, last.bytes)
  );
}

/** Whether no two datagrams that the program received have the same id. */
export function hasTwoIds(recording: Recording): boolean {
  const [first, ...more] = received(recording);
  return more.length > 0 &&
    more.every(({ bytes }) => !sameId(first?.bytes, bytes));
}

/** Whether the same datagram reached the program twice, from one sender. */
export function cameTwice(recording: Recording): boolean {
  return hasTwins(received(recording));
}

function hasTwins(letters: readonly Event[]): boolean {
  return letters.some(({ who, bytes }, i) =>
    letters.slice(0, i).some((before) =>
      before.who === who && equal(before.bytes, bytes)
    )
  );
}

function sameId(one?: Uint8Array, other?: Uint8Array): boolean {
  return equal(one?.subarray(0, idOf(one)), other?.subarray(0, idOf(other)));
}

function samePayload(one?: Uint8Array, other?: Uint8Array): boolean {
  return equal(one?.subarray(idOf(one)), other?.subarray(idOf(other)));
}

/** How many bytes of a datagram are its id: two of DNS, otherwise four. */
function idOf(bytes: Uint8Array = new Uint8Array()): number {
  const oneQuestion = bytes[4] === 0 && bytes[5] === 1;
  return bytes.length > 16 && oneQuestion ? 2 : 4;
}

function equal(one?: Uint8Array, other?: Uint8Array): boolean {
  return !!one && !!other && firstDifference(one, other) < 0;
}
