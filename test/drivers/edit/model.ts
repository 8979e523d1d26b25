import type { Dice } from './dice.ts';

/** A document before anybody has written it down. A number keeps how it is written. */
export type Model = MapModel | ListModel | ScalarModel;
export interface MapModel {
  kind: 'map';
  entries: [string, Model][];
}
export interface ListModel {
  kind: 'list';
  /** Its entries are maps with a `name`, or else scalars. */
  named: boolean;
  items: Model[];
}
export interface ScalarModel {
  kind: 'scalar';
  value: string | number | boolean | null;
  written?: string;
}

export type Location = (string | number)[];

export const TEXTS = [
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
];

export function scalar(dice: Dice): ScalarModel {
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
  if (model.kind === 'scalar') return dice.roll(4) === 0 ? model : scalar(dice);
  if (model.kind === 'map') {
    const kept = model.entries.filter(([key]) => key === 'name' || !dice.once(12));
    const changed = kept.map(([key, each]): [string, Model] => {
      if (key === 'name' && each.kind === 'scalar') return [key, each];
      // Somebody has commented all of it out.
      if (each.kind === 'map' && dice.once(20)) return [key, { kind: 'scalar', value: null }];
      return [key, variant(dice, each)];
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

export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

export function plainOf(model: Model): Plain {
  if (model.kind === 'scalar') return model.value;
  if (model.kind === 'list') return model.items.map(plainOf);
  return Object.fromEntries(model.entries.map(([key, each]) => [key, plainOf(each)]));
}

export function placesOf(model: Model, at: Location = []): { location: Location; model: Model }[] {
  const inner =
    model.kind === 'map'
      ? model.entries.flatMap(([key, each]) => placesOf(each, [...at, key]))
      : model.kind === 'list'
        ? model.items.flatMap((each, index) => placesOf(each, [...at, index]))
        : [];
  return [...(at.length === 0 ? [] : [{ location: at, model }]), ...inner];
}
