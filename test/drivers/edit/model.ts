import type { Dice } from './dice.ts';

/** A document before anybody has written it down. A number keeps how it is written. */
export type Model = Owned | AliasModel;
type Owned = MapModel | ListModel | ScalarModel;
interface Anchored {
  anchor?: string;
}
export interface MapModel extends Anchored {
  kind: 'map';
  entries: [string, Model][];
  /** `<<`, behind the other keys. */
  merge?: AliasModel;
}
export interface AliasModel {
  kind: 'alias';
  target: Owned;
}
export interface ListModel extends Anchored {
  kind: 'list';
  /** Its entries are maps with a `name`, or else scalars. */
  named: boolean;
  items: Model[];
}
export interface ScalarModel extends Anchored {
  kind: 'scalar';
  value: string | number | boolean | null;
  written?: string;
}

export type Location = (string | number)[];

const TEXTS = [
  'no',
  'Yes',
  'on',
  'OFF',
  'y',
  'N',
  'null',
  '~',
  'true',
  'False',
  '1_000',
  '0b101',
  '0o17',
  '0x1F',
  '017',
  '1.10',
  '1e3',
  '12:30:45',
  '-1:20',
  '2024-06-27',
  '2024-06-27T10:00:00Z',
  '2001-1-1 1:2:3',
  '.inf',
  '-.INF',
  '.nan',
  '.5',
  '+1',
  '=',
  '<<',
  '',
  ' ',
  ' lead',
  'trail ',
  'a: b',
  'a #b',
  '#c',
  '- x',
  '-',
  '?',
  ':',
  'a:',
  '{',
  ']',
  'a, b',
  '*a',
  '&a',
  '!t',
  '|',
  '>',
  '@x',
  '%x',
  '`x',
  "it's",
  '"',
  '\\',
  'two\nlines',
  'two\nlines\n',
  'x\n\n\ny\n',
  '\n',
  'a\n\n\n',
  '  in\nout\n',
  'tab\there',
  '\u0007',
  '\u0085',
  '\u2028',
  'é',
  '😀',
  '\uFEFF',
  '---',
  '...',
  'v1.2.3',
  '1.2.3',
  'nginx:1.25',
  'a/b@sha256:00',
  'long '.repeat(30).trim(),
  '1,000',
  'a\r\nb',
  'a\rb',
  '- a\n- b\n',
  '# no comment\nx\n',
];
const NUMBERS = ['1', '2', '-3', '1.10', '0.5', '1e3', '12345678901234567890', '1.0'];
const NAMES = ['api', 'web', 'db', 'proxy', 'job', 'on', '1.10', 'a b'];
const KEYS = [
  'image',
  'tag',
  'replicas',
  'my-chart',
  'config',
  'host',
  'env',
  'a.b',
  'x y',
  '1.10',
  'yes',
  '~',
  "it's",
  '@example/core',
  '0',
  '0',
  '1',
  '-1',
];
const looksLikeIndex = ([key]: [string, Model]): boolean => /^-?\d+$/.test(key);

function scalar(dice: Dice): ScalarModel {
  const kind = dice.roll(10);
  if (kind === 0) return { kind: 'scalar', value: dice.once(2) };
  if (kind === 1) return { kind: 'scalar', value: null };
  if (kind <= 3) {
    const written = dice.pick(NUMBERS);
    return { kind: 'scalar', value: Number(written), written };
  }
  return { kind: 'scalar', value: text(dice) };
}

function text(dice: Dice): string {
  if (!dice.once(3)) return dice.pick(TEXTS);
  const signs = 'abz019-_.:,#&*!|>\'"%@`{}[]?~=/\\ \n\té'.split('');
  return Array.from({ length: dice.roll(9) }, () => dice.pick(signs)).join('');
}

export function document(dice: Dice): MapModel {
  return map(dice, 0);
}

function map(dice: Dice, depth: number): MapModel {
  const keys = [...new Set(Array.from({ length: 1 + dice.roll(4) }, () => dice.pick(KEYS)))];
  return { kind: 'map', entries: keys.map((key) => [key, value(dice, depth + 1)]) };
}

function value(dice: Dice, depth: number): Model {
  const kind = dice.roll(depth > 3 ? 2 : 6);
  if (kind <= 1) return scalar(dice);
  if (kind <= 3) return map(dice, depth);
  if (kind === 4)
    return { kind: 'list', named: false, items: distinct(Array.from({ length: dice.roll(4) }, () => scalar(dice))) };
  const names = [...new Set(Array.from({ length: 1 + dice.roll(4) }, () => dice.pick(NAMES)))];
  return { kind: 'list', named: true, items: names.map((name) => entry(dice, name, depth)) };
}

