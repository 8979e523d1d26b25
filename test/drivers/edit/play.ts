import { parse } from 'yaml';
import { PermanentError } from '../../../src/drivers/driver.ts';
import { applyValues, selectValues } from '../../../src/drivers/edit/index.ts';
import { Dice } from './dice.ts';
import type { Location, Plain } from './model.ts';
import { document, placesOf, plainOf, variant } from './model.ts';
import type { Assignment, Told } from './oracle.ts';
import { assign, outermostOf, pathOf, Refused, stepsFor, tell } from './oracle.ts';
import type { Printed } from './print.ts';
import { printJson, printYaml } from './print.ts';
import { asWritten, valueAt, YAML_READERS } from './readers.ts';

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

const key = (location: Location): string => JSON.stringify(location);

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

/** One promotion from one file to another, both chosen by a tape of numbers. @throws when a promise is broken, with both files */
export function play(numbers: number[], format: 'YAML' | 'JSON', reached: Reached): void {
  const dice = new Dice(numbers);
  const source = document(dice);
  const target = variant(dice, source);
  const print = format === 'YAML' ? printYaml : printJson;
  const [from, to] = [print(dice, source), print(dice, target)];
  const places = placesOf(source);
  const chosen = Array.from({ length: 1 + dice.roll(3) }, () => stepsFor(dice, source, dice.pick(places).location));
  const paths = [...new Set(chosen.map((steps) => pathOf(dice, steps)))];
  const onMissing = dice.pick(['REFUSE', 'SKIP'] as const);
  const file = format === 'YAML' ? 'values.yaml' : 'values.json';
  const told = expectedOf(plainOf(source), plainOf(target), chosen, onMissing);
  const world = (): string => `${paths.join('  ')} (${onMissing})\n--- source\n${from.text}\n--- target\n${to.text}`;

  const { values } = selectValues(file, from.text, paths);
  let after: string;
  try {
    after = applyValues(file, to.text, structuredClone(values), { onMissing }).text;
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    if (told !== 'REFUSED') throw new Error(`refused: ${error.message}\n${world()}`, { cause: error });
    if (!error.message.includes(`file "${file}"`))
      throw new Error(`does not name the file: ${error.message}`, { cause: error });
    return reached.count('refused');
  }
  if (told === 'REFUSED') throw new Error(`not refused\n${world()}\n--- after\n${after}`);
  reached.count('written');
  for (const steps of chosen) for (const { by } of steps) reached.count(`by ${by}`);
  if (told.skipped > 0) reached.count('skipped');

  const wrong = (what: string): Error => new Error(`${what}\n${world()}\n--- after\n${after}`);
  const now: unknown = format === 'YAML' ? parse(withoutLast(after)) : JSON.parse(withoutComments(after));
  const quotedBefore = new Map(to.spans.map((each) => [key(each.location), each]));
  const written = new Set(told.assignments.map(({ location }) => key(location)));
  const scalars = told.assignments.filter(
    ({ location, value }) => (typeof value !== 'object' || value === null) && quotedBefore.has(key(location)),
  );
  for (const { location, value } of scalars)
    if (typeof value === 'number' && quotedBefore.get(key(location))!.quoted) reached.count('number over a text');
  if (!isLike(told.expected, now))
    throw wrong(`not what was wanted: ${JSON.stringify(told.expected)}\n${JSON.stringify(now)}`);

  if (scalars.length === told.assignments.length) {
    reached.count('scalars alone');
    if (!keepsOtherBytes(to, after, written)) throw wrong('other bytes changed');
    for (const { location } of scalars) reached.count(`over ${quotedBefore.get(key(location))!.style}`);
  } else reached.count('maps, lists or new keys');
  const unread = readBack(after, told.assignments, now, from, format, reached);
  if (unread) throw wrong(unread);

  // An index may put one entry in the place of another: then there may be two of one name, or none.
  if (chosen.flat().some(({ by }) => by === 'index' || by === 'last' || by === 'slice')) return;
  const again = applyValues(file, after, values, { onMissing });
  if (again.changed) throw wrong(`changed again:\n${again.text}`);
  // What stood there already is not touched.
  if (after !== to.text && isLike(plainOf(target), told.expected) && scalars.length < told.assignments.length)
    reached.count('written otherwise');
}

function expectedOf(
  source: Plain,
  target: Plain,
  chosen: Parameters<typeof tell>[2][],
  onMissing: 'REFUSE' | 'SKIP',
): { expected: Plain; assignments: Assignment[]; skipped: number } | 'REFUSED' {
  try {
    const all: Told[] = chosen.map((steps) => tell(source, target, steps));
    // What stands within a whole map or list that is promoted comes with it.
    const selected = all.flatMap(({ assignments, missing }) => [...assignments, ...missing]).map(({ from }) => from);
    const skipped = all
      .flatMap(({ missing }) => missing)
      .filter(
        ({ from }) => !selected.some((each) => each.length < from.length && each.every((key, at) => key === from[at])),
      ).length;
    if (skipped > 0 && onMissing === 'REFUSE') return 'REFUSED';
    const assignments = all.flatMap((each) => each.assignments);
    return { expected: assign(target, assignments), assignments: outermostOf(assignments), skipped };
  } catch (error) {
    if (error instanceof Refused) return 'REFUSED';
    throw error;
  }
}

/** Each text that was selected is that text to everybody, and each number is written as it was; else what is wrong. */
function readBack(
  after: string,
  assignments: Assignment[],
  now: unknown,
  from: Printed,
  format: 'YAML' | 'JSON',
  reached: Reached,
): string | undefined {
  if (format === 'JSON') return undefined;
  const text = withoutLast(after);
  const source = asWritten(withoutLast(from.text));
  const raw = asWritten(text);
  for (const [name, read] of YAML_READERS) {
    const seen = read(text);
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
