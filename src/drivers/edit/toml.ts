import type { AST } from 'toml-eslint-parser';
import { ParseError, parseTOML } from 'toml-eslint-parser';
import { PermanentError } from '../driver.ts';
import { rebuildFlow } from './flow.ts';
import type { FileDocument, ListNode, MapNode, Node, ScalarNode, Slot, Source, Spans, Want, Writer } from './node.ts';
import { bracketed } from './node.ts';
import type { Edit } from './text.ts';
import { eolOf, insertion, lineEnd } from './text.ts';
import { doubleQuoted, isPrintable } from './yaml-words.ts';

/**
 * TOML, by a parser that reports places: values change where they stand, lists and tables in brackets and braces entry by entry,
 * and a key is added below the last one of its table. Tables with a header are neither added nor taken away.
 */
export function tomlSource(text: string): Source {
  const spans: Spans = new Map();
  const root = tableAt(0);
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text.replace(/^\uFEFF/, ' '), { tomlVersion: '1.0' });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new PermanentError(`line ${error.lineNumber} is not TOML: ${error.message}`);
  }
  const [top] = program.body;
  for (const each of top.body) {
    if (each.type === 'TOMLKeyValue') put(text, spans, root, each);
    else {
      const table = within(root, each.resolvedKey, each.range[1]);
      table.end = Math.max(table.end, lineEnd(text, each.key.range[1]));
      for (const pair of each.body) put(text, spans, table, pair);
    }
  }
  return { documents: [{ root, end: text.length }], writer: new TomlWriter(text, spans) };
}

const tableAt = (at: number): MapNode => ({ kind: 'map', entries: new Map(), keys: [], start: at, end: at });

/** The table of a header; `[[x]]` makes a list of tables. */
function within(root: MapNode, path: (string | number)[], at: number): MapNode {
  let node: MapNode | ListNode = root;
  for (const [index, key] of path.entries()) {
    const known: Node | undefined = node.kind === 'map' ? node.entries.get(String(key)) : node.items[key as number];
    let next = known as MapNode | ListNode | undefined;
    if (!next) {
      next = typeof path[index + 1] === 'number' ? { kind: 'list', items: [], start: at, end: at } : tableAt(at);
      addTo(node, key, next);
    }
    node = next;
  }
  return node as MapNode;
}

function addTo(node: MapNode | ListNode, key: string | number, child: Node): void {
  if (node.kind === 'list') node.items.push(child);
  else {
    node.entries.set(String(key), child);
    node.keys.push(String(key));
  }
}

function put(text: string, spans: Spans, table: MapNode, pair: AST.TOMLKeyValue): void {
  const keys = pair.key.keys.map((each) => (each.type === 'TOMLBare' ? each.name : each.value));
  const parent = within(table, keys.slice(0, -1), pair.range[1]);
  addTo(parent, keys.at(-1)!, nodeOf(text, spans, pair.value));
  table.end = pair.range[1];
}

function nodeOf(text: string, spans: Spans, node: AST.TOMLContentNode): Node {
  const [start, end] = node.range;
  if (node.type === 'TOMLArray') {
    const items = node.elements.map((each) => nodeOf(text, spans, each));
    return bracketed(items, start, end, spans);
  }
  if (node.type === 'TOMLInlineTable') {
    const map: MapNode = { ...tableAt(start), end };
    for (const pair of node.body) put(text, spans, map, pair);
    map.end = end;
    // A dotted key makes tables that have no braces of their own.
    if (node.body.every(({ key }) => key.keys.length === 1))
      spans.set(
        map,
        node.body.map(({ range }, index) => ({ key: map.keys[index], start: range[0], end: range[1] })),
      );
    return map;
  }
  const source = text.slice(start, end);
  if (node.kind === 'string') {
    const style = node.style === 'literal' && !node.multiline ? 'SINGLE' : 'DOUBLE';
    return { kind: 'scalar', value: node.value, style, start, end };
  }
  if (node.kind === 'boolean') return { kind: 'scalar', value: node.value, style: 'PLAIN', start, end };
  if (node.kind === 'integer' || node.kind === 'float') {
    const written = source === String(node.value) ? {} : { written: source };
    return { kind: 'scalar', value: node.value, style: 'PLAIN', start, end, ...written };
  }
  // A date or a time, which only TOML knows: it is copied as it is written.
  return { kind: 'scalar', value: source, written: source, style: 'PLAIN', start, end };
}

class TomlWriter implements Writer {
  readonly #text: string;
  readonly #spans: Spans;

  constructor(text: string, spans: Spans) {
    this.#text = text;
    this.#spans = spans;
  }

  replace(node: Node, want: Want): Edit[] {
    if (node.kind !== 'scalar' && !this.#spans.has(node))
      throw new PermanentError('a TOML table with a header cannot become another kind of value');
    return [{ start: node.start, end: node.end, text: print(want, node.kind === 'scalar' ? node.style : 'DOUBLE') }];
  }

  rebuild(node: MapNode | ListNode, slots: Slot[]): Edit[] {
    const items = this.#spans.get(node);
    if (!items) return this.#addLines(node, slots);
    const pieces = slots.map((slot) => {
      if ('from' in slot) return slot;
      const value = print(slot.want, 'DOUBLE');
      return { text: node.kind === 'list' ? value : `${keyOf(slot.key!)} = ${value}` };
    });
    const style = { comment: '#', blank: ' ', first: '', last: '' } as const;
    return [rebuildFlow(this.#text, { open: node.start + 1, close: node.end - 1, items }, pieces, style)];
  }

  begin({ end }: FileDocument, want: Want): Edit[] {
    return want.kind === 'map' ? [insertion(end, this.#lines([...want.entries]))] : [];
  }

  #addLines(node: MapNode | ListNode, slots: Slot[]): Edit[] {
    const kept = slots.flatMap((each) => ('from' in each ? [each] : []));
    if (node.kind === 'list' || kept.length !== node.keys.length || kept.some(({ from }, index) => from !== index))
      throw new PermanentError(
        'TOML tables with a header are neither added nor taken away, nor are keys taken from them',
      );
    const added = slots.flatMap((each): [string, Want][] => ('from' in each ? [] : [[each.key!, each.want]]));
    const edits = kept.flatMap((each) => each.edits);
    if (node.end === 0) return [...edits, insertion(this.#text.startsWith('\uFEFF') ? 1 : 0, this.#lines(added))];
    const at = lineEnd(this.#text, node.end);
    return [...edits, insertion(at, eolOf(this.#text) + this.#lines(added).trimEnd())];
  }

  #lines(entries: [string, Want][]): string {
    return entries.map(([key, want]) => `${keyOf(key)} = ${print(want, 'DOUBLE')}${eolOf(this.#text)}`).join('');
  }
}

const keyOf = (key: string): string => (/^[\w-]+$/.test(key) ? key : doubleQuoted(key));

function print(want: Want, like: ScalarNode['style']): string {
  if (want.kind === 'list') return `[${want.items.map((each) => print(each, 'DOUBLE')).join(', ')}]`;
  if (want.kind === 'map') {
    const pairs = [...want.entries].map(([key, each]) => `${keyOf(key)} = ${print(each, 'DOUBLE')}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  const { value, written } = want;
  if (value === null) throw new PermanentError('TOML has no null');
  if (typeof value !== 'string') return written ?? String(value);
  if (written !== undefined) return written;
  return like === 'SINGLE' && isPrintable(value) && !value.includes("'") ? `'${value}'` : doubleQuoted(value);
}
