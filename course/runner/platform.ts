// What differs from system to system, in one place. Each function is told which
// system it is, so that a test can be on another one.

/** A system that Deno runs on: "linux", "darwin", "windows" and others. */
export type Os = typeof Deno.build.os;

/** What a process finds around it. */
export interface Surroundings {
  readonly os: Os;
  /** A variable of the environment. */
  readonly env: (name: string) => string | undefined;
}

/** This machine. */
export const HERE: Surroundings = {
  os: Deno.build.os,
  env: (name) => Deno.env.get(name),
};

/**
 * Which program opens an address in a browser, and what it needs before the
 * address; undefined if there is no screen.
 */
export function opener({ os, env }: Surroundings): string[] | undefined {
  // An editor's terminal on a remote machine says how to open one at home.
  const wish = env("BROWSER")?.trim();
  if (wish) return wish.split(/\s+/);
  if (os === "darwin") return ["open"];
  if (os === "windows") return ["cmd", "/c", "start"];
  // Without a screen it would look for a browser inside the terminal.
  return env("DISPLAY") || env("WAYLAND_DISPLAY") ? ["xdg-open"] : undefined;
}

/** The signals that ask a process to end, as far as it can hear them. */
export function endingSignals(os: Os): Deno.Signal[] {
  return os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
}

/** Whether a window's new size is told by a signal. */
export function tellsSize(os: Os): boolean {
  return os !== "windows";
}

/**
 * Whether a process can be ended with all that it has started. Windows has no
 * groups; there the process is alone anyway, since it may not start others.
 */
export function hasGroups(os: Os): boolean {
  return os !== "windows";
}

/** What tells the memory of a process, in kilobytes; undefined if nothing does. */
export function memoryCommand(os: Os, pid: number): string[] | undefined {
  return os === "windows" ? undefined : ["ps", "-o", "rss=", "-p", `${pid}`];
}

/** What lists all processes, a line for each: its id and its command. */
export function listCommand(os: Os): string[] {
  const each = 'ForEach-Object { "$($_.ProcessId) $($_.CommandLine)" }';
  const all = `Get-CimInstance Win32_Process | ${each}`;
  return os === "windows"
    ? ["powershell", "-NoProfile", "-Command", all]
    : ["ps", "-axww", "-o", "pid=,args="];
}

/** The path of a file's URL, without a slash at its end. */
export function pathOf({ pathname }: URL, os: Os): string {
  const path = decodeURIComponent(pathname).replace(/\/$/, "");
  return os === "windows" ? path.slice(1) : path; // "/C:/course"
}

/** The files that are tried when somebody types a program's name or path. */
export function candidates(
  program: string,
  { os, env }: Surroundings,
): string[] {
  const windows = os === "windows";
  const folders = (env("PATH") ?? "").split(windows ? ";" : ":");
  const paths = /[/\\]/.test(program)
    ? [program]
    : folders.map((folder) => `${folder}/${program}`);
  const endings = windows ? ["", ".exe", ".cmd", ".bat"] : [""];
  return paths.flatMap((path) => endings.map((ending) => path + ending));
}
