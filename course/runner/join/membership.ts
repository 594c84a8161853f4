import { text } from "../lesson.ts";
import type { Start } from "./words.ts";

/** Who one is at which board. */
export interface Membership {
  /** Host and port: "192.168.1.20:8080". */
  readonly address: string;
  readonly name: string;
  /** What the board gave for the code. */
  readonly token: string;
  /** When that was, in milliseconds since 1970. */
  readonly joined: number;
}

/**
 * For how long `deno task learn` goes back to a board by itself: one day in a
 * room. Tomorrow, in another network, a stranger may have the board's address.
 */
const ONE_DAY_MS = 12 * 3_600_000;

function pathIn(root: string): string {
  return `${root}/.course/board.json`;
}

/**
 * The board to speak with: the one that is asked for now, as who one was there
 * before, or else the one that was joined earlier today.
 */
export function boardToJoin(
  root: string,
  asked: Start | undefined,
): Start | undefined {
  const last = lastJoined(root);
  if (asked) {
    return last?.address === asked.address
      ? { ...asked, token: last.token }
      : asked;
  }
  if (!last || Date.now() - last.joined > ONE_DAY_MS) return undefined;
  const { address, name, token } = last;
  return { address, name, token };
}

/** The board that was joined last; undefined if none was. */
function lastJoined(root: string): Membership | undefined {
  const json = text(pathIn(root));
  if (json === undefined) return undefined;
  let value: Partial<Membership> | null;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { address, name, token, joined } = value ?? {};
  if (typeof address !== "string" || typeof name !== "string") return undefined;
  if (typeof token !== "string" || typeof joined !== "number") return undefined;
  return { address, name, token, joined };
}

/** Remembers a board. The token in it is for nobody else to read. */
export function remember(root: string, membership: Membership): void {
  const draft = `${pathIn(root)}.${Deno.pid}`;
  const json = JSON.stringify(membership, null, 2) + "\n";
  Deno.writeTextFileSync(draft, json, { mode: 0o600 });
  Deno.renameSync(draft, pathIn(root));
}

/** Forgets the board. The answer is whether there was one. */
export function leave(root: string): boolean {
  try {
    Deno.removeSync(pathIn(root));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
