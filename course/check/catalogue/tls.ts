import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { says } from "./headlines.ts";
import { type Catalogue, failure, leaves } from "./mistake.ts";
import { compared } from "./tables.ts";
import { cutShort } from "./traffic.ts";

/** Mistakes about TLS, and about how it begins and ends. */
export const tls: Catalogue = {
  "tls-verify-off": {
    sentence:
      "Your program switches off a check of TLS; then a certificate proves nothing, and anybody in between can show one.",
    fits: (evidence) =>
      failure(evidence) &&
      evidence.recording.program().some(({ text }) =>
        text.endsWith(", any name")
      ),
  },
  "tls-wrong-name": {
    sentence:
      "A certificate is good for the names in it; your program and TLS do not mean the same name by this server.",
    fits: (evidence) => {
      const { kind, headline, error, recording } = evidence;
      return isAboutName(error) ||
        kind === "assert" && headline.includes("name") ||
        // Whoever leaves a connection open may have found the right name.
        !leaves("connection")(evidence) &&
          recording.program().some((call) => isAboutName(call.error));
    },
  },
  "self-signed-leaf": {
    sentence:
      "This certificate says that it may sign others, as those of `openssl req -x509` do: Deno takes it for no server's, even if it is trusted.",
    fits: ({ kind, headline }) =>
      kind === "assert" &&
      /CaUsedAsEndEntity|ca-as-server/.test(headline),
  },
  "tls-errors-alike": {
    sentence:
      "These errors have one class, and mean different things; whoever is told the wrong one mends the wrong thing.",
    fits: (evidence) => says(evidence, /the problem of InvalidData/),
  },
  "tls-truncation": {
    sentence:
      "TCP has ended, and TLS has not: anybody on the way can do that, and your program takes a part for the whole.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /UnexpectedEof|cut off/.test(headline),
  },
  "tls-handshake-in-loop": {
    sentence:
      "Your program waits for one client's handshake in its accept loop; while that does not come, or when it fails, nobody else is let in.",
    fits: (evidence) => shakesInLoop(evidence) || threwInLoop(evidence),
  },
  "tls-plain-mixup": {
    sentence:
      "One side speaks TLS and the other plain text; that is an everyday mistake, and your program does not reckon with it.",
    fits: ({ kind, headline, error }) =>
      kind === "crash" && isAboutPlainText(error) ||
      kind === "assert" && /InvalidContentType|not-tls/.test(headline),
  },
  "tls-records-are-messages": {
    sentence:
      "One read brought a part of what was sent: TLS has records, and no more messages than TCP has.",
    fits: (evidence) => evidence.kind === "different" && cutShort(evidence),
  },
  "alpn-not-checked": {
    sentence:
      "Your program asked for a protocol, and went on with a server that has agreed to none.",
    fits: (evidence) =>
      says(evidence, /find out: no-protocol|agreed to no protocol/),
  },
  "starttls-pending-read": {
    sentence:
      "A read was still waiting when TLS was to begin; it would have taken the bytes that are for TLS.",
    fits: ({ recording }) => startedWhileReading(recording),
  },
  "starttls-injection": {
    sentence:
      "Plain text stood behind STARTTLS, or its 220, and your program lets that pass; anybody on the way may have added it.",
    fits: (evidence) =>
      says(evidence, /in answer to "(NOOP|QUIT)/) ||
      says(evidence, /in answer to "STARTTLS/) &&
        compared(evidence).expected === "" ||
      says(evidence, /plain text behind 220/) &&
        evidence.recording.program("startTls").length > 0,
  },
  "starttls-stripping": {
    sentence:
      "There is no TLS here, and your program goes on in plain text; whoever took the offer away reads it all.",
    fits: (evidence) =>
      says(evidence, /Expected function to reject|in plain text, it said/) ||
      says(evidence, /in answer to "MAIL/) &&
        compared(evidence).actual.startsWith("250"),
  },
  "starttls-unverified": {
    sentence:
      "startTls() comes back before anybody is verified, and so does your program; who the server is, the handshake tells.",
    fits: ({ kind, recording }) =>
      ["assert", "silence"].includes(kind) &&
      recording.program("startTls").some((started) =>
        recording.program().every((call) =>
          call.kind !== "handshake" || call.who !== started.who
        ) &&
        recording.waiting.every(({ kind }) => kind !== "handshake")
      ),
  },
  "starttls-state-kept": {
    sentence:
      "What was said in plain text still counts in TLS, and nobody knows who said it.",
    fits: ({ kind }) => kind === "assert",
  },
};

function isAboutName(error: unknown): boolean {
  return error instanceof Error && error.message.includes("not valid for name");
}

function isAboutPlainText(error: unknown): boolean {
  return error instanceof Error && error.message.includes("InvalidContentType");
}

/** Whether a handshake keeps the program while `who` is not let in. */
function shakesInLoop({ kind, who = "", recording }: Evidence): boolean {
  const calls = recording.program();
  return ["silence", "refused", "unfinished"].includes(kind) &&
    calls.every(({ text }) => text !== `accept() → ${who}`) &&
    recording.waiting.some(({ side, kind }) =>
      side === "program" && kind === "handshake"
    ) &&
    recording.waiting.every(({ side, kind }) =>
      side !== "program" || kind !== "accept"
    ) &&
    !recording.program("accept").at(-1)?.error;
}

/** Whether the loop itself was left, by the error of a handshake. */
function threwInLoop({ kind, headline, error, recording }: Evidence): boolean {
  const calls = recording.program();
  const failed = calls.findIndex((call) =>
    call.kind === "handshake" && call.error === error
  );
  const met = calls.findIndex(({ text }) =>
    text === `accept() → ${calls[failed]?.who}`
  );
  // A loop that waits for a handshake accepts nobody else meanwhile.
  return kind === "crash" && failed >= 0 &&
    !headline.startsWith("Nobody catches an error") &&
    calls.slice(met + 1, failed).every(({ kind }) => kind !== "accept");
}

/** Whether Deno refused to start TLS because a read was waiting. */
function startedWhileReading(recording: Recording): boolean {
  return recording.program("startTls").some(({ error }) =>
    error instanceof Deno.errors.Busy
  );
}
