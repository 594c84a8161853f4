// style: streams; one pipe for each client
const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;

export async function serve(listener: Deno.Listener): Promise<void> {
  const pipes: Promise<void>[] = [];
  for await (const { readable, writable } of listener) {
    pipes.push(readable.pipeTo(writable).catch(forgiveVanishing));
  }
  await Promise.all(pipes);
}

function forgiveVanishing(error: unknown) {
  const vanished = [BadResource, BrokenPipe, ConnectionReset]
    .some((kind) => error instanceof kind);
  if (!vanished) throw error;
}
