import { PermanentError } from '../driver.ts';
import { rebuildFlow } from './flow.ts';
import type { FileDocument, ListNode, MapNode, Node, ScalarNode, Slot, Want, Writer } from './node.ts';
import type { Edit } from './text.ts';
import { blanksEnd, columnOf, eolOf, insertion, lineEnd, lineStart, sliceEdited } from './text.ts';
import type { Container, Place, YamlSource } from './yaml-read.ts';
import { blockScalar, endingOf } from './yaml-scalar.ts';
import { doubleQuoted, isPlainFor, isPlainInFlow, isPlainKey, isPrintable, singleQuoted } from './yaml-words.ts';

type Style = ScalarNode['style'];

/** Keys longer than this need a form of their own (`? key`). */
const LONGEST_KEY = 1_000;

/** Writes new values in the style of what was there. */
export class YamlWriter implements Writer {
  readonly #source: YamlSource;
  readonly #text: string;
  readonly #eol: string;
  /** Where blocks end that need something of the lines behind them. */
  #endings: Map<number, Edit['ending']> | undefined;

  constructor(source: YamlSource) {
    this.#source = source;
    this.#text = source.text;
    this.#eol = eolOf(source.text);
  }

  replace(node: Node, want: Want): Edit[] {
    const place = this.#source.places.get(node)!;
    const form = this.#source.containers.get(node)?.form;
    const isBlock = form === 'block';
    // Brackets with nothing in them, not even a comment, say nothing of the style.
    const isFlow = form === 'flow' && this.#text.slice(node.start + 1, node.end - 1).trim() !== '';
    if (isInline(want) || place.inFlow || isFlow || form === 'none') {
      if (isBlock) return this.#blockToLine(node, place, this.#inline(want, this.#inLine(node, place), 'PLAIN'));
      return this.#toLine(node, place, want);
    }
    if (isBlock) return this.#blockToBlock(node, place, want);
    return this.#lineToBlock(node, place, want);
  }

