// `deno task fuzz [inputs] [lesson]`: gives each parser of the solutions so many
// random and mutated inputs, 20,000 if none is said, and reports each that is
// answered with anything but a value or a documented error.
import { fuzz } from "./target.ts";
import { targets } from "./targets.ts";

const inputs = Number(Deno.args[0] ?? 20_000);
const lesson = Deno.args[1] ?? "";
if (!Number.isInteger(inputs) || inputs < 1) {
  console.error("Cannot begin: say how many inputs, such as 20000");
  Deno.exit(2);
}
let failed = 0;
for (const target of targets) {
  if (!target.name.startsWith(lesson)) continue;
  const began = performance.now();
  const wrong = await fuzz(target, inputs);
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(
    `${wrong.length === 0 ? "ok  " : "FAIL"} ${target.name}: ` +
      `${inputs.toLocaleString("en")} inputs in ${seconds} s`,
  );
  for (const sentence of wrong) console.log(`  ${sentence}`);
  failed += wrong.length;
}
Deno.exit(failed === 0 ? 0 : 1);
