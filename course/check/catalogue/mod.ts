// The catalogue of mistakes, by topic. A check names those that it may reveal;
// the first whose evidence fits is the diagnosis.
import type { Evidence } from "../evidence.ts";
import { accepting } from "./accepting.ts";
import { addresses } from "./addresses.ts";
import { awaiting } from "./awaiting.ts";
import { closing } from "./closing.ts";
import { crowds } from "./crowds.ts";
import { datagrams } from "./datagrams.ts";
import { dns } from "./dns.ts";
import { dnsServing } from "./dns_serving.ts";
import { http } from "./http.ts";
import { httpAnswers } from "./http_answers.ts";
import { httpBodies } from "./http_bodies.ts";
import { files } from "./files.ts";
import { lengths } from "./lengths.ts";
import { lines } from "./lines.ts";
import type { Catalogue, Mistake } from "./mistake.ts";
import { options } from "./options.ts";
import { pooling } from "./pooling.ts";
import { proxying } from "./proxying.ts";
import { proxies } from "./proxies.ts";
import { reading } from "./reading.ts";
import { rooms } from "./rooms.ts";
import { tables } from "./tables.ts";
import { resp } from "./resp.ts";
import { retrying } from "./retrying.ts";
import { sending } from "./sending.ts";
import { serving } from "./serving.ts";
import { time } from "./time.ts";
import { websocket } from "./websocket.ts";
import { transfer } from "./transfer.ts";
import { tls } from "./tls.ts";
import { writing } from "./writing.ts";

/** All mistakes that the course knows, by their names. */
export const catalogue: Catalogue = {
  ...reading,
  ...lengths,
  ...lines,
  ...writing,
  ...closing,
  ...awaiting,
  ...accepting,
  ...rooms,
  ...serving,
  ...addresses,
  ...tables,
  ...options,
  ...time,
  ...retrying,
  ...datagrams,
  ...websocket,
  ...http,
  ...httpBodies,
  ...httpAnswers,
  ...transfer,
  ...sending,
  ...files,
  ...dns,
  ...dnsServing,
  ...resp,
  ...pooling,
  ...proxying,
  ...proxies,
  ...tls,
  ...crowds,
};

/** What any program may do wrong in any check, which need not name it. */
export const anywhere: readonly string[] = [
  "node-sockets",
  "missing-await",
  "writeall-from-start",
  "ignore-write-count",
  "interrupts-itself",
  "used-after-close",
];

/** Names the mistake that `evidence` shows, if one of `candidates` fits. */
export function diagnose(
  candidates: readonly string[],
  evidence: Evidence,
): Mistake | undefined {
  // Who is on another network looks as if many things were wrong.
  return ["node-sockets", ...candidates, ...anywhere].map(mistake)
    .find(({ fits }) => fits(evidence));
}

/** The mistake called `id`. */
export function mistake(id: string): Mistake {
  const found = catalogue[id];
  if (found === undefined) {
    throw new TypeError(
      `Cannot reveal "${id}": the catalogue has no such mistake; see course/check/catalogue/`,
    );
  }
  return { id, ...found };
}
