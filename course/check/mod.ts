/**
 * The library that the lessons' checks stand on: two networks that keep the
 * same promises, a cast that talks to the learner's program over them, and
 * failures that show the wire and name the mistake.
 *
 * @module
 */

export { assertBytes } from "./assert_bytes.ts";
export { assertMessages } from "./assert_messages.ts";
export { concat, type Data, toBytes } from "./bytes.ts";
export { Actor } from "./cast/actor.ts";
export type { Certificates, Pair } from "./certificates.ts";
export { Talker } from "./cast/talker.ts";
export { check, type CheckOptions } from "./check.ts";
export { everySplit } from "./splits.ts";
export { Stage } from "./stage.ts";

/** Certificates for checks of TLS; they are loaded by whoever asks. */
export async function certificates(): Promise<
  typeof import("./certificates.ts").certificates
> {
  return (await import("./certificates.ts")).certificates;
}
