// style: datagrams as a ReadableStream; AbortSignal.timeout ends each try

export interface RequestOptions {
  timeoutMs: number;
  retries: number;
  id?: number;
}

interface Letter {
  bytes: Uint8Array;
  from: Deno.NetAddr;
}

export function serveEcho(socket: Deno.DatagramConn): Promise<void> {
  const upper = new TransformStream<Letter, Letter>({
    transform({ bytes, from }, out) {
      const text = new TextDecoder().decode(bytes);
      const back = new TextEncoder().encode(text);
      // Whatever is no text does not come back as it was.
      if (String(back) !== String(bytes)) return;
      const answer = new TextEncoder().encode(text.toUpperCase());
      if (answer.length <= 65_507) out.enqueue({ bytes: answer, from });
    },
  });
  return letters(socket).pipeThrough(upper).pipeTo(postbox(socket));
}

export async function request(
  to: Deno.NetAddr,
  payload: Uint8Array,
  options: RequestOptions,
): Promise<Uint8Array> {
  const [id = 0] = crypto.getRandomValues(new Uint32Array(1));
  const question = new Uint8Array(4 + payload.length);
  if (question.length > 65_507) throw new RangeError("The payload is too long");
  new DataView(question.buffer).setUint32(0, options.id ?? id);
  question.set(payload, 4);
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const head = String(question.subarray(0, 4));
  const answers = letters(socket).pipeThrough(
    new TransformStream<Letter, Uint8Array>({
      transform({ bytes, from }, out) {
        const asked = from.hostname === to.hostname && from.port === to.port;
        const ours = asked && String(bytes.subarray(0, 4)) === head;
        if (ours) out.enqueue(bytes.slice(4));
      },
    }),
  ).getReader();
  const first = answers.read();
  try {
    for (let i = 0; i <= options.retries; i++) {
      await socket.send(question, to);
      const signal = AbortSignal.timeout(options.timeoutMs);
      const late = new Promise<undefined>((resolve) =>
        signal.addEventListener("abort", () => resolve(undefined))
      );
      const found = await Promise.race([first, late]);
      if (found?.value) return found.value;
    }
    throw new Deno.errors.TimedOut("Nobody answers");
  } finally {
    socket.close();
  }
}

export function serveCounter(socket: Deno.DatagramConn): Promise<void> {
  const answers = new Map<string, Uint8Array>();
  let sum = 0;
  const add = new TransformStream<Letter, Letter>({
    transform({ bytes, from }, out) {
      const [a, b, c, d, amount, ...rest] = bytes;
      if (amount === undefined || rest.length > 0) return;
      const key = [from.hostname, from.port, a, b, c, d].join(" ");
      if (!answers.has(key)) {
        const answer = Uint8Array.of(a!, b!, c!, d!, 0, 0, 0, 0);
        new DataView(answer.buffer).setUint32(4, sum += amount);
        answers.set(key, answer);
      }
      out.enqueue({ bytes: answers.get(key)!, from });
    },
  });
  return letters(socket).pipeThrough(add).pipeTo(postbox(socket));
}

function letters(socket: Deno.DatagramConn): ReadableStream<Letter> {
  return ReadableStream.from(async function* () {
    for await (const [bytes, from] of socket) {
      yield { bytes, from: from as Deno.NetAddr };
    }
  }());
}

function postbox(socket: Deno.DatagramConn): WritableStream<Letter> {
  return new WritableStream({
    write: async ({ bytes, from }) => void await socket.send(bytes, from),
  });
}
