import { Parser } from 'yaml';
import type { AnyDefinition, Kind } from '../core/definitions.ts';
import { sameDefinition } from './export.ts';
import { parseManifests } from './parse.ts';

/** Kinds that people edit as text, so that it is kept beside the definition. Their definitions name secrets, and have no secret values. */
const KEPT_AS_TEXT: ReadonlySet<Kind> = new Set<Kind>(['PromotionFlow', 'PromotionWorkflow']);

const NAMED = new RegExp([...KEPT_AS_TEXT].join('|'));

export const isKeptAsText = (kind: Kind): boolean => KEPT_AS_TEXT.has(kind);

/**
 * The documents of an input, byte for byte with their comments, for each definition of a kind that is kept as text, by `Kind/name`. A document that does not
 * read as the same definition by itself is left out. The mark `---` between two documents, and a blank line before it, belong to neither.
 * @param definitions all definitions of the input
 */
export function ownTexts(text: string, definitions: readonly AnyDefinition[]): Map<string, string> {
  const kept = new Map(
    definitions.flatMap((each) => (isKeptAsText(each.kind) ? [[`${each.kind}/${each.metadata.name}`, each]] : [])),
  );
  const own = new Map<string, string>();
  if (kept.size === 0) return own;
  for (const document of documentsIn(text)) {
    // Others need not be read again.
    if (!NAMED.test(document)) continue;
    const read = parseManifests(document);
    const [found, more] = read.definitions;
    if (!found || more || read.errors.length > 0) continue;
    const key = `${found.definition.kind}/${found.definition.metadata.name}`;
    const whole = kept.get(key);
    if (whole && sameDefinition(whole, found.definition)) own.set(key, document);
  }
  return own;
}

/** The text of each document with the marks, comments and empty documents before it. What follows the last one belongs to it. */
function documentsIn(text: string): string[] {
  const begins: number[] = [];
  let isOpen = false;
  let isLast = false;
  for (const token of new Parser().parse(text)) {
    // It closes the document before it.
    if (token.type === 'doc-end') continue;
    if (!isOpen) begins.push(token.offset);
    isLast = token.type === 'document' && token.value !== undefined;
    isOpen = !isLast;
  }
  if (!isLast) begins.pop();
  if (begins.length < 2) return [text];
  const last = begins.length - 1;
  return begins.map((begin, at) => {
    const piece = text.slice(at === 0 ? 0 : begin, begins[at + 1]).replace(/^(?:(?:---)?[ \t]*\r?\n)+/, '');
    // The command line joins files with a blank line before the mark.
    return at < last ? piece.replace(/\n\n$/, '\n') : piece;
  });
}

/**
 * Whether two texts say the same in the same words. What depends on how files are joined or checked out does not count: the ends of lines, the mark of the
 * encoding, and marks `---` and blank lines around the document.
 */
export function sameWords(one: string, other: string): boolean {
  return one === other || wordsOf(one) === wordsOf(other);
}

function wordsOf(text: string): string {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const says = (line: string): boolean => !/^(?:---)?[ \t]*$/.test(line);
  return lines.slice(lines.findIndex(says), lines.findLastIndex(says) + 1).join('\n');
}
