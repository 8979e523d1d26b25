import { PermanentError } from '../../../src/drivers/driver.ts';
import { applyValues, selectValues } from '../../../src/drivers/edit/index.ts';
import { Dice } from './dice.ts';
import type { Location, MapModel, Plain, Sharing } from './model.ts';
import { document, flat, placesOf, plainOf, shared, sharingsOf, tomlOf, variant } from './model.ts';
import type { Assignment, Told } from './oracle.ts';
import { add, assign, outermostOf, pathOf, Refused, stepsFor, tell } from './oracle.ts';
import type { Printed } from './print.ts';
import { printEnv, printJson, printProperties, printToml, printYaml } from './print.ts';
import { asWritten, readEnv, readProperties, readToml, readYamls, valueAt, YAML_READERS } from './readers.ts';

/** What a search reached, so that an idle generator is noticed. */
export class Reached {
  readonly #counts = new Map<string, number>();
  count(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }
  get(what: string): number {
    return this.#counts.get(what) ?? 0;
  }
  toString(): string {
    return [...this.#counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, times]) => `${what} ${times}`)
      .join(', ');
  }
}

/** A number over a text in quotes becomes that text: where a whole map or list was promoted, wherever it came to stand. */
function isLike(expected: Plain, actual: unknown): boolean {
  if (typeof expected === 'number' && typeof actual === 'string') return Number(actual) === expected;
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null)
    return expected === actual;
  const keys = Object.keys(expected);
  const others = Object.keys(actual);
  return (
    Array.isArray(expected) === Array.isArray(actual) &&
    keys.length === others.length &&
    keys.every(
      (key) =>
        Object.hasOwn(actual, key) &&
        isLike((expected as Record<string, Plain>)[key]!, (actual as Record<string, unknown>)[key]),
    )
  );
}

const key = (location: unknown): string => JSON.stringify(location);

/** What stands around the scalars that were written, in its order. */
function keepsOtherBytes(before: Printed, after: string, written: Set<string>): boolean {
  const spans = before.spans.filter(({ location }) => written.has(key(location)));
  let at = 0;
  let from = 0;
  for (const [index, { start, end }] of spans.entries()) {
    const kept = before.text.slice(at, start);
    if (index === 0 ? !after.startsWith(kept) : after.indexOf(kept, from) === -1) return false;
    from = (index === 0 ? 0 : after.indexOf(kept, from)) + kept.length;
    at = end;
  }
  const rest = before.text.slice(at);
  return after.length >= from + rest.length && after.endsWith(rest);
}

export type Format = 'YAML' | 'JSON' | 'TOML' | 'ENV' | 'PROPERTIES';

interface Shape {
  file: string;
  document: (dice: Dice) => MapModel;
  print: (dice: Dice, model: MapModel) => Printed;
  read: (text: string) => unknown;
}

const SHAPES: Record<Format, Shape> = {
  YAML: { file: 'values.yaml', document, print: printYaml, read: (text) => readYamls(withoutLast(text))[0] },
  JSON: { file: 'values.json', document, print: printJson, read: (text) => JSON.parse(withoutComments(text)) },
  TOML: { file: 'values.toml', document: (dice) => tomlOf(document(dice)), print: printToml, read: readToml },
  ENV: { file: '.env', document: flat, print: printEnv, read: readEnv },
  PROPERTIES: { file: 'a.properties', document: flat, print: printProperties, read: readProperties },
};

/** A document and, in YAML, others around it. */
interface File extends Printed {
  /** How many documents stand before the one that is meant. */
  at: number;
}

const KIND: MapModel['entries'] = [
  ['kind', { kind: 'scalar', value: 'Deployment' }],
  ['metadata', { kind: 'map', entries: [['name', { kind: 'scalar', value: 'api' }]] }],
];

