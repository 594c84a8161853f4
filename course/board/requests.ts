import type { Context } from "hono";
import { Refused } from "./refused.ts";

/** What the server is given by `Deno.serve`, beside the request. */
export interface Env {
  Bindings: { remoteAddr?: { hostname?: string } };
}

/** Who asks: the address at the other end of the connection. */
export function address(c: Context<Env>): string {
  return c.env?.remoteAddr?.hostname ?? "";
}

/** Whether a request says that it brings JSON. */
export function isJson(c: Context): boolean {
  const type = c.req.header("content-type") ?? "";
  return type.split(";")[0]!.trim() === "application/json";
}

/** The JSON object that a request brings. */
export async function json(c: Context): Promise<Record<string, unknown>> {
  try {
    const value: unknown = await c.req.json();
    if (typeof value === "object" && value !== null) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Refused(400, "This is no JSON object.");
}

/** The fields of a form that a request brings. */
export async function form(c: Context): Promise<Record<string, unknown>> {
  try {
    return await c.req.parseBody();
  } catch (error) {
    // Multipart without a boundary, or with other parts than it says.
    if (!(error instanceof TypeError)) throw error;
    throw new Refused(400, "This is no form.");
  }
}

/** One field of a form, as text. */
export async function field(c: Context, name: string): Promise<string> {
  const value = (await form(c))[name];
  if (typeof value === "string") return value;
  throw new Refused(400, `The form has no "${name}".`);
}

/** The token that a runner shows. */
export function bearer(c: Context): string | undefined {
  return /^Bearer ([\w-]{1,64})$/.exec(c.req.header("authorization") ?? "")
    ?.[1];
}
