// tries: to read beyond its folder while it is loaded, by a way around.
// says: Requires read access
Deno.readTextFileSync(new URL("../03/../../deno.json", import.meta.url));

export async function serve(_listener: Deno.Listener): Promise<void> {}
