// What the course uses of the standard library. The npm package that carries
// its code carries no types; these are the signatures of the original.

declare module "@std/assert" {
  // deno-lint-ignore no-explicit-any -- The original's type.
  type AnyConstructor = new (...args: any[]) => unknown;

  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(
    actual: T,
    expected: T,
    msg?: string,
  ): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertInstanceOf<T extends AnyConstructor>(
    actual: unknown,
    expectedType: T,
    msg?: string,
  ): asserts actual is InstanceType<T>;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    msg?: string,
  ): void;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    msg?: string,
  ): void;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any -- The original's type.
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any -- The original's type.
    ErrorClass: abstract new (...args: any[]) => E,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function fail(msg?: string): never;
}

declare module "@std/cli/parse-args" {
  // The original infers each flag's type from the options; this is the widest
  // shape that the inferred types are assignable to.
  export function parseArgs(
    args: string[],
    options?: {
      boolean?: string[];
      string?: string[];
      collect?: string[];
      default?: Record<string, unknown>;
      alias?: Record<string, string | string[]>;
      stopEarly?: boolean;
      "--"?: boolean;
      unknown?: (arg: string, key?: string, value?: unknown) => unknown;
    },
  ): { _: Array<string | number>; [flag: string]: unknown };
}

declare module "@std/fmt/colors" {
  export function bold(str: string): string;
  export function dim(str: string): string;
  export function red(str: string): string;
  export function green(str: string): string;
  export function yellow(str: string): string;
  export function cyan(str: string): string;
  export function inverse(str: string): string;
  export function underline(str: string): string;
  export function stripAnsiCode(string: string): string;
  export function setColorEnabled(value: boolean): void;
  export function getColorEnabled(): boolean;
}
