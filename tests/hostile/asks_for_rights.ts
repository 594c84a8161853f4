// tries: to ask for a permission, and to act as if it had been given.
// says: Requires env access
Deno.permissions.requestSync({ name: "env" });
Deno.env.get("HOME");

export async function serve(_listener: Deno.Listener): Promise<void> {}
