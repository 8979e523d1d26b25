import { PermanentError } from '../driver.ts';
import type { Edit } from './text.ts';

/**
 * What all formats are read into: values with their places in the text. An alias stays an alias, so that an edit knows what
 * stands where and what is only reached from there; `plain` is the view in which paths select.
 */
export type Node = ScalarNode | MapNode | ListNode | AliasNode;

/** A value that has no parts. */
export type ScalarValue = string | number | boolean | null;

/** Where a value stands: keys of maps and indexes of lists, from the root. */
export type Location = (string | number)[];

interface Placed {
  /** The value itself, without anchor, tag, comments and blank lines around it. */
  start: number;
  end: number;
  anchor?: string;
}

/** A value without parts, as it is written in the text. */
export interface ScalarNode extends Placed {
  kind: 'scalar';
  value: ScalarValue;
  /** As it is written, where the value alone would lose it: the number 1.10, or `yes`, which readers take differently. */
  written?: string;
  /** PLAIN: without quotes. Whatever stands in quotes, or in a block, is a text for every reader. */
  style: 'PLAIN' | 'SINGLE' | 'DOUBLE' | 'LITERAL' | 'FOLDED';
}

/** A map in the text. */
export interface MapNode extends Placed {
  kind: 'map';
  entries: Map<string, Node>;
  /** In the order of the document, with `<<` where it stands: what slots count. */
  keys: string[];
  /** What `<<` brings in, the strongest first. */
  merges?: Node[];
}

/** A list in the text. */
export interface ListNode extends Placed {
  kind: 'list';
  items: Node[];
}

/** A name that stands for another node, as YAML has it. */
export interface AliasNode extends Placed {
  kind: 'alias';
  name: string;
  target: ScalarNode | MapNode | ListNode;
}

/** A value as a reader of the file has it. */
export type Plain = ScalarValue | Plain[] | { [key: string]: Plain };

/** A map as a reader of the file has it. */
export type PlainMap = { [key: string]: Plain };

/** A map, and no list. */
export const isPlainMap = (value: unknown): value is PlainMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `__proto__` is a key like any other. */
export function setKey(map: PlainMap, key: string, value: Plain): void {
  if (key !== '__proto__') map[key] = value;
  else Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

const views = new WeakMap<Node, Plain>();

/** The values as a reader sees them: aliases and merges resolved. What an alias stands for is shared, not copied. */
export function plain(node: Node): Plain {
  if (node.kind === 'scalar') return node.value;
  const known = views.get(node);
  if (known !== undefined) return known;
  const view =
    node.kind === 'alias' ? plain(node.target) : node.kind === 'list' ? node.items.map(plain) : plainMap(node);
  views.set(node, view);
  return view;
}

function plainMap({ entries, merges }: MapNode): PlainMap {
  const view: PlainMap = {};
  for (const [key, node] of entries) setKey(view, key, plain(node));
  for (const merged of merges ?? []) {
    const from = plain(merged);
    if (!isPlainMap(from)) continue;
    for (const [key, value] of Object.entries(from)) if (!Object.hasOwn(view, key)) setKey(view, key, value);
  }
  return view;
}

/** The node behind an alias. */
export const resolved = (node: Node): ScalarNode | MapNode | ListNode => (node.kind === 'alias' ? node.target : node);

/** The child that a reader sees, with the alias or merge that it is reached through. */
export function childOf(parent: Node, key: string | number): Node | undefined {
  const node = resolved(parent);
  if (node.kind === 'list') return typeof key === 'number' ? node.items[key] : undefined;
  if (node.kind !== 'map' || typeof key !== 'string') return undefined;
  const own = node.entries.get(key);
  if (own) return own;
  for (const merged of node.merges ?? []) {
    const found = childOf(merged, key);
    if (found) return found;
  }
  return undefined;
}

/** The node at this place; undefined where there is none. */
export function nodeAt(root: Node, location: Location): Node | undefined {
  let at: Node | undefined = root;
  for (const key of location) at = at && childOf(at, key);
  return at;
}

/**
 * A part of a value; undefined where there is none, also of what every object inherits. An index is a place of a list and a name a
 * key of a map: 0 never means the key "0", which JavaScript takes for the same.
 */
export function childIn(value: Plain | undefined, key: string | number): Plain | undefined {
  if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;
  return isPlainMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** As people write it: `$.dependencies[0].version`. */
export const wordsFor = (location: Location): string =>
  location.reduce<string>((path, key) => path + stepWords(key), '$');

/** One step of a location as people write it: `.name`, `["odd name"]` or `[0]`. */
export const stepWords = (key: string | number): string =>
  typeof key === 'number'
    ? `[${key}]`
    : /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(key)
      ? `.${key}`
      : `[${JSON.stringify(key)}]`;

/** One document of a file: most have one. */
export interface FileDocument {
  /** Absent where nothing is written. */
  root?: Node;
  /** Where a first key can be added when there is no root. */
  end: number;
}

/** A value to be written, with how its numbers are written. */
export type Want = WantedScalar | { kind: 'map'; entries: Map<string, Want> } | { kind: 'list'; items: Want[] };

/** A value without parts that is to be written. */
export interface WantedScalar {
  kind: 'scalar';
  value: ScalarValue;
  written?: string;
  /** Pinned by an earlier version of Sluice, which did not keep whether a text such as `yes` stood in quotes. */
  loose?: boolean;
  /** A value that is there already may stay as it is written. */
  anyForm?: true;
}

/** What a map or a list is made of after an edit: an entry that was there (with its edits), or a new one. */
export type Slot = { from: number; edits: Edit[] } | { key?: string; want: Want };

/** What a format can do with the text that it has read. */
export interface Writer {
  /** Another value in the place of a node. */
  replace(node: Node, want: Want): Edit[];
  /** The entries of a map, or the elements of a list, in their new order. */
  rebuild(node: MapNode | ListNode, slots: Slot[]): Edit[];
  /** A first value in a document without any. */
  begin(document: FileDocument, want: Want): Edit[];
}

/** A text that was read, and what writes into it. */
export interface Source {
  documents: FileDocument[];
  writer: Writer;
  /** The documents of the text as it is after an edit; what is the same as before need not be read again. */
  read?(after: string): FileDocument[];
}

/** Beyond these a document is refused: it costs more than a configuration may. */
export const LIMITS = {
  /** Levels of maps and lists. */
  depth: 200,
  /** Values of a document, with those that its aliases repeat. */
  values: 2_000_000,
  /** Values that a path may look at. */
  visits: 2_000_000,
  /** Values that the paths of one file may select. */
  selected: 20_000,
};

/** The refusal of a document that is nested too deeply. */
export function tooDeep(): PermanentError {
  return new PermanentError(`is nested more than ${LIMITS.depth} levels deep`);
}

/** Where entries and items stand in the source; an entry begins at its key. */
export type Spans = Map<Node, { key?: string; start: number; end: number }[]>;

/** A list in brackets, whose items stand where they are themselves. */
export function bracketed(items: Node[], start: number, end: number, spans: Spans): ListNode {
  const list: ListNode = { kind: 'list', items, start, end };
  spans.set(
    list,
    items.map((each) => ({ start: each.start, end: each.end })),
  );
  return list;
}
