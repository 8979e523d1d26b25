import { canonical } from '../canonical.ts';
import type {
  AliasNode,
  ListNode,
  MapNode,
  Node,
  Plain,
  PlainMap,
  ScalarNode,
  Slot,
  Want,
  WantedScalar,
  Writer,
} from './node.ts';
import { childOf, isPlainMap, plain, setKey } from './node.ts';
import type { Edit } from './text.ts';
import { plainOf, sameWant } from './want.ts';
import type { Wishes } from './wishes.ts';
import { wholeOf } from './wishes.ts';

/** Edits of one part of a document, and that part as a reader sees it afterwards. */
interface Edited {
  edits: Edit[];
  settled: Plain;
}

/** What an edit cannot know of the text alone. */
export interface EditorOptions {
  /** What the entries of a list are called; undefined where an entry has no name. */
  namesIn: (list: Plain[]) => (string | undefined)[];
  /**
   * What is wanted is the same file after an edit by a person: new keys stand where they are wanted among the others, and not behind them; an
   * entry with another name between the same neighbours is the entry that stood there, renamed.
   */
  sameFile?: true;
}

/**
 * Collects the smallest edits that make a document what is wished for. What is equal already is not touched.
 *
 * An alias is replaced where its own place is wished for, unless its anchor gets the same value; so the document is walked twice:
 * the first walk tells what anchors become. Nothing is ever written through an alias or a merge.
 */
export class Editor {
  readonly #writer: Writer;
  readonly #options: EditorOptions;
  #after = new Map<Node, Plain>();
  #known: Map<Node, Plain> | undefined;
  /** What is wanted of a node as a whole. */
  #puts = new Map<Node, Want>();
  /** What only stands behind an alias or a merge, where it is something else or is written otherwise: it cannot be written from here. */
  readonly unwritten: Wishes[] = [];

