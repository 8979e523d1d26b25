import type { CST, Document, Pair, ParsedNode, YAMLMap, YAMLSeq } from 'yaml';
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from 'yaml';
import { PermanentError } from '../driver.ts';
import type { FileDocument, ListNode, MapNode, Node, ScalarNode } from './node.ts';
import { LIMITS, resolved, tooDeep } from './node.ts';
import { columnOf, lineEnd, lineOf } from './text.ts';
import type { Cuts, Nested, Part } from './yaml-parts.ts';
import { CUTS, partsOf } from './yaml-parts.ts';
import { isPlainFor } from './yaml-words.ts';

/** Where a node hangs in its text. */
export interface Place {
  inFlow: boolean;
  /** Of the entry that the node belongs to: its key or its dash. −1 for a document's root. */
  column: number;
  /** Behind the colon or the dash, and behind an anchor and a tag: an inline value can be put here. */
  after: number;
  inList: boolean;
  /** A key in braces without a colon. */
  bare?: boolean;
}

/** The entries of a block, or of braces and brackets. */
export interface Container {
  /** 'none': a pair within brackets that is a map without braces. */
  form: 'block' | 'flow' | 'none';
  /** From the dash, or the key with its anchor and tag, to the end of the value. In document order. */
  items: { key?: string; start: number; end: number }[];
}

/** A YAML text that was read, with what an edit has to know of how it is written. */
export interface YamlSource {
  text: string;
  documents: FileDocument[];
  places: Map<Node, Place>;
  containers: Map<Node, Container>;
  /** Blanks by which maps are indented; lists within maps may stand flush with their key. */
  step: number;
  flushLists: boolean;
}

