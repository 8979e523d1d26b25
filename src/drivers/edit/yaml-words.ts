/**
 * Which texts may stand in YAML without quotes. Readers differ: YAML 1.2 takes `no` for a text, YAML 1.1 (kubectl, Helm, PyYAML)
 * for false; `12:30:45` is a number in base 60 there, `1_000` a thousand, `2024-06-27` a day. A text stands without quotes only
 * where every reader takes it for that text.
 */
export function isPlainFor(text: string): boolean {
  return hasPlainForm(text) && !WORD.test(text) && !isNumberLike(text) && !TIME.test(text);
}

const WORD = /^(?:y|n|yes|no|on|off|true|false|null|~|=|<<)$/i;
const TIME = /^\d{4}-\d\d?-\d\d?(?:$|[Tt ])/;
const NUMBERS = [
  // Infinity and not-a-number.
  /^[-+]?\.(?:inf|nan)$/i,
  // Binary, octal and hexadecimal.
  /^[-+]?0[box][\da-f_,]*$/i,
  // Base 60.
  /^[-+]?\d[\d_,]*(?::\d{1,2})+(?:\.[\d_]*)?$/,
  // Integers and floats, with underscores as YAML 1.1 and commas as Ruby takes them.
  /^[-+]?(?:\d[\d_,]*)?\.?[\d_,]*(?:e[-+]?[\d_]*)?$/i,
];

const isNumberLike = (text: string): boolean => /^[-+.\d]/.test(text) && NUMBERS.some((each) => each.test(text));

/** What the syntax needs, in a block: no indicator in front, no `: ` or ` #` within, one line, nothing that does not print. */
function hasPlainForm(text: string): boolean {
  if (text === '' || text !== text.trim() || !isPrintable(text)) return false;
  if (/^[-?:,[\]{}#&*!|>'"%@`=~]/.test(text) && !/^[-?:][^\s,[\]{}]/.test(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text)) return false;
  return !/:(?:\s|$)|\s#/.test(text) && !/[^\S ]/.test(text);
}

/** In braces and brackets, and as a key, a comma, a bracket or a colon would end the word. */
export const isPlainInFlow = (text: string): boolean => /^[\p{L}\p{N}_./@+ -]+$/u.test(text) && isPlainFor(text);

/** A key that needs no quotes for any reader of YAML. */
export const isPlainKey = (text: string): boolean => /^[\p{L}\p{N}_./@+-]+$/u.test(text) && isPlainFor(text);

/** Nothing that a reader takes for a line break, or that YAML does not allow as it is. */
export const isPrintable = (text: string): boolean => !/[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u.test(text);

/** JSON leaves some signs as they are that YAML calls a line break or does not print. */
export const doubleQuoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The text in single quotes, which are doubled inside. */
export const singleQuoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
