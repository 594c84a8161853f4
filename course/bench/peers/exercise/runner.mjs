// Where the checks get their `test` from. Each runner has its own.
export { test } from "node:test";
