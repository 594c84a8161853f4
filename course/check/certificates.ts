// The certificates of the checks. certificates/make.sh says how they were made.
import ca from "./certificates/ca.pem" with { type: "text" };
import expiredKey from "./certificates/expired.key" with { type: "text" };
import expired from "./certificates/expired.pem" with { type: "text" };
import localhostKey from "./certificates/localhost.key" with { type: "text" };
import localhost from "./certificates/localhost.pem" with { type: "text" };
import otherKey from "./certificates/other.key" with { type: "text" };
import other from "./certificates/other.pem" with { type: "text" };
import selfSignedKey from "./certificates/selfsigned.key" with { type: "text" };
import selfSigned from "./certificates/selfsigned.pem" with { type: "text" };

/** A certificate and its key, in PEM. */
export interface Pair {
  /** The certificate. */
  readonly cert: string;
  /** Its key, which everybody has: these are for checks. */
  readonly key: string;
}

/** What the checks of TLS use, in PEM. */
export interface Certificates {
  /** The authority that has signed the others. */
  readonly ca: string;
  /** For localhost. */
  readonly localhost: Pair;
  /** For other.test. */
  readonly other: Pair;
  /** For localhost, good until 2021. */
  readonly expired: Pair;
  /** For localhost, signed by itself, as `openssl req -x509` makes them. */
  readonly selfSigned: Pair;
}

/** The certificates, which were made once. */
export const certificates: Certificates = {
  ca,
  localhost: { cert: localhost, key: localhostKey },
  other: { cert: other, key: otherKey },
  expired: { cert: expired, key: expiredKey },
  selfSigned: { cert: selfSigned, key: selfSignedKey },
};
