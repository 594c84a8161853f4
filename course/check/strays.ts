// Errors in the background: rejections that nobody awaits, and what callbacks
// throw. Deno would cancel the whole test file for one of them. Here each
// belongs to the check during which it happened.

let listener: ((error: unknown) => void) | undefined;
let loaded = false;

function hear(event: Event, error: unknown) {
  // While the lesson loads there is no check yet: Deno tells it best.
  if (!loaded) return;
  event.preventDefault();
  listener?.(error);
}

globalThis.addEventListener(
  "unhandledrejection",
  (event) => hear(event, event.reason),
);
globalThis.addEventListener("error", (event) => hear(event, event.error));

/** Says that no check of the lesson has begun, whatever was played before. */
export function stillLoading() {
  loaded = false;
}

/** Tells `report` of errors in the background; returns how to stop. */
export function catchStrays(report: (error: unknown) => void): () => void {
  loaded = true;
  listener = report;
  return () => listener = undefined;
}
