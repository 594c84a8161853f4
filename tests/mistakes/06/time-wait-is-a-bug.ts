// expect: time-wait-is-a-bug
// run: time-wait-is-a-bug_test.ts
// The server has closed, and its port is still in the table. So a restart waits
// until the row is gone, which takes a minute.

/** Whether nothing in the table of sockets, as `ss -tan` prints it, has `port`. */
export function isFree(port: number, table: string): boolean {
  return !table.split("\n").some((row) => {
    const [, , , local] = row.trim().split(/\s+/);
    return local?.endsWith(`:${port}`);
  });
}
