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

function documentsIn(text: string): string[] {
  const documents: string[] = [];
  // At the beginning of a line the mark is never part of a value.
  for (const piece of text.split(/^(?=---(?:[ \t\r\n]|$))/m)) {
    const before = documents.at(-1);
    if (before !== undefined && /^(\s*(#.*)?\n)*$/.test(before)) documents.splice(-1, 1, before + piece);
    else documents.push(piece);
  }
  if (documents.length === 1) return documents;
  const last = documents.length - 1;
  // The command line joins files with a blank line before the mark.
  return documents
    .map((each) => each.replace(/^---[ \t]*\r?\n/, ''))
    .map((each, at) => (at < last ? each.replace(/\n\n$/, '\n') : each));
}