const OPTIONS = { uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;

/** A part of a text that was read before; one with anchors or aliases means something else elsewhere, and is not kept. */
export type KnownParts = Map<string, { node: MapNode | ListNode; size: number }>;

/** What is kept of the reading. */
export interface ReadOptions {
  /** Only to be looked at: how it is written is not kept. */
  lean: boolean;
  known?: KnownParts;
  cuts?: Cuts;
}

/** Documents with nothing in them, or with comments alone, are left out. */
export function readYaml(text: string, options: ReadOptions): YamlSource & { parts: KnownParts } {
  const parts = partsOf(text, options.cuts ?? CUTS);
  if (parts) {
    const reader = new Reader(text, options);
    try {
      return reader.source([{ root: reader.inParts(parts), end: text.length }]);
    } catch (error) {
      // Whatever is wrong is told as it is in the whole text.
      if (!(error instanceof PermanentError)) throw error;
    }
  }
  const reader = new Reader(text, options);
  // One after the other: a syntax tree is many times as large as what is kept of it.
  const documents: FileDocument[] = [];
  for (const each of compose(text, 0, text.length, options.lean)) documents.push(...reader.document(each));
  return reader.source(documents);
}

function* compose(text: string, start: number, end: number, lean: boolean): Generator<Document.Parsed> {
  const composer = new Composer({ ...OPTIONS, keepSourceTokens: !lean });
  for (const document of composer.compose(tokensOf(text, start, end), true, end)) {
    const [first] = document.errors;
    if (first) throw new PermanentError(`is not usable YAML: line ${lineOf(text, first.pos[0])}: ${first.message}`);
    yield document;
  }
}

/** A text may be made of brackets alone: it is left when it goes too deep, not when memory ends. */
function* tokensOf(text: string, start: number, end: number): Generator<CST.Token> {
  const parser = new Parser();
  parser.offset = start;
  let flow = 0;
  for (const lexeme of new Lexer().lex(text.slice(start, end))) {
    if (lexeme === '[' || lexeme === '{') flow += 1;
    else if (lexeme === ']' || lexeme === '}') flow -= 1;
    // Each level takes two places of the parser's stack at most.
    if (flow > LIMITS.depth || parser.stack.length > 2 * LIMITS.depth) throw tooDeep();
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

class Reader {
  readonly places = new Map<Node, Place>();
  readonly containers = new Map<Node, Container>();
  readonly #text: string;
  #anchors = new Map<string, ScalarNode | MapNode | ListNode>();
  /** What a node grows to when its aliases are counted with all that they stand for. */
  readonly #sizes = new Map<Node, number>();
  #step: number | undefined;
  #flush: boolean | undefined;
  #depth = 0;
  readonly #lean: boolean;
  readonly #known: KnownParts | undefined;
  readonly #parts: KnownParts = new Map();
  /** Whether an anchor or an alias was met; a part's, while parts are read. */
  #shares = false;

  constructor(text: string, { lean, known }: ReadOptions) {
    this.#text = text;
    this.#lean = lean;
    this.#known = known;
  }

  source(documents: FileDocument[]): YamlSource & { parts: KnownParts } {
    const { places, containers } = this;
    const style = { step: this.#step ?? 2, flushLists: this.#flush ?? false };
    return { text: this.#text, documents, places, containers, parts: this.#parts, ...style };
  }

  /** The map or list that the parts make. */
  inParts(parts: Part[], place: Place = ROOT): MapNode | ListNode {
    this.#depth += 1;
    const read = parts.map((part): MapNode | ListNode => {
      if (!('parts' in part)) return this.#part(part.start, part.end, place);
      const head = this.#part(part.start, part.head, place);
      const [key] = head.kind === 'map' ? head.keys : [];
      if (head.kind !== 'map' || key === undefined || head.keys.length > 1) throw unfit();
      const { column, after } = this.#nestedPlace(part);
      const value = this.inParts(part.parts, { inFlow: false, column, after, inList: false });
      const whole: MapNode = { ...head, entries: new Map<string, Node>([[key, value]]), end: value.end };
      if (!this.#lean)
        this.containers.set(whole, { form: 'block', items: [{ key, start: head.start, end: value.end }] });
      return this.#sized(whole, 1 + this.#sizes.get(value)!);
    });
    this.#depth -= 1;
    const joined = read.length === 1 ? read[0]! : this.#joined(read);
    if (!this.#lean) this.places.set(joined, place === ROOT ? { ...ROOT, after: joined.start } : place);
    return joined;
  }

  /** The key of a nested part has neither quotes nor blanks around it. */
  #nestedPlace({ start, head }: Nested): { column: number; after: number } {
    const line = this.#text.slice(start, head);
    return { column: line.search(/\S/), after: start + /:[ ]*(?:#.*)?\r?\n$/.exec(line)!.index + 1 };
  }

  #part(start: number, end: number, place: Place): MapNode | ListNode {
    const text = this.#text.slice(start, end);
    const known = this.#known?.get(text);
    if (known) {
      this.#parts.set(text, known);
      this.#sizes.set(known.node, known.size);
      return known.node;
    }
    this.#shares = false;
    const [document, ...more] = [...compose(this.#text, start, end, this.#lean)];
    const { contents } = document ?? {};
    if (more.length > 0 || !(isMap(contents) || isSeq(contents)) || contents.flow || contents.anchor) throw unfit();
    const read = this.#node(contents, place);
    if (read.kind !== 'map' && read.kind !== 'list') throw unfit();
    if (!this.#shares) this.#parts.set(text, { node: read, size: this.#sizes.get(read)! });
    return read;
  }

  #joined(read: (MapNode | ListNode)[]): MapNode | ListNode {
    const [first] = read as [MapNode | ListNode];
    const span = { start: first.start, end: read.at(-1)!.end };
    let joined: MapNode | ListNode;
    if (first.kind === 'list') {
      if (!read.every((each) => each.kind === 'list')) throw unfit();
      joined = { kind: 'list', items: read.flatMap(({ items }) => items), ...span };
    } else {
      const entries = new Map<string, Node>();
      for (const each of read) {
        if (each.kind !== 'map') throw unfit();
        for (const [key, value] of each.entries) {
          if (entries.has(key)) throw unfit();
          entries.set(key, value);
        }
      }
      const maps = read as MapNode[];
      const merges = maps.flatMap((each) => each.merges ?? []);
      const more = merges.length > 0 ? { merges } : {};
      joined = { kind: 'map', entries, keys: maps.flatMap(({ keys }) => keys), ...more, ...span };
    }
    if (!this.#lean)
      this.containers.set(joined, {
        form: 'block',
        items: read.flatMap((each) => this.containers.get(each)!.items),
      });
    return this.#sized(
      joined,
      read.reduce((sum, each) => sum + this.#sizes.get(each)!, 0),
    );
  }

  document(document: Document.Parsed): FileDocument[] {
    this.#anchors = new Map();
    const { contents } = document;
    if (!contents || (isScalar(contents) && contents.range[0] === contents.range[1])) return [];
    const root = this.#node(contents, { inFlow: false, column: -1, after: contents.range[0], inList: false });
    return [{ root, end: document.range[1] }];
  }

  #node(node: ParsedNode, place: Place): Node {
    if (this.#depth > LIMITS.depth) throw tooDeep();
    this.#depth += 1;
    const read = this.#read(node, place);
    this.#depth -= 1;
    if (!this.#lean) this.places.set(read, place);
    if (read.kind === 'alias' || read.anchor !== undefined) this.#shares = true;
    if (read.kind !== 'alias' && read.anchor !== undefined) this.#anchors.set(read.anchor, read);
    return read;
  }

  #read(node: ParsedNode, place: Place): Node {
    const [start, end] = node.range;
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (!target) {
        const line = lineOf(this.#text, start);
        throw new PermanentError(
          `line ${line}: the alias *${node.source} stands for no anchor above it, or for itself`,
        );
      }
      return this.#sized({ kind: 'alias', name: node.source, target, start, end }, this.#sizes.get(target) ?? 1);
    }
    const anchor = node.anchor === undefined ? {} : { anchor: node.anchor };
    if (isMap(node)) return this.#map(node, place, anchor);
    if (isSeq(node)) return this.#list(node, place, anchor);
    return { ...this.#scalar(node), ...anchor };
  }

  #scalar(node: ParsedNode): ScalarNode {
    if (!isScalar(node)) throw new PermanentError('holds a value that is neither a map, a list nor a scalar');
    const [start, valueEnd] = node.range;
    const value = node.value as ScalarNode['value'];
    const type = node.type ?? 'PLAIN';
    if (type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED') {
      const style = type === 'BLOCK_LITERAL' ? 'LITERAL' : 'FOLDED';
      return { kind: 'scalar', value, style, start, end: blockEnd(this.#text, start, valueEnd) };
    }
    const style = type === 'QUOTE_SINGLE' ? 'SINGLE' : type === 'QUOTE_DOUBLE' ? 'DOUBLE' : 'PLAIN';
    const source = node.source ?? '';
    const odd =
      style === 'PLAIN' &&
      (typeof value === 'number' ? source !== String(value) : typeof value === 'string' && !isPlainFor(value));
    // A plain text of several lines is one text for every reader, and is not written like that.
    const written = odd && this.#text.slice(start, valueEnd) === source ? { written: source } : {};
    return { kind: 'scalar', value, style, start, end: valueEnd, ...written };
  }

  #list(node: YAMLSeq.Parsed, place: Place, anchor: { anchor?: string }): ListNode {
    const flow = node.flow === true;
    const tokens = itemsOf(node);
    const items: Node[] = [];
    const spans: Container['items'] = [];
    let size = 1;
    node.items.forEach((each, index) => {
      const token = tokens[index];
      const dash = flow ? undefined : token?.start.find(({ type }) => type === 'seq-item-ind')?.offset;
      const start = dash ?? firstOf(token?.start, each.range[0]);
      const column = columnOf(this.#text, start);
      const after = lastOf(token?.start, dash === undefined ? start : dash + 1);
      const item = this.#node(each, { inFlow: place.inFlow || flow, column, after, inList: true });
      items.push(item);
      spans.push({ start, end: Math.max(item.end, after) });
      size += this.#sizes.get(item) ?? 1;
    });
    const form = flow ? 'flow' : 'block';
    if (form === 'block' && !place.inList && place.column >= 0)
      this.#flush ??= columnOf(this.#text, node.range[0]) === place.column;
    const read: ListNode = { kind: 'list', items, ...anchor, ...this.#span(node, form, spans) };
    return this.#contained(read, { form, items: spans }, size);
  }

  #map(node: YAMLMap.Parsed, place: Place, anchor: { anchor?: string }): MapNode {
    const form = node.flow !== true ? 'block' : this.#text[node.range[0]] === '{' ? 'flow' : 'none';
    const tokens = itemsOf(node);
    const entries = new Map<string, Node>();
    const merges: Node[] = [];
    const spans: Container['items'] = [];
    let size = 1;
    node.items.forEach((pair, index) => {
      const token = (pair as { srcToken?: CST.CollectionItem }).srcToken ?? tokens[index];
      const key = this.#keyOf(pair);
      const keyStart = firstOf(token?.start, pair.key.range[0]);
      const column = columnOf(this.#text, keyStart);
      const after = lastOf(token?.sep, pair.key.range[1]);
      const within = { inFlow: place.inFlow || form !== 'block', column, after, inList: false };
      const bare = !token?.sep?.some(({ type }) => type === 'map-value-ind');
      const value = pair.value
        ? this.#node(pair.value, within)
        : this.#absent(after, bare ? { ...within, bare } : within);
      size += this.#sizes.get(value) ?? 1;
      const isMerge = key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN' && canMerge(value);
      spans.push({ key: isMerge ? '<<' : key, start: keyStart, end: Math.max(value.end, after) });
      const merged = resolved(value);
      if (isMerge) merges.push(...(merged.kind === 'list' ? merged.items : [value]));
      else if (entries.has(key))
        throw new PermanentError(
          `line ${lineOf(this.#text, keyStart)}: the key ${JSON.stringify(key)} stands twice in one map`,
        );
      else entries.set(key, value);
    });
    if (form === 'block' && place.column >= 0 && !place.inList) {
      const step = columnOf(this.#text, spans[0]!.start) - place.column;
      if (step > 0) this.#step ??= step;
    }
    const more = merges.length > 0 ? { merges } : {};
    const keys = spans.map((each) => each.key!);
    const read: MapNode = { kind: 'map', entries, keys, ...more, ...anchor, ...this.#span(node, form, spans) };
    return this.#contained(read, { form, items: spans }, size);
  }

  #contained<N extends ListNode | MapNode>(read: N, container: Container, size: number): N {
    if (!this.#lean) this.containers.set(read, container);
    return this.#sized(read, size);
  }

  /** A block ends with its last entry: what the parser counts to it are blank lines and comments. */
  #span(node: ParsedNode, form: Container['form'], spans: Container['items']): { start: number; end: number } {
    const [start, end] = node.range;
    return form === 'block' ? { start: spans[0]?.start ?? start, end: spans.at(-1)?.end ?? end } : { start, end };
  }

  /** A key in braces without a colon. */
  #absent(at: number, place: Place): ScalarNode {
    const node: ScalarNode = { kind: 'scalar', value: null, style: 'PLAIN', start: at, end: at };
    if (!this.#lean) this.places.set(node, place);
    return node;
  }

  /** Keys are named as they stand: `1.10` and `1.1` are two keys, whatever numbers they are. */
  #keyOf({ key }: Pair<ParsedNode, ParsedNode | null>): string {
    if (isAlias(key)) {
      this.#shares = true;
      const target = this.#anchors.get(key.source);
      return target?.kind === 'scalar' ? (target.written ?? String(target.value)) : `*${key.source}`;
    }
    if (!isScalar(key)) return this.#text.slice(key.range[0], key.range[1]);
    if (key.anchor !== undefined) {
      this.#shares = true;
      this.#anchors.set(key.anchor, this.#scalar(key));
    }
    return typeof key.value === 'string' ? key.value : (key.source ?? '');
  }

  #sized<T extends Node>(node: T, size: number): T {
    if (size > LIMITS.values)
      throw new PermanentError(`holds more than ${LIMITS.values} values, with those that its aliases repeat`);
    this.#sizes.set(node, size);
    return node;
  }
}

const ROOT: Place = { inFlow: false, column: -1, after: 0, inList: false };

/** The parts do not make one whole: the text is read as it stands. */
const unfit = (): PermanentError => new PermanentError('cannot be read in parts');

const canMerge = (node: Node): boolean => {
  const target = node.kind === 'alias' ? node.target : node;
  if (target.kind === 'list') return target.items.every((each) => each.kind !== 'list' && canMerge(each));
  return target.kind === 'map';
};

/** The parser's items that became entries: comments at the end of a block are items of their own. */
function itemsOf(node: ParsedNode): CST.CollectionItem[] {
  const token = node.srcToken as CST.BlockMap | CST.BlockSequence | CST.FlowCollection | undefined;
  if (!token || !('items' in token)) return [];
  return (token.items as CST.CollectionItem[]).filter(
    ({ start, key, sep, value }) => key ?? sep ?? value ?? start.some(({ type }) => ENTRY.has(type)),
  );
}

const ENTRY = new Set(['seq-item-ind', 'explicit-key-ind', 'anchor', 'tag']);

/** Where an entry begins: its question mark, anchor or tag, or else its key or value. */
function firstOf(tokens: CST.SourceToken[] | undefined, otherwise: number): number {
  return tokens?.find(({ type }) => type !== 'seq-item-ind' && ENTRY.has(type))?.offset ?? otherwise;
}

/** The end of the last mark: colon, dash, anchor or tag. */
function lastOf(tokens: CST.SourceToken[] | undefined, otherwise: number): number {
  const last = tokens?.findLast(({ type }) => type === 'map-value-ind' || ENTRY.has(type));
  return last ? Math.max(otherwise, last.offset + last.source.length) : otherwise;
}

/** A block scalar ends with its last line that is not blank, or in the line of its header; one that keeps blank lines with them. */
function blockEnd(text: string, start: number, end: number): number {
  if (/^[|>]\d?\+/.test(text.slice(start, start + 3)))
    return end - (/\r?\n$/.exec(text.slice(start, end))?.[0].length ?? 0);
  const trimmed = text.slice(start, end).trimEnd().length;
  return lineEnd(text, start + trimmed);
}
