/**
 * Mutations that change nothing which anybody could see, each with the reason: a file, the line as it stands (trimmed; several
 * lines with one blank between them), what is put there, and why that is the same.
 */
const EQUAL: readonly { file: string; line: string; replacement: string; why: string }[] = [
  {
    file: 'src/core/steps.ts',
    line: 'const newPhase = planned.needs.some((need) => steps[need]?.phase !== planned.phase);',
    replacement: 'planned.needs.every(need => steps[need]?.phase !== planned.phase)',
    why: 'what a step needs is of one phase, and a window is open when the first step begins: it was asked just then',
  },
  {
    file: 'src/core/flow/cycles.ts',
    line: 'const first = cycle.reduce((least, node, at) => (node < cycle[least]! ? at : least), 0);',
    replacement: 'node <= cycle[least]!',
    why: 'no node is in a cycle twice',
  },
  {
    file: 'src/core/wording.ts',
    line: 'if (Math.abs(candidate.length - wrong.length) >= bestDistance) continue;',
    replacement: 'Math.abs(candidate.length - wrong.length) > bestDistance',
    why: 'names are at least as far apart as their lengths, and this far is not nearer',
  },
];

export function reasonWhyEqual(file: string, line: string, replacement: string): string | undefined {
  return EQUAL.find((each) => each.file === file && line === each.line && each.replacement === replacement)?.why;
}
