/** The middle one of `numbers` by size; of an even count, the upper one. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle !== undefined) return middle;
  throw new RangeError("Cannot take the median: there are no numbers");
}

/** `number` with as many digits as mean something: 1,234 or 12.3 or 0.12. */
export function written(number: number): string {
  if (number >= 100) return Math.round(number).toLocaleString("en-US");
  return number.toFixed(number >= 10 ? 1 : 2);
}

/** `number`, and in brackets how many times `reference` it is. */
export function beside(number: number, reference: number): string {
  return `${written(number)} (${(number / reference).toFixed(2)})`;
}
