import type { Stub } from './stubs.ts';
import type { Tried } from './try-files.ts';

/** What a caller knows beforehand of files, by the beginning of their names. */
export interface Expected {
  /** These are refused, and the refusal has this text in it; all others are applied. */
  refused: Record<string, string>;
  /** These are applied with a warning. */
  warned: string[];
}

/** What the run came to, in lines for people. */
export function reportOf(stubs: readonly Stub[], tried: readonly Tried[]): string {
  const lines =
    stubs.length === 0
      ? []
      : [`Named and not brought, so stubbed: ${stubs.map(({ kind, name }) => `${kind}/${name}`).join(', ')}`];
  for (const { file, applied, warnings, refusals } of tried) {
    lines.push(
      `${refusals.length === 0 ? 'applied' : 'REFUSED'}  ${file}${applied.length === 0 ? '' : `  ${applied.join(', ')}`}`,
    );
    lines.push(...refusals.map((each) => `         ${each}`), ...warnings.map((each) => `         Warning: ${each}`));
  }
  const refused = tried.filter(({ refusals }) => refusals.length > 0).length;
  const warned = tried.filter(({ warnings }) => warnings.length > 0).length;
  lines.push(
    `${tried.length} files: ${tried.length - refused} applied, ${warned} of them with a warning, ${refused} refused`,
  );
  return lines.join('\n');
}

/** Where the run differs from what was expected; empty when it does not. An expectation of a file that is not there counts. */
export function surprisesIn(tried: readonly Tried[], { refused, warned }: Expected): string[] {
  const nameOf = (file: string): string => file.split('/').at(-1)!;
  const begins = (prefix: string) => tried.filter(({ file }) => nameOf(file).startsWith(prefix));
  const expected = Object.keys(refused);
  return [
    ...tried.flatMap(({ file, refusals }) =>
      refusals.length > 0 && !expected.some((prefix) => nameOf(file).startsWith(prefix)) ? [`${file} is refused`] : [],
    ),
    ...[...expected, ...warned].flatMap((prefix) =>
      begins(prefix).length === 0 ? [`no file begins with ${prefix}`] : [],
    ),
    ...Object.entries(refused).flatMap(([prefix, text]) =>
      begins(prefix).flatMap(({ file, refusals }) =>
        refusals.some((each) => each.includes(text)) ? [] : [`${file} is not refused for ${text}`],
      ),
    ),
    ...warned.flatMap((prefix) =>
      begins(prefix).flatMap(({ file, warnings }) => (warnings.length === 0 ? [`${file} has no warning`] : [])),
    ),
  ];
}
