import { Scalar, stringify } from 'yaml';

/** No folding: a wrapped line would be a change that nobody asked for. */
const STYLE = { lineWidth: 0, minContentWidth: 0 } as const;

/** Keeps the quotes that were there, as far as the new value allows. */
export function renderScalar(value: unknown, like: Scalar.Type | undefined | null, inFlow: boolean): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  // Written on one line in every context, block scalars included.
  if (like === 'QUOTE_DOUBLE' || /[\n\r\t\u0085\u2028\u2029]/.test(value)) return doubleQuoted(value);
  if (like === 'QUOTE_SINGLE' && isPrintable(value)) return `'${value.replaceAll("'", "''")}'`;
  // In a flow, and as a key, a comma, a bracket or a colon would end the word.
  if ((inFlow && !/^[\w./-]+$/.test(value)) || !isPrintable(value)) return doubleQuoted(value);
  return stringify(value, { ...STYLE, defaultStringType: Scalar.PLAIN }).trimEnd();
}

/** Block style for maps and lists, its first line where it is put, the others indented by `column`. */
export function renderBlock(value: unknown, column: number, eol: string): string {
  const lines = stringify(value, { ...STYLE, blockQuote: false, aliasDuplicateObjects: false })
    .trimEnd()
    .split('\n');
  return lines.map((line, index) => (index === 0 ? line : ' '.repeat(column) + line)).join(eol);
}

/** JSON is YAML, everywhere. */
export const renderFlow = (value: unknown): string =>
  typeof value === 'string' ? doubleQuoted(value) : JSON.stringify(value);

export const eolOf = (text: string): string => (/\r\n/.test(text) ? '\r\n' : '\n');

export const columnOf = (text: string, offset: number): number => offset - (text.lastIndexOf('\n', offset - 1) + 1);

/** JSON leaves some characters raw that YAML calls a line break or does not print. */
const doubleQuoted = (value: string): string =>
  JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
const isPrintable = (value: string): boolean => !/[\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]/u.test(value);