function among(dice: Dice, model: MapModel): File {
  const eol = dice.once(3) ? '\r\n' : '\n';
  const mark = (): string => `---${dice.once(3) ? ' # next' : ''}${eol}`;
  const at = dice.roll(3);
  const other = (): string => {
    const each = shared(dice, document(dice));
    each.entries.unshift(['kind', { kind: 'scalar', value: 'Service' }], KIND[1]!);
    return printYaml(dice, each, { eol }).text + mark();
  };
  const before = (dice.once(3) ? '\uFEFF' : '') + Array.from({ length: at }, other).join('');
  const { text, spans } = printYaml(dice, model, { eol });
  const after = dice.once(2) ? mark() + other() : '';
  const from = before.length;
  return {
    text: before + text + after,
    spans: spans.map((each) => ({ ...each, start: each.start + from, end: each.end + from })),
    at,
  };
}

/** One promotion from one file to another, both chosen by a tape of numbers. @throws when a promise is broken, with both files */
export function play(numbers: number[], format: Format, reached: Reached): void {
  const dice = new Dice(numbers);
  const shape = SHAPES[format];
  const { file } = shape;
  let source = shape.document(dice);
  let target = variant(dice, source) as MapModel;
  if (format === 'TOML') target = tomlOf(target);
  if (format === 'ENV' || format === 'PROPERTIES') target = flatOf(target);
  const isMany = format === 'YAML' && dice.once(4);
  if (format === 'YAML' && dice.once(2)) source = shared(dice, source);
  if (format === 'YAML' && !dice.once(3)) target = shared(dice, target);
  // What the document is called by is shared with nothing.
  if (isMany) for (const each of [source, target]) each.entries.unshift(...structuredClone(KIND));
  const print = (model: MapModel): File => (isMany ? among(dice, model) : { ...shape.print(dice, model), at: 0 });
  const [from, to] = [print(source), print(target)];
  const places = placesOf(source);
  const sharings = sharingsOf(target);
  const behind = places.filter(({ location }) =>
    sharings.some(({ at, merged }) => !merged && location.length > at.length && starts(location, at)),
  );
  const chosen = Array.from({ length: 1 + dice.roll(3) }, () =>
    stepsFor(dice, source, dice.pick(behind.length > 0 && dice.once(3) ? behind : places).location),
  );
  const prefix = isMany ? (from.at === to.at && !dice.once(3) ? `${to.at + 1} ` : 'Deployment/api ') : '';
  const paths = [...new Set(chosen.map((steps) => prefix + pathOf(dice, steps)))];
  const bys = new Set(chosen.flat().map(({ by }) => by));
  const isByPlace = bys.has('index') || bys.has('last') || bys.has('slice');
  const onMissing = dice.pick(isByPlace ? (['REFUSE', 'SKIP'] as const) : (['REFUSE', 'SKIP', 'ADD'] as const));
  const told = expectedOf(plainOf(source), plainOf(target), chosen, onMissing, ({ alike }) => {
    if (!alike) return;
    reached.count('an index for a key, or a key for an index');
    if (sharings.some(({ at, merged }) => !merged && starts(alike, at)))
      reached.count('an index for a key behind an alias');
  });
  const world = (): string => `${paths.join('  ')} (${onMissing})\n--- source\n${from.text}\n--- target\n${to.text}`;

  const { values } = selectValues(file, from.text, paths);
  let after: string;
  try {
    after = applyValues(file, to.text, structuredClone(values), { onMissing }).text;
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    if (told !== 'REFUSED' && !mayRefuse(format, target, told, sharings))
      throw new Error(`refused: ${error.message}\n${world()}`);
    if (!error.message.includes(`file "${file}"`))
      throw new Error(`does not name the file: ${error.message}`, { cause: error });
    if (told !== 'REFUSED') reached.count(sharings.length > 0 ? 'refused for an anchor' : 'refused for the format');
    return reached.count('refused');
  }
  if (told === 'REFUSED') throw new Error(`not refused\n${world()}\n--- after\n${after}`);
  const wrong = (what: string): Error => new Error(`${what}\n${world()}\n--- after\n${after}`);
  const through = sharings.find((each) => breaks(each, told));
  if (through) throw wrong(`written through an alias at ${key(through.at)}`);
  reached.count('written');
  for (const steps of chosen) for (const { by } of steps) reached.count(`by ${by}`);
  if (told.skipped > 0) reached.count('skipped');
  if (told.added > 0) reached.count('added');
  if (isMany) reached.count(prefix.startsWith('D') ? 'document by name' : 'document by place');
  for (const { merged } of sharings) reached.count(merged ? 'beside a merge' : 'beside an alias');
  for (const [what, sign] of [
    ['carriage returns', /\r\n/],
    ['byte order mark', /^\uFEFF/],
    ['comments', /[#;!]|\/\//],
  ] as const)
    if (sign.test(to.text)) reached.count(what);

  const read = isMany ? (text: string): unknown => readYamls(text)[to.at] : shape.read;
  const now = read(after);
  const quotedBefore = new Map(to.spans.map((each) => [key(each.location), each]));
  const written = new Set(told.assignments.map(({ location }) => key(location)));
  const scalars = told.assignments.filter(
    ({ location, value }) => (typeof value !== 'object' || value === null) && quotedBefore.has(key(location)),
  );
  for (const { location, value } of scalars)
    if (typeof value === 'number' && quotedBefore.get(key(location))!.quoted) reached.count('number over a text');
  if (!isLike(told.expected, now))
    throw wrong(`not what was wanted: ${JSON.stringify(told.expected)}\n${JSON.stringify(now)}`);
  if (isMany) {
    const [had, has] = [readYamls(to.text), readYamls(after)];
    if (had.length !== has.length || had.some((each, index) => index !== to.at && key(each) !== key(has[index])))
      throw wrong('another document changed');
  }

  if (scalars.length === told.assignments.length && told.added === 0) {
    reached.count('scalars alone');
    if (!keepsOtherBytes(to, after, written)) throw wrong('other bytes changed');
    for (const { location } of scalars) reached.count(`over ${quotedBefore.get(key(location))!.style}`);
  } else reached.count('maps, lists or new keys');
  if (told.assignments.length === 0 && told.added === 0 && after !== to.text) throw wrong('changed for nothing');
  const unread = format === 'YAML' ? readBack(after, to.at, told.assignments, now, from, reached) : undefined;
  if (unread) throw wrong(unread);
  if (format !== 'YAML') reached.count('texts read back', told.assignments.length);

  // An index may put one entry in the place of another: then there may be two of one name, or none.
  if (isByPlace) return;
  const again = applyValues(file, after, values, { onMissing });
  if (again.changed) throw wrong(`changed again:\n${again.text}`);
}

interface Expected {
  expected: Plain;
  assignments: Assignment[];
  skipped: number;
  added: number;
  /** All that is to be written. */
  values: Plain[];
}

const starts = (location: Location, start: Location): boolean => start.every((key, at) => key === location[at]);

/** What is asked for at an alias, at its anchor or within may not be possible; no other place gives a reason. */
function mayRefuse(
  format: Format,
  target: MapModel,
  { assignments, added, values }: Expected,
  sharings: Sharing[],
): boolean {
  const before = plainOf(target);
  const isNew = ({ location }: Assignment): boolean => valueAt(before, location) === undefined;
  if (format === 'TOML')
    return (
      added > 0 ||
      assignments.some(
        (each) => isNew(each) || typeof each.value === 'object' || typeof valueAt(before, each.location) === 'object',
      )
    );
  if (format === 'ENV')
    return values.some((value) => typeof value === 'string' && /['\r\n]|\\$/.test(value) && /["\\$`\r\n]/.test(value));
  const shares = sharings.flatMap(({ at, anchor }) => [at, anchor]);
  return (
    shares.length > 0 &&
    (added > 0 || assignments.some(({ location }) => shares.some((at) => starts(location, at) || starts(at, location))))
  );
}

/** Whether an alias or a merge that stays would have to be two values at once. */
function breaks({ at, anchor, merged }: Sharing, { expected, assignments }: Expected): boolean {
  const isGone = (place: Location): boolean => assignments.some(({ location }) => starts(place, location));
  if (isGone(at) || isGone(anchor)) return false;
  const [here, there] = [valueAt(expected, at), valueAt(expected, anchor)] as Record<string, unknown>[];
  if (!merged) return !isSame(here, there);
  return merged.some((each) => !isSame(here![each], there![each]));
}

const isSame = (a: unknown, b: unknown): boolean => isLike(a as Plain, b);

const flatOf = (model: MapModel): MapModel => ({
  kind: 'map',
  entries: model.entries.map(([name, each]) => [
    name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_'),
    { kind: 'scalar', value: each.kind === 'scalar' ? String(each.value ?? '') : '' },
  ]),
});

function expectedOf(
  source: Plain,
  target: Plain,
  chosen: Parameters<typeof tell>[2][],
  onMissing: 'REFUSE' | 'SKIP' | 'ADD',
  see: (refused: Refused) => void,
): Expected | 'REFUSED' {
  try {
    const all: Told[] = chosen.map((steps) => tell(source, target, steps));
    // What stands within a whole map or list that is promoted comes with it.
    const selected = all.flatMap(({ assignments, missing }) => [...assignments, ...missing]).map(({ from }) => from);
    const missing = all
      .flatMap((each) => each.missing)
      .filter(({ from }) => !selected.some((each) => each.length < from.length && starts(from, each)));
    if (missing.length > 0 && onMissing === 'REFUSE') return 'REFUSED';
    const assignments = all.flatMap((each) => each.assignments);
    const assigned = assign(target, assignments);
    const isAdded = onMissing === 'ADD' && missing.length > 0;
    return {
      expected: isAdded ? add(assigned, source, missing) : assigned,
      assignments: outermostOf(assignments),
      skipped: isAdded ? 0 : missing.length,
      added: isAdded ? missing.length : 0,
      values: [...assignments, ...(isAdded ? missing : [])].map(({ value }) => value),
    };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    see(error);
    return 'REFUSED';
  }
}

/** Each text that was selected is that text to everybody, and each number is written as it was; else what is wrong. */
function readBack(
  after: string,
  at: number,
  assignments: Assignment[],
  now: unknown,
  from: File,
  reached: Reached,
): string | undefined {
  const text = withoutLast(after);
  const source = asWritten(withoutLast(from.text))[from.at];
  const raw = asWritten(text)[at];
  for (const [name, read] of YAML_READERS) {
    const seen = read(text)[at];
    for (const { location, value } of assignments.flatMap((each) =>
      textsIn(valueAt(now, each.location), each.location),
    )) {
      reached.count('texts read back');
      if (valueAt(seen, location) === value) continue;
      return `${name} reads ${JSON.stringify(valueAt(seen, location))} for ${JSON.stringify(value)} at ${key(location)}`;
    }
  }
  const miswritten = assignments.find(
    ({ location, value, from: place }) =>
      typeof value === 'number' && valueAt(raw, location) !== valueAt(source, place),
  );
  return miswritten && `the number at ${key(miswritten.from)} is written ${String(valueAt(raw, miswritten.location))}`;
}

function textsIn(value: unknown, location: Location): { location: Location; value: string }[] {
  if (typeof value === 'string') return [{ location, value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    textsIn(each, [...location, Array.isArray(value) ? Number(name) : name]),
  );
}

/** Without the document of comments that may stand last: not every reader takes it. */
const withoutLast = (text: string): string => text.replace(/---\r?\n# nothing(?:\r?\n)?$/, '');

/** The printer's own comments. */
const withoutComments = (text: string): string =>
  text.replace(/^\uFEFF/, '').replaceAll(/ \/\* c\d+, \{ \*\/| \/\/ c\d+, "/g, '');
