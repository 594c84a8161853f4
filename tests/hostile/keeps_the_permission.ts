// tries: to keep the right to read its folder, which ends when it is loaded.
// says: Requires read access
const here = new URL("./", import.meta.url);
Object.assign(Object.getPrototypeOf(Deno.permissions), {
  revoke: () => {},
  revokeSync: () => {},
});
Object.assign(Deno.permissions, { revokeSync: () => {} });

export async function serve(_listener: Deno.Listener): Promise<void> {
  await Deno.readTextFile(new URL("echo_test.ts", here));
}
