import type * as node from "node:timers/promises";

/** As in Node: what was told to stop says so with this. */
class AbortError extends Error {
  override name = "AbortError";
  readonly code = "ABORT_ERR";

  constructor(cause: unknown) {
    super("The operation was aborted", { cause });
  }
}

/**
 * `setTimeout` of `node:timers/promises`: rejects with an `AbortError` as soon
 * as its signal is aborted.
 */
export const sleep: typeof node.setTimeout = async (ms, value, options) => {
  const { signal, ref = true } = options ?? {};
  if (signal?.aborted) throw new AbortError(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(new AbortError(signal?.reason));
  signal?.addEventListener("abort", stop);
  const timer = globalThis.setTimeout(resolve, ms);
  if (!ref) unref(timer);
  try {
    await promise;
    return value!;
  } finally {
    globalThis.clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
};

/**
 * `setInterval` of `node:timers/promises`: its timer runs until the loop over it
 * is left, and what came due meanwhile is made up for.
 */
export const every: typeof node.setInterval = async function* (
  ms,
  value,
  options,
) {
  const { signal, ref = true } = options ?? {};
  let due = 0;
  let next = Promise.withResolvers<void>();
  const wake = () => {
    next.resolve();
    next = Promise.withResolvers<void>();
  };
  const timer = globalThis.setInterval(() => {
    due++;
    wake();
  }, ms);
  if (!ref) unref(timer);
  signal?.addEventListener("abort", wake);
  try {
    while (!signal?.aborted) {
      for (; due > 0; due--) yield value!;
      if (!signal?.aborted) await next.promise;
    }
    throw new AbortError(signal.reason);
  } finally {
    globalThis.clearInterval(timer);
    signal?.removeEventListener("abort", wake);
  }
};

/** Deno's timers are Node's, though its types call them numbers. */
function unref(timer: unknown): void {
  (timer as { unref(): void }).unref();
}
