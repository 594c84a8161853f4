// tries: to start a program, in the way of Node.
// says: Requires (?:run|env) access
import { execSync } from "node:child_process";

execSync("true");

export async function serve(_listener: Deno.Listener): Promise<void> {}
