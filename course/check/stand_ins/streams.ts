import { kernel } from "../errors.ts";
import { Place } from "../place.ts";

/** What streams need of a connection. */
interface Source {
  read(into: Uint8Array, place: Place): Promise<number | null>;
  write(bytes: Uint8Array, place: Place): Promise<number>;
  /** `stream` is the one that closes it. */
  close(stream: "readable" | "writable"): void;
}

/** The largest chunk that `readable` hands out, as in Deno. */
const CHUNK = 65_536;

/**
 * The streams of a connection, made when they are first asked for.
 *
 * They behave as Deno's do: the end of `readable`, its cancellation, and the
 * close or abort of `writable` each close the whole connection.
 */
export function streamsOf(source: Source) {
  let readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  let writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  return {
    get readable() {
      return readable ??= readableOf(source, Place.here());
    },
    get writable() {
      return writable ??= writableOf(source, Place.here());
    },
  };
}

function readableOf(
  source: Source,
  place: Place,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK,
    async pull(controller) {
      const request = controller.byobRequest!;
      const view = request.view!;
      const into = new Uint8Array(
        view.buffer,
        view.byteOffset,
        view.byteLength,
      );
      try {
        const n = await source.read(into, place);
        if (n === null) {
          source.close("readable");
          controller.close();
        }
        request.respond(n ?? 0);
      } catch (error) {
        const closed = error instanceof Deno.errors.BadResource;
        controller.error(closed ? kernel.streamConsumed() : error);
        source.close("readable");
      }
    },
    cancel: () => source.close("readable"),
  });
}

function writableOf(
  source: Source,
  place: Place,
): WritableStream<Uint8Array<ArrayBufferLike>> {
  return new WritableStream({
    async write(bytes) {
      try {
        for (let rest = bytes; rest.length > 0;) {
          rest = rest.subarray(await source.write(rest, place));
        }
      } catch (error) {
        source.close("writable");
        const closed = error instanceof Deno.errors.BadResource;
        throw closed ? kernel.streamConsumed() : error;
      }
    },
    close: () => source.close("writable"),
    abort: () => source.close("writable"),
  });
}
