// tries: to empty the file of the checks, and to keep others from knowing.
// says: Requires write access
const here = new URL("./", import.meta.url);
Deno.writeTextFileSync(new URL("echo_test.ts", here), "");

export async function serve(_listener: Deno.Listener): Promise<void> {}
