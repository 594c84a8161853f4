// Lesson 26's programs, and others that speak TLS.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const SOLUTION = "solutions/26/tls.ts";
const PEERS = "tests/clients/peers";
const CERTIFICATES = "course/check/certificates";
const CA = `${CERTIFICATES}/ca.pem`;

/** Starts `openssl s_client`, which trusts our authority and nobody else. */
function openssl(...args: string[]) {
  return start("openssl", [
    "s_client",
    "-quiet",
    "-verify_return_error",
    ...["-connect", "127.0.0.1:7026", "-servername", "localhost"],
    ...args,
  ]);
}

realClient("26: openssl shakes hands, and hears its echo", [
  "openssl",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using client = openssl("-CAfile", CA);

  await client.send("hello\n");

  await client.until("hello\n");
  assertStringIncludes(client.stderr, "depth=0 CN = localhost");
});

realClient("26: openssl is let in beside a silent nc, and after an HTTP one", [
  "openssl",
  "nc",
  "curl",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using _silent = start("nc", ["127.0.0.1", "7026"]);

  const http = await run("curl", ["-sS", "-m", "5", "http://localhost:7026/"]);
  assertStringIncludes(http.stderr, "Received HTTP/0.9 when not allowed");

  await using client = openssl("-CAfile", CA);
  await client.send("hello\n");
  await client.until("hello\n");
});

realClient("26: curl trusts our authority if it is told to", [
  "curl",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  const ask = (...args: string[]) => run("curl", ["-sS", "-m", "5", ...args]);

  const url = "https://localhost:7026/";
  const told = ["-sS", "-N", "--http0.9", "--cacert", CA, url];
  await using trusting = start("curl", told);
  await trusting.until("GET / HTTP/1.1"); // Its own request comes back.
  const stranger = await ask(url);
  assertEquals(stranger.code, 60);
  assertStringIncludes(stranger.stderr, "SSL certificate problem");
  const misnamed = await ask(
    ...["--cacert", CA, "https://127.0.0.1:7026/"],
  );
  assertEquals(misnamed.code, 60);
  assertStringIncludes(misnamed.stderr, "127.0.0.1");
});

realClient("26: Python's ssl module verifies, and wants the right name", [
  "python3",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  const ask = async (ca: string, name: string) => {
    const script = `${PEERS}/tls_client.py`;
    return (await run("python3", [script, "7026", ca, name])).stdout;
  };

  assertEquals(await ask(CA, "localhost"), "TLSv1.3 hello\n");
  assertStringIncludes(await ask(CA, "other.test"), "Hostname mismatch");
  const own = `${CERTIFICATES}/selfsigned.pem`;
  assertStringIncludes(await ask(own, "localhost"), "unable to get");
});

realClient("26: exchange() tells what is wrong with servers of Python", [
  "python3",
], async () => {
  const ask = `
    import { exchange, explainTlsError } from "./${SOLUTION}";
    const caCerts = [Deno.readTextFileSync("${CA}")];
    const to = { hostname: "localhost", port: 7026, caCerts };
    try {
      const answer = await exchange(to, new TextEncoder().encode("question"));
      console.log(new TextDecoder().decode(answer));
    } catch (error) {
      console.log(explainTlsError(error));
    }
  `;
  const meet = async (name: string, how: string) => {
    const pair = [`${CERTIFICATES}/${name}.pem`, `${CERTIFICATES}/${name}.key`];
    const script = `${PEERS}/tls_server.py`;
    await using server = start("python3", [script, "7026", ...pair, how]);
    await server.until("listening\n");
    const { stdout } = await run(Deno.execPath(), ["eval", "-q", ask]);
    await server.exit();
    return stdout.trim();
  };

  assertEquals(await meet("localhost", "ends"), "an answer");
  assertEquals(await meet("localhost", "cut"), "truncated");
  assertEquals(await meet("other", "ends"), "wrong-name");
  assertEquals(await meet("expired", "ends"), "expired");
  assertEquals(await meet("selfsigned", "ends"), "ca-as-server");
});

realClient("26: openssl starts TLS at the mail server", [
  "openssl",
], async () => {
  await using _server = await startProgram([SOLUTION, "smtp"]);
  await using client = openssl("-CAfile", CA, "-starttls", "smtp", "-crlf");

  // It has said EHLO in plain text; that was another conversation.
  await client.send("MAIL FROM:<ann@test>\n");
  await client.until("503 EHLO first");
  await client.send("EHLO ann.test\n");
  await client.until("250 mail.test");
  await client.send("MAIL FROM:<ann@test>\n");
  await client.until("250 OK");
});

realClient("26: curl and Python's smtplib start TLS there, too", [
  "curl",
  "python3",
], async () => {
  await using _server = await startProgram([SOLUTION, "smtp"]);

  const noop = ["--ssl-reqd", "--cacert", CA, "smtp://localhost:7026"];
  const curl = await run("curl", ["-sS", "-m", "5", ...noop, "-X", "NOOP"]);
  assertEquals(curl.stdout, "250 OK\r\n");

  const python = [`${PEERS}/smtp_client.py`, "7026", CA];
  const { stdout } = await run("python3", python);
  // Not without TLS, and in TLS not without another EHLO.
  assertEquals(stdout, "530\n220\n503\n250 False\n250\n");
});
