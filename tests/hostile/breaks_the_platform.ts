// tries: to break what the checks may stand on: printing, time and comparing.
// says: ann expected .* and got
console.log = console.error = () => {};
JSON.stringify = () => '{"passed":true}';
performance.now = () => 0;
Date.now = () => 0;
Object.is = () => true;
globalThis.setTimeout = (() => 0) as unknown as typeof setTimeout;

export async function serve(_listener: Deno.Listener): Promise<void> {}
