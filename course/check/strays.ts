// Errors in the background: rejections that nobody awaits, and what callbacks
// throw. Deno would cancel the whole test file for one of them. Here each
// belongs to the check during which it happened.

let listener: ((error: unknown) => void) | undefined;

globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  listener?.(event.reason);
});

globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  listener?.(event.error);
});

/** Tells `hear` of errors in the background; returns how to stop. */
export function catchStrays(hear: (error: unknown) => void): () => void {
  listener = hear;
  return () => listener = undefined;
}