function entry(dice: Dice, name: string, depth: number): MapModel {
  const rest = map(dice, depth + 1).entries;
  return { kind: 'map', entries: [['name', { kind: 'scalar', value: name }], ...rest] };
}

const distinct = (items: ScalarModel[]): ScalarModel[] => [
  ...new Map(items.map((each) => [plainOf(each), each])).values(),
];

/** The same document as somebody else keeps it: other values, another order, more and fewer entries. */
export function variant(dice: Dice, model: Model): Model {
  if (model.kind === 'alias') return model;
  if (model.kind === 'scalar') return dice.roll(4) === 0 ? model : scalar(dice);
  if (model.kind === 'map') {
    const kept = model.entries.filter(([key]) => key === 'name' || !dice.once(12));
    const changed = kept.map(([key, each]): [string, Model] => {
      if (key === 'name' && each.kind === 'scalar') return [key, each];
      // Somebody has commented all of it out.
      if (each.kind === 'map' && dice.once(20)) return [key, { kind: 'scalar', value: null }];
      return [key, otherwise(dice, variant(dice, each))];
    });
    if (dice.once(6)) changed.push([`own-${dice.roll(3)}`, scalar(dice)]);
    const all = changed.length > 0 ? changed : [['own', scalar(dice)] as [string, Model]];
    return { kind: 'map', entries: dice.once(2) ? dice.shuffle(all) : all };
  }
  const items = model.items.filter(() => !dice.once(10)).map((each) => (model.named ? variant(dice, each) : each));
  if (dice.once(4))
    items.push(model.named ? entry(dice, `side-${dice.roll(3)}`, 3) : { kind: 'scalar', value: `own-${dice.roll(3)}` });
  return { kind: 'list', named: model.named, items: dice.once(2) ? items : dice.shuffle(items) };
}

const hasIndexes = (model: Model): boolean => model.kind === 'map' && model.entries.some(looksLikeIndex);

/** Somebody keeps a list where others have a map of keys that look like its places, or such a map where others have a list. */
function otherwise(dice: Dice, model: Model): Model {
  if (model.kind === 'map' && model.entries.every(looksLikeIndex) && dice.once(2))
    return { kind: 'list', named: false, items: model.entries.map(([, each]) => each) };
  if (model.kind === 'list' && model.items.length > 0 && dice.once(4))
    return { kind: 'map', entries: model.items.map((each, index) => [String(index), each]) };
  return model;
}

export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

/** What stands behind an alias. */
export const behind = (model: Model): Owned => (model.kind === 'alias' ? model.target : model);

/** Own keys first, as readers have them. */
export function entriesOf({ entries, merge }: MapModel): [string, Model][] {
  const from = merge?.target;
  const more = from?.kind === 'map' ? entriesOf(from) : [];
  return [...entries, ...more.filter(([key]) => !entries.some(([own]) => own === key))];
}

export function plainOf(model: Model): Plain {
  const own = behind(model);
  if (own.kind === 'scalar') return own.value;
  if (own.kind === 'list') return own.items.map(plainOf);
  return Object.fromEntries(entriesOf(own).map(([key, each]) => [key, plainOf(each)]));
}

export function placesOf(model: Model, at: Location = []): { location: Location; model: Model }[] {
  const own = behind(model);
  const inner =
    own.kind === 'map'
      ? entriesOf(own).flatMap(([key, each]) => placesOf(each, [...at, key]))
      : own.kind === 'list'
        ? own.items.flatMap((each, index) => placesOf(each, [...at, index]))
        : [];
  return [...(at.length === 0 ? [] : [{ location: at, model }]), ...inner];
}

/** Values of keys, in the order in which they are written. */
function valuesOf(model: Model, depth = 0): { map: MapModel; index: number; depth: number }[] {
  if (model.kind === 'list') return model.items.flatMap((each) => valuesOf(each, depth + 1));
  if (model.kind !== 'map') return [];
  return model.entries.flatMap(([, each], index) => [{ map: model, index, depth }, ...valuesOf(each, depth + 1)]);
}

const holds = (model: Model, wanted: Model): boolean =>
  model === wanted ||
  (model.kind === 'list' && model.items.some((each) => holds(each, wanted))) ||
  (model.kind === 'map' && model.entries.some(([, each]) => holds(each, wanted)));

