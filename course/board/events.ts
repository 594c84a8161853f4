import { parts, type Shown } from "./board_view.ts";

/**
 * A board that changes often is sent no more often than this. The first change
 * after a pause goes out at once.
 */
const PACE_MS = 25;
/** "2 min" becomes "3 min" by itself, and who is silent is away. */
const TICK_MS = 5_000;

/**
 * The board as an event stream (server-sent events, HTML Living Standard 9.2):
 * each event has the parts of the page that have changed, as JSON, and for its
 * id the room's version. The first one says at which address people join: a page
 * that is older than the board, and shows another, loads itself again. It ends
 * when the browser leaves.
 */
export function events(shown: Shown): Response {
  const { live } = shown.room;
  const gone = new AbortController();
  const encoder = new TextEncoder();
  const sent = new Map<string, string>();
  let version = -1;
  const body = new ReadableStream<Uint8Array>({
    // Called when the browser has taken what there was: who reads slowly gets
    // fewer events, and nothing piles up here.
    async pull(stream) {
      if (version >= 0) {
        await pause(PACE_MS, gone.signal);
        await changed(shown, version, gone.signal);
      }
      if (gone.signal.aborted) return;
      const { address } = shown;
      const first = version < 0 ? { address } : {};
      version = live.version;
      const text = event(version, { ...first, ...await news(shown, sent) });
      stream.enqueue(encoder.encode(text));
    },
    cancel: () => gone.abort(),
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
    },
  });
}

/** The parts that differ from what was sent before. */
async function news(shown: Shown, sent: Map<string, string>) {
  const fresh: Record<string, string> = {};
  for (const [name, part] of Object.entries(parts(shown))) {
    const markup = String(await part);
    if (sent.get(name) === markup) continue;
    sent.set(name, markup);
    fresh[name] = markup;
  }
  return fresh;
}

function event(version: number, data: unknown): string {
  return `id: ${version}\nevent: board\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Waits for a change, or for the next tick. */
async function changed({ room }: Shown, version: number, signal: AbortSignal) {
  const tick = new AbortController();
  const timer = setTimeout(() => tick.abort(), TICK_MS);
  const either = AbortSignal.any([tick.signal, signal]);
  await room.live.after(version, either);
  clearTimeout(timer);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = () => resolve();
  const timer = setTimeout(over, ms);
  signal.addEventListener("abort", over, { once: true });
  await promise;
  signal.removeEventListener("abort", over);
  clearTimeout(timer);
}
