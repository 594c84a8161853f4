import type { Context } from "hono";
import { Refused } from "./refused.ts";

/**
 * Reads what a POST brings, up to `most` bytes, and leaves it in the request.
 *
 * The request is made anew without its signal: who reads that of one which
 * `Deno.serve` gave gets a warning on the board's terminal.
 *
 * @throws {Refused} with 413, or with 400 if the other side leaves before.
 */
export async function readBody(c: Context, most: number): Promise<void> {
  const { method, url, headers, body } = c.req.raw;
  if (method !== "POST" || body === null) return;
  const tooLarge = new Refused(413, `A request may have ${most} bytes.`);
  if (Number(headers.get("content-length")) > most) throw tooLarge;
  const bytes = new Uint8Array(most);
  let size = 0;
  for await (const chunk of arriving(body)) {
    if (size + chunk.length > most) throw tooLarge;
    bytes.set(chunk, size);
    size += chunk.length;
  }
  const whole = bytes.subarray(0, size);
  c.req.raw = new Request(url, { method, headers, body: whole });
}

/** The chunks of a body, as they come. */
async function* arriving(body: ReadableStream<Uint8Array>) {
  const reader = body.getReader();
  for (;;) {
    // Only the network speaks here: whatever fails is no bug of the board.
    const { done, value } = await reader.read().catch(() => {
      throw new Refused(400, "The request has ended too early.");
    });
    if (done) return;
    yield value;
  }
}
