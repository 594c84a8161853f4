// tries: to take all the memory that there is.
// says: memory|still loading
const taken: Uint8Array[] = [];
for (let i = 0; i < 10_000; i++) taken.push(new Uint8Array(10_000_000).fill(1));

export async function serve(_listener: Deno.Listener): Promise<void> {}
