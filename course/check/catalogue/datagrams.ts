import { type Catalogue, failure } from "./mistake.ts";

/** Mistakes about datagrams. */
export const datagrams: Catalogue = {
  "unstable-flag": {
    sentence: 'UDP is behind --unstable-net (or \\"unstable\\":[\\"net\\"]).',
    fits: failure,
  },
  "udp-truncation": {
    sentence:
      "The rest of the datagram was discarded; the buffer was too small.",
    fits: failure,
  },
  "udp-no-timeout": {
    sentence: "UDP may lose the reply: set a timeout and retry.",
    fits: failure,
  },
  "udp-expects-refused": {
    sentence: "Unconnected UDP does not report a closed port.",
    fits: failure,
  },
  "udp-wrong-peer": {
    sentence: "Reply to the address that came with this datagram.",
    fits: failure,
  },
  "udp-trusts-anyone": {
    sentence: "This datagram did not come from the server you asked.",
    fits: failure,
  },
  "udp-as-stream": {
    sentence: "One datagram is one message: it is never merged or split.",
    fits: failure,
  },
  "udp-too-big": {
    sentence: "The datagram is too large.",
    fits: failure,
  },
  "udp-empty-is-eof": {
    sentence: "An empty datagram is valid; UDP has no EOF.",
    fits: failure,
  },
  "udp-burst-loss": {
    sentence: "The receive buffer overflowed; UDP has no flow control.",
    fits: failure,
  },
  "udp-wildcard-source": {
    sentence: "Your reply left from another address; bind the specific one.",
    fits: failure,
  },
  "udp-concurrent-receive": {
    sentence: "Keep one receive loop per socket.",
    fits: failure,
  },
  "udp-handler-throws": {
    sentence: "One bad packet ended your server loop.",
    fits: failure,
  },
};