  constructor(writer: Writer, options: EditorOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  edit(root: Node, wishes: Wishes): Edit[] {
    this.#walk(root, wishes, false);
    this.#known = this.#after;
    this.#after = new Map();
    return this.#walk(root, wishes, false).edits;
  }

  /** `dry`: the node is only reached through an alias or a merge, and cannot be changed here. */
  #walk(node: Node, wishes: Wishes, dry: boolean): Edited {
    const edited = this.#walked(node, wishes, dry);
    wishes.settled = edited.settled;
    if (dry) {
      if (this.#known && edited.edits.length > 0) this.unwritten.push(wishes);
      return { edits: [], settled: edited.settled };
    }
    this.#after.set(node, edited.settled);
    return edited;
  }

  #walked(node: Node, wishes: Wishes, dry: boolean): Edited {
    if (wishes.want) return this.#put(node, wishes.want);
    if (wishes.children.size === 0) return { edits: [], settled: plain(node) };
    if (node.kind === 'alias') return this.#walk(node.target, wishes, true);
    if (node.kind === 'scalar') return this.#put(node, wholeOf(wishes));
    const view = plain(node);
    const settled: Plain = Array.isArray(view) ? [...view] : {};
    if (isPlainMap(settled)) for (const [key, value] of Object.entries(view as PlainMap)) setKey(settled, key, value);
    const places = node.kind === 'map' ? new Map(node.keys.map((key, index) => [key, index])) : undefined;
    const inner = new Map<number, Edit[]>();
    const added: Slot[] = [];
    for (const [key, child] of wishes.children) {
      const at = places ? places.get(key as string)! : (key as number);
      const own = node.kind === 'map' ? node.entries.get(key as string) : node.items[at];
      const behind = own ?? childOf(node, key);
      if (own) {
        inner.set(at, this.#walk(own, child, dry).edits);
      } else if (behind) {
        this.#walk(behind, child, true);
      } else {
        const want = wholeOf(child);
        child.settled = plainOf(want);
        added.push(node.kind === 'map' ? { key: key as string, want } : { want });
      }
      if (Array.isArray(settled)) settled[key as number] = child.settled!;
      else setKey(settled, key as string, child.settled!);
    }
    if (added.length === 0 || dry) return { edits: [...inner.values()].flat(), settled };
    const all: readonly unknown[] = node.kind === 'map' ? node.keys : node.items;
    const slots = all.map((_, from): Slot => ({ from, edits: inner.get(from) ?? [] }));
    return { edits: this.#writer.rebuild(node, [...slots, ...added]), settled };
  }

  #put(node: Node, want: Want): Edited {
    const edited = this.#edited(node, want);
    this.#after.set(node, edited.settled);
    this.#puts.set(node, settle(node, want));
    return edited;
  }

  #edited(node: Node, want: Want): Edited {
    if (node.kind === 'alias') return this.#alias(node, want);
    if (node.kind === 'scalar' && want.kind === 'scalar') {
      const settled = settle(node, want);
      return { edits: says(node, settled) ? [] : this.#writer.replace(node, settled), settled: settled.value };
    }
    // Into empty brackets a person would write nothing large.
    const isEmpty = this.#options.sameFile && node.start < node.end && partsIn(node) === 0;
    if (!isEmpty && node.kind === 'map' && want.kind === 'map') return this.#map(node, want.entries);
    if (!isEmpty && node.kind === 'list' && want.kind === 'list') return this.#list(node, want.items);
    if (isEmpty && partsIn(want) === 0) return { edits: [], settled: plainOf(want) };
    return { edits: this.#writer.replace(node, want), settled: plainOf(want) };
  }

  #alias(node: AliasNode, want: Want): Edited {
    const [before, puts] = [this.#after, this.#puts];
    // What stands at the anchor is not written from here.
    this.#after = new Map();
    this.#puts = new Map();
    const { edits, settled } = this.#edited(node.target, want);
    this.#after = before;
    this.#puts = puts;
    const becomes = this.#known?.get(node.target) ?? plain(node.target);
    const put = this.#puts.get(node.target);
    const isWritten = put
      ? sameWant(put, settle(node.target, want))
      : edits.length === 0 || this.#known?.has(node.target);
    // The numbers 1.1 and 1.10 are equal, and as versions they are not.
    if (isWritten && canonical(becomes) === canonical(settled)) return { edits: [], settled };
    return { edits: this.#known ? this.#writer.replace(node, settle(node.target, want)) : [], settled };
  }

  #map(node: MapNode, wanted: Map<string, Want>): Edited {
    const settled: PlainMap = {};
    let isRebuilt = false;
    const slots = node.keys.flatMap((key, from): Slot[] => {
      const own = node.entries.get(key);
      if (!own) return [{ from, edits: [] }];
      const want = wanted.get(key);
      if (!want) {
        isRebuilt = true;
        return [];
      }
      const inner = this.#put(own, want);
      setKey(settled, key, inner.settled);
      return [{ from, edits: inner.edits }];
    });
    let last: string | undefined;
    for (const [key, want] of wanted) {
      const above = last;
      last = key;
      if (node.entries.has(key)) continue;
      setKey(settled, key, plainOf(want));
      // A merge brings it in: it stays there, and if it is another value the edit is refused.
      if (childOf(node, key)) continue;
      const behind = slots.findIndex((each) => ('from' in each ? node.keys[each.from] : each.key) === above) + 1;
      slots.splice(this.#options.sameFile ? behind : slots.length, 0, { key, want });
      isRebuilt = true;
    }
    const edits = isRebuilt
      ? this.#writer.rebuild(node, slots)
      : slots.flatMap((each) => ('from' in each ? each.edits : []));
    return { edits, settled };
  }

  #list(node: ListNode, wanted: Want[]): Edited {
    const partners = alignLists(node, wanted, this.#options);
    const settled: Plain[] = [];
    const slots = wanted.map((want, index): Slot => {
      const from = partners[index];
      if (from === undefined) {
        settled.push(plainOf(want));
        return { want };
      }
      const inner = this.#put(node.items[from]!, want);
      settled.push(inner.settled);
      return { from, edits: inner.edits };
    });
    const isKept = slots.length === node.items.length && partners.every((from, index) => from === index);
    const edits = isKept
      ? slots.flatMap((each) => ('from' in each ? each.edits : []))
      : this.#writer.rebuild(node, slots);
    return { edits, settled };
  }
}

const partsIn = (of: Node | Want): number =>
  of.kind === 'list' ? of.items.length : of.kind === 'map' ? ('keys' in of ? of.keys.length : of.entries.size) : 1;

/** A number over a text in quotes becomes a text: the quotes show that the file's author wanted a text. */
function settle(node: Node, want: WantedScalar): WantedScalar;
function settle(node: Node, want: Want): Want;
function settle(node: Node, want: Want): Want {
  if (node.kind !== 'scalar' || want.kind !== 'scalar') return want;
  if (node.style === 'PLAIN' || typeof node.value !== 'string' || typeof want.value !== 'number') return want;
  return { kind: 'scalar', value: want.written ?? String(want.value) };
}

/** Whether the scalar says what is wanted, to every reader. */
function says(node: ScalarNode, want: WantedScalar): boolean {
  if (node.value !== want.value) return false;
  if (want.anyForm) return true;
  if (typeof want.value === 'number')
    return (node.written ?? String(node.value)) === (want.written ?? String(want.value));
  if (typeof want.value !== 'string' || node.style !== 'PLAIN' || node.written === undefined) return true;
  return want.loose === true || node.written === want.written;
}

/**
 * For each wanted element the one of the list that it is: an equal one, or the one of its name, or, where neither has a name,
 * the one that stands between the same neighbours. Undefined: a new one.
 */
function alignLists({ items }: ListNode, wanted: Want[], { namesIn, sameFile }: EditorOptions): (number | undefined)[] {
  const old = items.map(plain);
  const now = wanted.map(plainOf);
  const partners: (number | undefined)[] = now.map(() => undefined);
  const free = new Set(old.keys());
  const match = (keysOld: (string | undefined)[], keysNow: (string | undefined)[]): void => {
    const waiting = new Map<string, number[]>();
    for (const index of free) {
      const key = keysOld[index];
      if (key !== undefined) waiting.set(key, [...(waiting.get(key) ?? []), index]);
    }
    for (const [index, key] of keysNow.entries()) {
      const found = partners[index] === undefined && key !== undefined ? waiting.get(key)?.shift() : undefined;
      if (found === undefined) continue;
      partners[index] = found;
      free.delete(found);
    }
  };
  match(old.map(canonical), now.map(canonical));
  if (free.size === 0) return partners;
  const namesOld = namesIn(old);
  const namesNow = namesIn(now);
  match(namesOld, namesNow);
  // What stands before: the last element that has a partner.
  let last = -1;
  const slotsOld = old.map((_, index) => (free.has(index) ? String(last) : String((last = index))));
  last = -1;
  const slotsNow = now.map((_, index) => String((last = partners[index] ?? last)));
  const isNew = partners.map((from) => from === undefined);
  const kindOf = (each: Plain): string => (Array.isArray(each) ? 'list' : isPlainMap(each) ? 'map' : 'scalar');
  match(
    old.map((each, index) =>
      free.has(index) && (sameFile || namesOld[index] === undefined) ? `${slotsOld[index]} ${kindOf(each)}` : undefined,
    ),
    now.map((each, index) =>
      isNew[index] && (sameFile || namesNow[index] === undefined) ? `${slotsNow[index]} ${kindOf(each)}` : undefined,
    ),
  );
  return partners;
}
