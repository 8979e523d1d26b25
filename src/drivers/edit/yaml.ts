import type { Document, ParsedNode } from 'yaml';
import { isAlias, isCollection, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { PermanentError } from '../driver.ts';
import type { Format } from './document.ts';
import type { Location } from './jsonpath.ts';
import { wordsFor } from './jsonpath.ts';
import { columnOf, eolOf, renderBlock, renderFlow, renderScalar } from './yaml-text.ts';

/**
 * Edits the source text by the ranges that the parser reports, instead of printing the document again: printing keeps
 * comments but moves them, and changes quotes, indentation and line breaks all over the file.
 */
export const yamlFormat: Format = {
  read(text) {
    const document = documentOf(text);
    let value: unknown;
    try {
      value = document?.toJS();
    } catch (error) {
      // Aliases that multiply without end.
      throw new PermanentError(`is not usable YAML: ${error instanceof Error ? error.message : 'unknown reason'}`);
    }
    return {
      value,
      numberText(location) {
        const node = document && follow(document, location)?.node;
        return isScalar(node) && typeof node.value === 'number' ? node.source : undefined;
      },
    };
  },

  replace(text, location, value, verbatim) {
    const found = placeOf(text, location);
    const { node, inFlow } = found;
    const [start, end] = rangeOf(text, node);
    const scalar = typeof value !== 'object' || value === null;
    // A list may stand no further in than its key (`key:` above `- a`); nothing else may.
    const flush = isSeq(node) && !inFlow && columnOf(text, start) === columnOf(text, found.keyStart ?? -1);
    const indent = flush ? '  ' : '';
    if (scalar || inFlow || isAlias(node)) {
      const like = isScalar(node) ? node.type : undefined;
      const written = verbatim ?? (scalar ? renderScalar(value, like, inFlow) : renderFlow(value));
      return spliceScalar(text, start, end, indent + written);
    }
    if (isCollection(node) && !node.flow)
      return splice(text, start, end, indent + renderBlock(value, columnOf(text, start) + indent.length, eolOf(text)));
    // A scalar or a flow collection becomes a block: below its key, indented by two more.
    const column = columnOf(text, found.keyStart ?? start);
    if (found.keyStart === undefined) return splice(text, start, end, renderFlow(value));
    const block = renderBlock(value, column + 2, eolOf(text));
    const trimmed = text.slice(0, start).replace(/[ \t]+$/, '');
    if (block.startsWith('{') || block.startsWith('[')) return `${trimmed} ${block}${text.slice(end)}`;
    return `${trimmed}${eolOf(text)}${' '.repeat(column + 2)}${block}${text.slice(end)}`;
  },

  add(text, location, value, verbatim) {
    const key = location.at(-1)!;
    const scalar = typeof value !== 'object' || value === null;
    const eol = eolOf(text);
    const document = documentOf(text);
    if (
      location.length === 1 &&
      (!document?.contents || (isScalar(document.contents) && document.contents.value === null))
    )
      return `${text}${text === '' || text.endsWith('\n') ? '' : eol}${entry(key, 0)}${eol}`;

    const { node: parent, inFlow } = placeOf(text, location.slice(0, -1));
    if (!isCollection(parent))
      throw new PermanentError(`${wordsFor(location.slice(0, -1))} is neither a map nor a list`);
    const [start, end] = rangeOf(text, parent);
    if (inFlow || parent.flow) {
      const item = typeof key === 'number' ? flowValue() : `${renderScalar(key, undefined, true)}: ${flowValue()}`;
      // Before the closing bracket, and before the blanks in front of it.
      const inner = text.slice(start + 1, end - 1);
      const at = start + 1 + inner.trimEnd().length;
      const separator = parent.items.length === 0 ? '' : inner.trimEnd().endsWith(',') ? ' ' : ', ';
      return splice(text, at, at, separator + item);
    }
    const column = columnOf(text, start);
    const line = text.indexOf('\n', Math.max(start, end - 1));
    const at = line === -1 ? text.length : line + 1;
    const broken = line === -1 ? eol : '';
    return splice(text, at, at, `${broken}${' '.repeat(column)}${entry(key, column)}${line === -1 ? '' : eol}`);

    function flowValue(): string {
      return verbatim ?? (scalar ? renderScalar(value, undefined, true) : renderFlow(value));
    }
    function entry(name: string | number, indent: number): string {
      const head = typeof name === 'number' ? '-' : `${renderScalar(name, undefined, false)}:`;
      if (scalar) return `${head} ${verbatim ?? renderScalar(value, undefined, false)}`;
      const block = renderBlock(value, indent + 2, eol);
      if (typeof name === 'number' || /^[{[]/.test(block)) return `${head} ${block}`;
      return `${head}${eol}${' '.repeat(indent + 2)}${block}`;
    }
  },
};

type Place = { node: ParsedNode; inFlow: boolean; keyStart?: number };

/** Undefined for an empty text. Several documents are refused: a path could not say which one it means. */
function documentOf(text: string): Document.Parsed | undefined {
  const documents = parseAllDocuments(text, { keepSourceTokens: true, prettyErrors: true }) as Document.Parsed[];
  const problem = documents.flatMap((each) => each.errors)[0];
  if (problem) throw new PermanentError(`is not usable YAML: ${problem.message.split('\n')[0]!.replace(/:$/, '')}`);
  if (documents.length > 1)
    throw new PermanentError(`holds ${documents.length} YAML documents: JSON paths can be promoted in a file with one`);
  return documents[0];
}

/** The node at a place, unless an alias lies on the way to it: editing there would change the anchor's value too. */
function follow(document: Document.Parsed, location: Location): Place | undefined {
  let place: Place = { node: document.contents as ParsedNode, inFlow: false };
  for (const key of location) {
    const { node } = place;
    const inFlow = place.inFlow || (isCollection(node) && node.flow === true);
    if (isSeq(node)) {
      const item = node.items[Number(key)];
      if (!item) return undefined;
      place = { node: item, inFlow };
    } else if (isMap(node)) {
      const pair = node.items.find(
        (each) => isScalar(each.key) && `${(each.key.value as string | number | null) ?? ''}` === String(key),
      );
      if (!pair?.value) return undefined;
      place = { node: pair.value, inFlow, keyStart: pair.key.range[0] };
    } else return undefined;
  }
  return place;
}

function placeOf(text: string, location: Location): Place {
  const document = documentOf(text);
  const place = document && follow(document, location);
  if (!place) throw new PermanentError(`${wordsFor(location)} is only reached through an alias (*): edit its anchor`);
  return place;
}

/** Without the blank lines and comments that the parser counts to a block's end. */
function rangeOf(text: string, node: ParsedNode): [number, number] {
  const [start, end] = node.range;
  return [start, isScalar(node) && end === start ? end : start + text.slice(start, end).trimEnd().length];
}

const splice = (text: string, start: number, end: number, replacement: string): string =>
  text.slice(0, start) + replacement + text.slice(end);

/** A missing value (`key:`) has an empty range right after the colon, or right before a comment. */
function spliceScalar(text: string, start: number, end: number, written: string): string {
  const before = start > 0 && !/\s|[[{]/.test(text[start - 1]!) ? ' ' : '';
  const after = start === end && text[end] === '#' ? ' ' : '';
  return splice(text, start, end, before + written + after);
}