  rebuild(node: MapNode | ListNode, slots: Slot[]): Edit[] {
    const container = this.#source.containers.get(node)!;
    const place = this.#source.places.get(node)!;
    if (container.form === 'none')
      throw new PermanentError('a map within brackets without braces cannot get or lose keys');
    const like = neighbourStyle(node);
    if (container.form === 'flow') return [this.#rebuildFlow(node, container, slots, like)];
    if (slots.length === 0) return this.#blockToLine(node, place, node.kind === 'list' ? '[]' : '{}');
    return [this.#rebuildBlock(container, slots, like)];
  }

  begin({ end }: FileDocument, want: Want): Edit[] {
    if (isInline(want)) return [insertion(end, `${this.#inline(want, ROOT, 'PLAIN')}${this.#eol}`)];
    const broken = end > 0 && this.#text[end - 1] !== '\n' && this.#text.slice(0, end) !== '\uFEFF' ? this.#eol : '';
    return [insertion(end, `${broken}${this.#block(want, 0)}${this.#eol}`)];
  }

  /** A scalar, an alias or a flow collection gives way to another inline value. */
  #toLine(node: Node, place: Place, want: Want): Edit[] {
    const style = node.kind === 'scalar' ? node.style : 'PLAIN';
    const isEmpty = node.start === node.end;
    const from = isEmpty ? place.after : node.end;
    // A comment that follows in the line would become part of a block.
    const isLast = this.#text.slice(from, lineEnd(this.#text, from)).trim() === '';
    const within = isLast ? place : { ...place, column: -1 };
    if (isEmpty) {
      const written = this.#inline(want, within, style);
      return [insertion(place.after, `${place.bare ? ':' : ''}${place.column < 0 ? '' : ' '}${written}`)];
    }
    const isBlockScalar = style === 'LITERAL' || style === 'FOLDED';
    if (isBlockScalar && node.kind === 'scalar') {
      const block =
        want.kind === 'scalar' && typeof want.value === 'string'
          ? blockScalar(this.#text, node, place, want.value)
          : undefined;
      const header = this.#text.slice(node.start, lineEnd(this.#text, node.start));
      const comment = /\s+#.*$/.exec(header)?.[0] ?? '';
      const written = block ?? `${this.#inline(want, place, 'DOUBLE')}${comment}`;
      const ending = block === undefined || want.kind !== 'scalar' ? undefined : endingOf(block, String(want.value));
      return [{ start: node.start, end: node.end, text: written, ...(ending && { ending }) }];
    }
    return [{ start: node.start, end: node.end, text: this.#inline(want, within, style) }];
  }

  /** Where a comment stays behind a value, which would become part of a block scalar. */
  #inLine(node: Node, place: Place): Place {
    const line = lineEnd(this.#text, place.after);
    const isAlone = node.start < line || this.#text.slice(place.after, line).trim() === '';
    return isAlone ? place : { ...place, column: -1 };
  }

  /** A block gives way to a value in the line of its key or dash. */
  #blockToLine(node: Node, place: Place, written: string): Edit[] {
    const end = this.#endOf(node);
    if (place.column < 0) return [{ start: node.start, end, text: written }];
    const line = lineEnd(this.#text, place.after);
    if (node.start < line) return [{ start: place.after, end, text: ` ${written}` }];
    return [insertion(place.after, ` ${written}`), { start: line, end, text: '' }];
  }

  #blockToBlock(node: Node, place: Place, want: Want): Edit[] {
    const end = this.#endOf(node);
    const line = place.column < 0 ? -1 : lineEnd(this.#text, place.after);
    if (node.start < line || place.column < 0)
      return [{ start: node.start, end, text: this.#block(want, columnOf(this.#text, node.start)) }];
    const column = this.#columnIn(place, want);
    return [{ start: line, end, text: `${this.#eol}${' '.repeat(column)}${this.#block(want, column)}` }];
  }

  #lineToBlock(node: Node, place: Place, want: Want): Edit[] {
    // What is empty stands right behind the colon, whatever blanks follow.
    const end = node.start === node.end ? place.after : Math.max(node.end, place.after);
    if (place.column < 0) return [{ start: node.start, end: node.end, text: this.#block(want, 0) }];
    const column = this.#columnIn(place, want);
    const line = lineEnd(this.#text, end);
    const comment = this.#text.slice(end, line).trim();
    // Behind a dash the first line of the block may stand in its line; behind an anchor it would take the anchor for its key.
    if (place.inList && comment === '' && this.#text[place.after - 1] === '-')
      return [{ start: place.after, end, text: ` ${this.#block(want, place.column + 2)}` }];
    const block = `${this.#eol}${' '.repeat(column)}${this.#block(want, column)}`;
    return [{ start: place.after, end, text: '' }, insertion(line, block)];
  }

  #columnIn(place: Place, want: Want): number {
    if (place.inList) return place.column + 2;
    if (want.kind === 'list' && this.#source.flushLists) return place.column;
    return place.column + this.#source.step;
  }

  #rebuildFlow(node: MapNode | ListNode, { items }: Container, slots: Slot[], like: Style): Edit {
    const { start, end } = node;
    const inner = this.#text.slice(start + 1, end - 1);
    const blank = /,\s/.test(inner) || !/,/.test(inner) ? ' ' : '';
    const pieces = slots.map((slot) => {
      if ('from' in slot) return slot;
      const value = this.#inline(slot.want, IN_FLOW, like);
      return { text: node.kind === 'list' ? value : `${this.#key(slot.key!, true)}: ${value}` };
    });
    return rebuildFlow(this.#text, { open: start + 1, close: end - 1, items }, pieces, {
      comment: '#',
      blank,
      first: '',
      last: '',
    });
  }

  /** Whole lines change places: each entry keeps its own, with the comments right above and deeper below. */
  #rebuildBlock({ items }: Container, slots: Slot[], like: Style): Edit {
    const text = this.#text;
    const column = columnOf(text, items[0]!.start);
    const ends = items.map(({ end }) => this.#ownEnd(end, column));
    // The first entry may stand behind a dash, or behind the mark of a document.
    const firstLine = lineStart(text, items[0]!.start);
    const isInline = text.slice(firstLine, items[0]!.start).replace('\uFEFF', '').trim() !== '';
    const leads = items.map(({ start }, index) =>
      index === 0
        ? isInline
          ? start
          : this.#leadOf(start, column, 0)
        : this.#leadOf(start, column, ends[index - 1]! + 1),
    );
    const endings = slots.map((slot) => {
      // Comments further in stand between the block and what follows.
      if (!('from' in slot) || items[slot.from]!.end !== ends[slot.from]) return undefined;
      return this.#endingOf(ends[slot.from]!, slot.edits);
    });
    const margin = ' '.repeat(column);
    const parts = slots.map((slot, at) => {
      const first = at === 0;
      if (!('from' in slot)) {
        const head = slot.key === undefined ? '-' : `${this.#key(slot.key, false)}:`;
        return `${first && isInline ? '' : margin}${head}${this.#value(slot.want, column, slot.key === undefined, like)}`;
      }
      // Comments above cannot come along into the middle of a line.
      const start = first && isInline ? items[slot.from]!.start : leads[slot.from]!;
      const own = sliceEdited(text, start, ends[slot.from]!, slot.edits);
      // What was written at the end of a file without a last line break brought one along.
      const isAdded = endings[at] !== undefined && slot.edits.some((each) => each.end === text.length);
      const kept = isAdded ? own.replace(/\r?\n$/, '') : own;
      return slot.from === 0 && isInline && !first ? margin + kept : kept;
    });
    // A block that counts blank lines has its own: those that stood there would be counted, too.
    const behind = (end: number, ending: Edit['ending']): number => (ending === 'KEPT' ? blanksEnd(text, end) : end);
    const between = (at: number): string => {
      const slot = slots[at]!;
      if (!('from' in slot)) return this.#eol;
      const next = leads[slot.from + 1];
      if (next === undefined) return this.#eol;
      // Blank lines and loose comments stay behind the entry that they follow.
      return text.slice(behind(ends[slot.from]!, endings[at]), next);
    };
    const out = parts.map((part, at) => (at === parts.length - 1 ? part : part + between(at))).join('');
    const ending = endings.at(-1);
    const end = behind(ends.at(-1)!, ending);
    const broken = ending && end === text.length ? this.#eol : '';
    return { start: leads[0]!, end, text: out + broken, ...(ending && { ending }) };
  }

  /** What the block at the end of an entry, if there is one, needs of the lines behind it after the edits of the entry. */
  #endingOf(end: number, edits: Edit[]): Edit['ending'] {
    const last = edits.findLast((each) => each.end >= end);
    if (last) return last.ending;
    this.#endings ??= new Map(
      [...this.#source.places.keys()].flatMap((node) =>
        node.kind === 'scalar' && (node.style === 'LITERAL' || node.style === 'FOLDED')
          ? [[node.end, endingOf(this.#text.slice(node.start, node.end), String(node.value))]]
          : [],
      ),
    );
    return this.#endings.get(end);
  }

  /** The line of the first comment that stands right above the entry, in its column; the entry's own line otherwise. */
  #leadOf(start: number, column: number, limit: number): number {
    let lead = lineStart(this.#text, start);
    while (lead > limit) {
      const above = lineStart(this.#text, lead - 1);
      if (above < limit) break;
      const line = this.#text.slice(above, lead);
      if (!line.trimStart().startsWith('#') || line.length - line.trimStart().length !== column) break;
      lead = above;
    }
    return lead;
  }

  #endOf(node: Node): number {
    const { items } = this.#source.containers.get(node)!;
    return this.#ownEnd(items.at(-1)?.end ?? node.end, columnOf(this.#text, items[0]?.start ?? node.start));
  }

  /** The end of the entry's last line, and of the comments below it that stand further in. */
  #ownEnd(end: number, column: number): number {
    let last = lineEnd(this.#text, end);
    let at = last;
    while (at < this.#text.length) {
      const next = this.#text.indexOf('\n', at) + 1;
      if (next === 0 || next >= this.#text.length) break;
      const stop = lineEnd(this.#text, next);
      const line = this.#text.slice(next, stop);
      const inner = line.trimStart();
      if (inner !== '' && !inner.startsWith('#')) break;
      if (inner !== '' && line.length - inner.length <= column) break;
      if (inner !== '') last = stop;
      at = stop;
    }
    return last;
  }

  /** A map or list as a block, its first line where it is put, the others indented by `column`. */
  #block(want: Want, column: number): string {
    if (want.kind === 'scalar') return this.#inline(want, { inFlow: false, column, after: 0, inList: true }, 'PLAIN');
    const lines =
      want.kind === 'list'
        ? want.items.map((each) => `-${this.#value(each, column, true, 'PLAIN')}`)
        : [...want.entries].map(
            ([key, each]) => `${this.#key(key, false)}:${this.#value(each, column, false, 'PLAIN')}`,
          );
    return lines.join(this.#eol + ' '.repeat(column));
  }

  /** What follows the colon or the dash of a new entry. */
  #value(want: Want, column: number, inList: boolean, like: Style): string {
    const place: Place = { inFlow: false, column, after: 0, inList };
    if (isInline(want)) return ` ${this.#inline(want, place, like)}`;
    if (inList) return ` ${this.#block(want, column + 2)}`;
    const inner = this.#columnIn(place, want);
    return `${this.#eol}${' '.repeat(inner)}${this.#block(want, inner)}`;
  }

  #key(key: string, inFlow: boolean): string {
    if (key.length > LONGEST_KEY)
      throw new PermanentError(`the key ${JSON.stringify(key.slice(0, 40))}… is too long to be added`);
    return isPlainKey(key) || (!inFlow && /^[\w./@+ -]+$/.test(key) && isPlainFor(key)) ? key : doubleQuoted(key);
  }

  #inline(want: Want, place: Place, like: Style): string {
    if (want.kind === 'list') return `[${want.items.map((each) => this.#inline(each, IN_FLOW, 'PLAIN')).join(', ')}]`;
    if (want.kind === 'map') {
      const pairs = [...want.entries].map(
        ([key, each]) => `${this.#key(key, true)}: ${this.#inline(each, IN_FLOW, 'PLAIN')}`,
      );
      return `{${pairs.join(', ')}}`;
    }
    const { value, written } = want;
    if (typeof value !== 'string') return written ?? JSON.stringify(value);
    if (like === 'SINGLE' && isPrintable(value)) return singleQuoted(value);
    if (like !== 'PLAIN') return doubleQuoted(value);
    // What readers take differently is written as it was: they read the same here as there.
    if (written !== undefined && !(place.inFlow && /[,[\]{}]/.test(written))) return written;
    if (place.inFlow ? isPlainInFlow(value) : isPlainFor(value)) return value;
    const isBlock = !place.inFlow && place.column >= 0 && /\n./.test(value);
    return (isBlock ? blockScalar(this.#text, undefined, place, value) : undefined) ?? doubleQuoted(value);
  }
}

const ROOT: Place = { inFlow: false, column: -1, after: 0, inList: false };
const IN_FLOW: Place = { inFlow: true, column: 0, after: 0, inList: false };

const isInline = (want: Want): boolean =>
  want.kind === 'scalar' || (want.kind === 'list' ? want.items.length === 0 : want.entries.size === 0);

/** A new element takes the quotes of its neighbours. */
function neighbourStyle(node: MapNode | ListNode): Style {
  if (node.kind === 'map') return 'PLAIN';
  const last = node.items.findLast((each) => each.kind === 'scalar' && typeof each.value === 'string');
  return last?.kind === 'scalar' && (last.style === 'SINGLE' || last.style === 'DOUBLE') ? last.style : 'PLAIN';
}
