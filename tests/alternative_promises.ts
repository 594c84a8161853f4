import { directive } from "./course_files.ts";
import { runLesson } from "./lesson_run.ts";

/**
 * What is wrong with another right program: nothing, if it passes on both
 * networks. One that goes around Deno's own sockets says so in its second line,
 * `// network: loopback`, and need not pass on a network it cannot see.
 */
export async function brokenAlternative(
  number: string,
  program: URL,
  root: URL,
): Promise<string[]> {
  const source = Deno.readTextFileSync(program);
  const network = directive(source, "network");
  if (!source.startsWith("// style: ")) {
    return ['it does not begin with "// style: …"'];
  }
  if (network !== undefined && network !== "loopback") {
    return [`its network is "${network}"; only "loopback" can stand there`];
  }
  const { passed, checks, told } = await runLesson(number, {
    program,
    root,
    permission: true,
    ...(network && { network }),
  });
  if (!passed) return [`it fails:\n${told}`];
  const used = new Set(checks.flatMap(({ networks }) => networks));
  const wanted = network ? 1 : 2;
  return used.size === wanted ? [] : [`its checks use only: ${[...used]}`];
}
