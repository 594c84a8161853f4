import { firstDifference } from "../bytes.ts";
import { type Data, preview, toBytes } from "../bytes.ts";
import type { RawDatagram } from "../network.ts";
import { Place } from "../place.ts";
import type { Stagehand } from "../stagehand.ts";
import { carry } from "../stand_ins/carry.ts";
import type { World } from "../stand_ins/world.ts";
import { misaddressed, missing, noDatagram, other, tooMuch } from "./unmet.ts";

/** A datagram that a talker received. */
export interface Letter {
  /** The payload. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Who sent it. */
  readonly from: Deno.NetAddr;
}

/** A member of the cast with a UDP socket. */
export class Talker {
  /** The name in the recording. */
  readonly name: string;
  readonly #socket: RawDatagram;
  readonly #stage: Stagehand;
  readonly #world: World;
  readonly #letters: Letter[] = [];
  #receiving: Promise<void> | undefined;
  #left = false;

  /** Takes over `socket`, and notes what happens on it. */
  constructor(
    name: string,
    socket: RawDatagram,
    stage: Stagehand,
    world: World,
  ) {
    this.name = name;
    this.#socket = socket;
    this.#stage = stage;
    this.#world = world;
    stage.atEnd(() => this.close());
  }

  /** The address of the socket. */
  get addr(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /** Sends one datagram. Nobody says whether it arrives. */
  async send(data: Data, to: Deno.Addr): Promise<void> {
    const bytes = toBytes(data);
    this.#note("send", `→ ${preview(bytes)}`, bytes);
    await carry(this.#world, this.#socket, bytes, to);
  }

  /**
   * Expects one datagram with exactly this payload, sent by `from` if that is
   * given, and returns its sender.
   */
  async receives(
    data: Data,
    { from: sender }: { from?: Deno.NetAddr } = {},
  ): Promise<Deno.NetAddr> {
    const expected = toBytes(data);
    const place = Place.here();
    const what = `waits for ${preview(expected, 12)}`;
    const { bytes, from } = await this.#next(
      what,
      place,
      () => missing(this.name, expected, new Uint8Array(), "silence"),
    );
    if (firstDifference(bytes, expected) >= 0) {
      throw other(this.name, expected, bytes).from(place);
    }
    this.#expectFrom(from, sender, place);
    return from;
  }

  /** Receives one datagram, whatever it holds, sent by `from` if that is given. */
  async receive(
    { from: sender }: { from?: Deno.NetAddr } = {},
  ): Promise<Letter> {
    const place = Place.here();
    const letter = await this.#next(
      "waits for a datagram",
      place,
      () => noDatagram(this.name),
    );
    this.#expectFrom(letter.from, sender, place);
    return letter;
  }

  #expectFrom(
    from: Deno.NetAddr,
    sender: Deno.NetAddr | undefined,
    place: Place,
  ) {
    if (sender === undefined || same(sender, from)) return;
    throw misaddressed(this.name, sender, from).from(place);
  }

  async #next(
    what: string,
    place: Place,
    unmet: () => ReturnType<typeof missing>,
  ): Promise<Letter> {
    const waiting = { side: "cast", who: this.name, kind: "receive" } as const;
    await this.#stage.during({ ...waiting, what, place }, async () => {
      while (this.#letters.length === 0 && !this.#left) await this.#more();
    }, unmet);
    return this.#letters.shift()!;
  }

  /** Expects that no datagram comes; see {@linkcode Actor.receivesNothing}. */
  async receivesNothing(ms = 50): Promise<void> {
    const place = Place.here();
    if (this.#letters.length === 0) {
      await this.#stage.silence(this.#more(), ms);
    }
    this.#none(place);
  }

  /**
   * Expects that no datagram comes for `ms` milliseconds. One may come later:
   * the program may wait for its time.
   */
  async receivesNothingFor(ms: number): Promise<void> {
    const place = Place.here();
    if (this.#letters.length === 0) {
      await Promise.race([this.#more(), this.#world.clock.sleep(ms)]);
    }
    this.#none(place);
  }

  #none(place: Place) {
    const letter = this.#letters[0];
    if (letter === undefined) return;
    throw tooMuch(this.name, "nothing", letter.bytes).from(place);
  }

  #more(): Promise<void> {
    return this.#receiving ??= this.#receive().finally(() =>
      this.#receiving = undefined
    );
  }

  async #receive() {
    try {
      const [bytes, from] = await this.#socket.receive();
      this.#letters.push({ bytes, from: from as Deno.NetAddr });
      this.#note("receive", `← ${preview(bytes)}`, bytes);
    } catch (error) {
      const { BadResource, Interrupted } = Deno.errors;
      const left = error instanceof Interrupted || error instanceof BadResource;
      if (!left) throw error;
    }
  }

  /** Closes the socket. Twice is fine. */
  close() {
    if (this.#left) return;
    this.#left = true;
    this.#socket.close();
  }

  #note(kind: string, text: string, bytes?: Uint8Array) {
    this.#stage.recording.note({
      side: "cast",
      who: this.name,
      kind,
      text,
      ...(bytes && { bytes }),
    });
  }
}

function same(one: Deno.NetAddr, other: Deno.NetAddr): boolean {
  return one.hostname === other.hostname && one.port === other.port;
}