/** The same document with anchors, and with aliases and merges below them. */
export function shared(dice: Dice, model: MapModel): MapModel {
  const root = structuredClone(model);
  for (let round = 1 + dice.roll(3); round > 0; round -= 1) {
    const all = valuesOf(root);
    const at = dice.roll(all.length);
    const from = all[at]!;
    const target = from.map.entries[from.index]![1];
    if (target.kind === 'alias' || from.map.entries[from.index]![0] === 'name') continue;
    const later = all
      .slice(at + 1)
      .filter(({ map, index }) => !holds(target, map) && !holds(map.entries[index]![1], target));
    if (later.length === 0) continue;
    const those = (are: (each: Model) => boolean): typeof later =>
      later.filter((each) => are(each.map.entries[each.index]![1]));
    const indexed = those(hasIndexes);
    const lists = hasIndexes(target) ? those(({ kind }) => kind === 'list') : [];
    const maps = target.kind === 'map' ? those(({ kind }) => kind === 'map') : [];
    const wanted = [indexed, lists, maps].find((each) => each.length > 0 && !dice.once(3)) ?? later;
    const { map, index } = dice.pick(wanted);
    const [key, old] = map.entries[index]!;
    // What stands there goes to the anchor: keys that look like indexes, where others may have a list, are behind an alias.
    if (old.kind === 'map' && hasIndexes(old) && key !== 'name' && !sharesIn(old) && !sharesIn(target)) {
      old.anchor = `a${at}-${round}`;
      from.map.entries[from.index]![1] = old;
      map.entries[index] = [key, { kind: 'alias', target: old }];
      continue;
    }
    const hasName = target.kind === 'map' && entriesOf(target).some(([each]) => each === 'name');
    if (target.kind === 'map' && old.kind === 'map' && !old.merge && !hasName && !dice.once(3)) {
      old.merge = { kind: 'alias', target };
      target.anchor ??= `a${at}-${round}`;
      continue;
    }
    // An anchor in what an alias takes the place of would be gone.
    if (anchorsIn(old) || key === 'name') continue;
    map.entries[index] = [key, { kind: 'alias', target }];
    target.anchor ??= `a${at}-${round}`;
  }
  return root;
}

const anchorsIn = (model: Model): boolean =>
  model.kind !== 'alias' &&
  (model.anchor !== undefined ||
    (model.kind === 'list' && model.items.some(anchorsIn)) ||
    (model.kind === 'map' && model.entries.some(([, each]) => anchorsIn(each))));

const sharesIn = (model: Model): boolean =>
  model.kind === 'alias' ||
  model.anchor !== undefined ||
  (model.kind === 'list' && model.items.some(sharesIn)) ||
  (model.kind === 'map' && (model.merge !== undefined || model.entries.some(([, each]) => sharesIn(each))));

/** Where aliases and merges stand, each with the place of its anchor. */
export interface Sharing {
  at: Location;
  anchor: Location;
  /** The keys that a merge brings in; undefined for an alias. */
  merged?: string[];
}

export function sharingsOf(root: MapModel): Sharing[] {
  const places = new Map<Model, Location>();
  const found: { at: Location; target: Model; merged?: string[] }[] = [];
  const walk = (model: Model, at: Location): void => {
    if (model.kind === 'alias') return void found.push({ at, target: model.target });
    places.set(model, at);
    if (model.kind === 'list') model.items.forEach((each, index) => walk(each, [...at, index]));
    if (model.kind !== 'map') return;
    for (const [key, each] of model.entries) walk(each, [...at, key]);
    if (!model.merge) return;
    const own = new Set(model.entries.map(([key]) => key));
    const merged = entriesOf(model.merge.target as MapModel).flatMap(([key]) => (own.has(key) ? [] : [key]));
    found.push({ at, target: model.merge.target, merged });
  };
  walk(root, []);
  return found.map(({ target, ...each }) => ({ ...each, anchor: places.get(target)! }));
}

const NAMES_OF_LINES = ['LOG_LEVEL', 'PORT', 'IMAGE_TAG', 'A', 'DB_URL', 'FEATURE_1', 'EMPTY'];

/** Names and texts alone. */
export function flat(dice: Dice): MapModel {
  const keys = [...new Set(Array.from({ length: 1 + dice.roll(6) }, () => dice.pick(NAMES_OF_LINES)))];
  return { kind: 'map', entries: keys.map((key) => [key, { kind: 'scalar', value: text(dice) }]) };
}

/** Without what TOML cannot say: null, integers of more than 64 bits. */
export function tomlOf(model: MapModel): MapModel {
  const of = (each: Model): Model => {
    if (each.kind === 'scalar') {
      if (each.value === null) return { kind: 'scalar', value: 'none' };
      return typeof each.value === 'number' && each.value > 1e15 ? { kind: 'scalar', value: 7, written: '7' } : each;
    }
    if (each.kind === 'list') return { ...each, items: each.items.map(of) };
    if (each.kind === 'map') return { ...each, entries: each.entries.map(([key, inner]) => [key, of(inner)]) };
    return each;
  };
  return of(model) as MapModel;
}
