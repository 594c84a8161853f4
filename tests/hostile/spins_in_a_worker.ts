// tries: to keep a core busy in a thread that nobody can stop.
// says: ann expected .* and got nothing
const source = "data:application/javascript,for (;;);";
new Worker(source, { type: "module" });

export async function serve(_listener: Deno.Listener): Promise<void> {}
