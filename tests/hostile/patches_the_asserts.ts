// tries: to put an assertion that always holds in the place of the real one.
// says: TypeError|Cannot assign|not extensible|read.?only
import * as assert from "@std/assert";

// deno-lint-ignore no-import-assign -- That is the attempt.
Object.assign(assert, { assertEquals: () => {}, assert: () => {} });

export async function serve(_listener: Deno.Listener): Promise<void> {}
