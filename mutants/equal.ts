/**
 * Mutations that change nothing which anybody could see, each with the reason: a file, the line as it stands (trimmed; several
 * lines with one blank between them), what is put there, and why that is the same.
 */
const EQUAL: readonly { file: string; line: string; replacement: string; why: string }[] = [];

export function reasonWhyEqual(file: string, line: string, replacement: string): string | undefined {
  return EQUAL.find((each) => each.file === file && line === each.line && each.replacement === replacement)?.why;
}
