import { assertEquals } from "@std/assert";
import {
  candidates,
  endingSignals,
  hasGroups,
  listCommand,
  memoryCommand,
  opener,
  type Os,
  pathOf,
  tellsSize,
} from "./platform.ts";

/** A system with these variables in its environment. */
function system(os: Os, variables: Record<string, string> = {}) {
  return { os, env: (name: string) => variables[name] };
}

Deno.test("opener() knows each system, and does as it is told", () => {
  assertEquals(opener(system("darwin")), ["open"]);
  assertEquals(opener(system("windows")), ["cmd", "/c", "start"]);
  assertEquals(opener(system("linux")), undefined);
  assertEquals(opener(system("linux", { DISPLAY: ":0" })), ["xdg-open"]);
  assertEquals(
    opener(system("linux", { WAYLAND_DISPLAY: "wayland-0" })),
    ["xdg-open"],
  );
  const told = { BROWSER: " code --open-url ", DISPLAY: ":0" };
  for (const os of ["linux", "darwin", "windows"] as const) {
    assertEquals(opener(system(os, told)), ["code", "--open-url"]);
  }
});

Deno.test("endingSignals() names none that Windows cannot hear", () => {
  assertEquals(endingSignals("linux"), ["SIGINT", "SIGTERM", "SIGHUP"]);
  assertEquals(endingSignals("darwin"), endingSignals("linux"));
  assertEquals(endingSignals("windows"), ["SIGINT", "SIGBREAK"]);
  assertEquals([tellsSize("darwin"), tellsSize("windows")], [true, false]);
});

Deno.test("Windows has no groups, and nothing that tells a process's memory", () => {
  assertEquals([hasGroups("linux"), hasGroups("windows")], [true, false]);
  assertEquals(memoryCommand("windows", 7), undefined);
  assertEquals(memoryCommand("darwin", 7), ["ps", "-o", "rss=", "-p", "7"]);
});

Deno.test("listCommand() asks PowerShell on Windows, and ps elsewhere", () => {
  assertEquals(listCommand("darwin")[0], "ps");
  assertEquals(listCommand("windows")[0], "powershell");
});

Deno.test("pathOf() gives a path that the system knows", () => {
  const course = new URL("file:///home/ann/My%20course/");
  assertEquals(pathOf(course, "linux"), "/home/ann/My course");
  const drive = new URL("file:///C:/Users/ann/My%20course/");
  assertEquals(pathOf(drive, "windows"), "C:/Users/ann/My course");
});

Deno.test("candidates() adds the endings of Windows, and splits its PATH", () => {
  const unix = system("darwin", { PATH: "/bin:/usr/bin" });
  assertEquals(candidates("code", unix), ["/bin/code", "/usr/bin/code"]);
  const windows = system("windows", { PATH: "C:\\Windows;D:\\bin" });
  const found = candidates("code", windows);
  assertEquals(found.length, 8);
  assertEquals(found[2], "C:\\Windows/code.cmd");
  assertEquals(found[5], "D:\\bin/code.exe");
  assertEquals(candidates("code", system("linux")), ["/code"]);
  assertEquals(candidates("bin/code", unix), ["bin/code"]);
});
