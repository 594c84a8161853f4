import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Clock } from "../clock.ts";
import type { Kind } from "../evidence.ts";
import { Place } from "../place.ts";
import { Recording } from "../recording.ts";
import { catalogue, mistake } from "./mod.ts";

for (const [id, { sentence }] of Object.entries(catalogue)) {
  Deno.test(`${id} is one sentence that fits on two lines`, () => {
    assertMatch(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assertMatch(sentence, /^([A-Z0-9]|\w+\(\)).*\.$/);
    assert(sentence.length <= 150, `${sentence.length} characters`);
    assert(!sentence.includes("!"), sentence);
  });
}

Deno.test("mistake() refuses an id that the catalogue does not have", () => {
  assertThrows(() => mistake("no-such-mistake"), TypeError, "no-such-mistake");
});

/** Whether `id` is said of a failure of this `kind`. */
function says(id: string, kind: Kind, recording: Recording): boolean {
  const headline = "ann expected the end";
  const found = { kind, headline, who: "ann", recording };
  return mistake(id).fits({ ...found, network: "simulated", used: true });
}

Deno.test("resync-after-error is not said of a program that has hung up", () => {
  const recording = new Recording(new Clock());
  const fitting = (kind: Kind) => says("resync-after-error", kind, recording);

  const kinds: Kind[] = ["silence", "different", "end", "closed", "reset"];
  assertEquals(kinds.filter(fitting), ["silence", "different"]);
});

Deno.test("resync-after-error is not said of an error of another kind", () => {
  const recording = new Recording(new Clock());
  const fits = (headline: string) =>
    mistake("resync-after-error").fits({
      kind: "assert",
      headline,
      recording,
      network: "simulated",
      used: false,
    });

  assert(fits("Expected function to throw: push() of one more byte"));
  assert(!fits('Expected error to be instance of "InvalidData", but was "E"'));
});

Deno.test("one-read-one-message is not said of an end before its beginning", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const fits = (received: string) =>
    mistake("one-read-one-message").fits({
      kind: "different",
      headline: "push() should give hello",
      expected: bytes("hello"),
      received: bytes(received),
      recording: new Recording(new Clock()),
      network: "simulated",
      used: false,
    });

  assert(fits("hel"));
  assert(!fits("lohel"));
});

Deno.test("no-deadline is not said of a program that has thrown", () => {
  const recording = new Recording(new Clock());
  assert(says("no-deadline", "silence", recording));

  const error = new Deno.errors.TimedOut();
  recording.unheard = { what: "ask()", place: Place.of(error), error };
  assert(!says("no-deadline", "silence", recording));
});

Deno.test("timeout-without-close is not said of one that does not come back", () => {
  const recording = new Recording(new Clock());
  const read = { kind: "read", who: "ann", what: "read() from ann" };
  recording.wait({ ...read, side: "program" });
  assert(says("timeout-without-close", "silence", recording));

  const accept = { kind: "accept", who: "ann", what: "a connection" };
  recording.wait({ ...accept, side: "cast" });
  assert(!says("timeout-without-close", "silence", recording));
});

Deno.test("no call failed with undefined, whatever is rejected with it", () => {
  const recording = new Recording(new Clock());
  const program = { side: "program", who: "ann" } as const;
  for (const kind of ["connect", "accept", "write"]) {
    recording.note({ ...program, kind, text: `${kind}()` });
  }
  recording.wait({ ...program, kind: "read", what: "read() from ann" });
  assert(!says("unawaited-write", "crash", recording));
  assert(!says("handler-rejection-kills-server", "crash", recording));
});

Deno.test("other-side-left-open is not said of a side that was never there", () => {
  const recording = new Recording(new Clock());
  const program = { side: "program" } as const;
  recording.note({ ...program, kind: "close", who: "bob", text: "close()" });
  assert(!says("other-side-left-open", "silence", recording));

  const text = "accept() → ann";
  recording.note({ ...program, kind: "accept", who: "", text });
  assert(says("other-side-left-open", "silence", recording));
});

Deno.test("socks-one-read is not said of an answer to the whole message", () => {
  const message = (...whats: [kind: "send" | "write", ...number[]][]) => {
    const recording = new Recording(new Clock());
    for (const [kind, ...bytes] of whats) {
      const side = kind === "send" ? "cast" : "program";
      const text = `${kind} ${bytes}`;
      const sent = Uint8Array.from(bytes);
      recording.note({ side, kind, who: "ann", text, bytes: sent });
    }
    return recording;
  };
  const said = (recording: Recording) =>
    says("socks-one-read", "different", recording);

  assert(!said(message(["send", 5, 1], ["send", 0], ["write", 5, 255])));
  assert(said(message(["send", 5, 1], ["write", 5, 255], ["send", 0])));
});

Deno.test("socks-methods is not said of a method that was chosen", () => {
  const recording = new Recording(new Clock());
  const bytes = Uint8Array.of(5, 2, 0, 2);
  const sent = { kind: "send", who: "ann", text: "→ 05 02 00 02" };
  recording.note({ ...sent, side: "cast", bytes });
  const fits = (...received: number[]) =>
    mistake("socks-methods").fits({
      kind: "different",
      headline: "ann expected 05 00",
      who: "ann",
      received: Uint8Array.from(received),
      recording,
      network: "simulated",
      used: true,
    });

  assert(fits(5, 0xff));
  assert(!fits(5, 2));
  assert(!fits(1, 1));
});

Deno.test("late-timer-closes-next is not said if somebody had just spoken", () => {
  const clock = new Clock();
  const recording = new Recording(clock);
  const close = { side: "program", kind: "close", text: "close()" } as const;
  recording.note({ side: "cast", kind: "send", who: "ann", text: "→ 16" });
  recording.note({ ...close, who: "ann" });
  assert(!says("late-timer-closes-next", "end", recording));

  clock.burn(50);
  recording.note({ ...close, who: "bob" });
  assert(says("late-timer-closes-next", "end", recording));
});
