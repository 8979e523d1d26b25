import type { Node as JsonNode, ParseError } from 'jsonc-parser';
import { parseTree, printParseErrorCode } from 'jsonc-parser';
import { PermanentError } from '../driver.ts';
import { rebuildFlow } from './flow.ts';
import type { ListNode, MapNode, Node, Slot, Source, Spans, Want, Writer } from './node.ts';
import { bracketed, LIMITS, tooDeep } from './node.ts';
import type { Edit } from './text.ts';
import { eolOf, insertion, lineOf, lineStart } from './text.ts';

/** JSON, with comments and trailing commas as editors allow them. */
export function jsonSource(text: string): Source {
  const tree = treeOf(text);
  const spans = new Map<Node, { key?: string; start: number; end: number }[]>();
  const root = tree && nodeOf(text, tree, spans, 0);
  return { documents: [{ root, end: text.length }], writer: new JsonWriter(text, spans) };
}

function treeOf(text: string): JsonNode | undefined {
  const errors: ParseError[] = [];
  let root: JsonNode | undefined;
  try {
    root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    throw error;
  }
  const [first] = errors;
  if (!first || (!root && text.trim() === '')) return root;
  throw new PermanentError(`line ${lineOf(text, first.offset)} is not JSON: ${printParseErrorCode(first.error)}`);
}

function nodeOf(text: string, node: JsonNode, spans: Spans, depth: number): Node {
  if (depth > LIMITS.depth) throw tooDeep();
  const { offset: start, length, type } = node;
  const end = start + length;
  const children = node.children ?? [];
  if (type === 'array') {
    const items = children.map((each) => nodeOf(text, each, spans, depth + 1));
    return bracketed(items, start, end, spans);
  }
  if (type !== 'object') {
    const value = node.value as string | number | boolean | null;
    const source = text.slice(start, end);
    const written = type === 'number' && source !== String(value) ? { written: source } : {};
    return { kind: 'scalar', value, style: type === 'string' ? 'DOUBLE' : 'PLAIN', start, end, ...written };
  }
  const entries = new Map<string, Node>();
  const own = children.map(({ children: pair, offset }) => {
    const key = pair![0]!.value as string;
    if (entries.has(key))
      throw new PermanentError(
        `line ${lineOf(text, offset)}: the key ${JSON.stringify(key)} stands twice in one object`,
      );
    const value = nodeOf(text, pair![1]!, spans, depth + 1);
    entries.set(key, value);
    return { key, start: offset, end: value.end };
  });
  const map: MapNode = { kind: 'map', entries, keys: [...entries.keys()], start, end };
  spans.set(map, own);
  return map;
}

class JsonWriter implements Writer {
  readonly #text: string;
  readonly #spans: Spans;
  readonly #eol: string;
  /** One level of indentation; '' in a text of one line. */
  readonly #step: string;
  /** Behind a colon and a comma within a line. */
  readonly #blank: string;

  constructor(text: string, spans: Spans) {
    this.#text = text;
    this.#spans = spans;
    this.#eol = eolOf(text);
    this.#step = /\n([ \t]+)\S/.exec(text)?.[1] ?? '';
    this.#blank = this.#step !== '' || /["\d\]}el][:,] /.test(text) ? ' ' : '';
  }

  replace(node: Node, want: Want): Edit[] {
    return [{ start: node.start, end: node.end, text: this.#print(want, this.#marginOf(node.start)) }];
  }

  rebuild(node: MapNode | ListNode, slots: Slot[]): Edit[] {
    const items = this.#spans.get(node)!;
    const { start, end } = node;
    const inner = this.#text.slice(start + 1, end - 1);
    const margin = this.#marginOf(start);
    // An empty pair of brackets in a text of many lines opens; one with entries stays in its line.
    const isOpen = this.#step !== '' && (items.length === 0 || inner.includes('\n'));
    const deeper = margin === undefined || !isOpen ? undefined : margin + this.#step;
    const pieces = slots.map((slot) => {
      if ('from' in slot) return slot;
      const value = this.#print(slot.want, deeper);
      return { text: node.kind === 'list' ? value : `${JSON.stringify(slot.key)}:${this.#blank}${value}` };
    });
    const first = deeper === undefined ? '' : this.#eol + deeper;
    const last = deeper === undefined ? '' : this.#eol + margin;
    const blank = /,\s/.test(inner) || !inner.includes(',') ? this.#blank : '';
    return [
      rebuildFlow(this.#text, { open: start + 1, close: end - 1, items }, pieces, {
        comment: '//',
        blank,
        first,
        last,
      }),
    ];
  }

  begin({ end }: { end: number }, want: Want): Edit[] {
    return [insertion(end, this.#print(want, undefined))];
  }

  /** The blanks before the line's first sign; undefined where values stay in one line. */
  #marginOf(offset: number): string | undefined {
    if (this.#step === '') return undefined;
    return /^\uFEFF?([ \t]*)/.exec(this.#text.slice(lineStart(this.#text, offset), offset))![1];
  }

  #print(want: Want, margin: string | undefined): string {
    if (want.kind === 'scalar') {
      const { value, written } = want;
      return typeof value === 'number' && written !== undefined && isJsonNumber(written)
        ? written
        : JSON.stringify(value);
    }
    const deeper = margin === undefined ? undefined : margin + this.#step;
    const parts =
      want.kind === 'list'
        ? want.items.map((each) => this.#print(each, deeper))
        : [...want.entries].map(([key, each]) => `${JSON.stringify(key)}:${this.#blank}${this.#print(each, deeper)}`);
    const [open, close] = want.kind === 'list' ? '[]' : '{}';
    if (parts.length === 0) return `${open}${close}`;
    if (deeper === undefined) return `${open}${parts.join(`,${this.#blank}`)}${close}`;
    return `${open}${this.#eol}${deeper}${parts.join(`,${this.#eol}${deeper}`)}${this.#eol}${margin}${close}`;
  }
}

const isJsonNumber = (text: string): boolean => /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text);
