#!/bin/sh
# Makes the certificates in this folder again, with openssl(1). They are test
# files: their keys are public, so they protect nothing. All but one are good
# from 2020 to 2120; `openssl ca` is used because it can choose both dates.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

: >"$work/index.txt"
cat >"$work/openssl.cnf" <<END
[ca]
default_ca = course
[course]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:\${ENV::NAME}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[selfsigned]
# What "openssl req -x509" adds by itself, and a name.
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
subjectAltName = DNS:localhost
END
export NAME=none

# A key, and the request of its owner: request FILE COMMON-NAME
request() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj "/CN=$2" -keyout "$1.key" -out "$work/$1.csr" 2>"$work/log"
}

# Signs a request: sign FILE EXTENSIONS UNTIL [OPTION...]
sign() {
  file=$1 extensions=$2 until=$3
  shift 3
  openssl ca -batch -notext -config "$work/openssl.cnf" \
    -extensions "$extensions" -startdate 20200101000000Z -enddate "$until" \
    -in "$work/$file.csr" -out "$file.pem" "$@" 2>"$work/log" ||
    { cat "$work/log" && exit 1; }
}

# The authority, which the clients trust. It signs itself.
request ca "Sockets by Hand, test authority"
sign ca authority 21200101000000Z -selfsign -keyfile ca.key

# localhost; another name; and localhost again, good until 2021 alone.
for leaf in localhost:localhost:21200101000000Z other:other.test:21200101000000Z \
  expired:localhost:20210101000000Z; do
  file=${leaf%%:*} rest=${leaf#*:}
  NAME=${rest%%:*}
  request "$file" "$NAME"
  sign "$file" server "${rest#*:}" -cert ca.pem -keyfile ca.key
done

# What many tutorials make: it signs itself, and so it says that it may sign.
request selfsigned localhost
sign selfsigned selfsigned 21200101000000Z -selfsign -keyfile selfsigned.key

rm ca.key # Nothing more is to be signed.
chmod 644 ./*.key
