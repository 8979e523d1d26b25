import type { Dice } from './dice.ts';
import type { Location, MapModel, Model, Plain } from './model.ts';
import { behind, entriesOf } from './model.ts';

/** A path as its parts, chosen along a place of the source. What it means is said here once more, without the editor. */
export type Step =
  | { by: 'name'; key: string }
  | { by: 'any-key' }
  | { by: 'any-entry' }
  | { by: 'filter'; name: string }
  | { by: 'index'; index: number }
  | { by: 'last'; slice: boolean }
  | { by: 'slice'; from: number; to: number; step: number }
  | { by: 'descend'; key: string };

export interface Assignment {
  location: Location;
  value: Plain;
  /** As the source has it. */
  from: Location;
}

export interface Told {
  assignments: Assignment[];
  /** How many places stand only in the source. */
  missing: Missing[];
}

export interface Missing {
  from: Location;
  value: Plain;
  /** The place in the target from which on the rest of `from` is missing. */
  to: Location;
}

export class Refused extends Error {
  /** The place in the target where an index meets a map with such a key, or a name a list with such a place. */
  readonly alike: Location | undefined;

  constructor(why: string, alike?: Location) {
    super(why);
    this.alike = alike;
  }
}

const isMap = (value: unknown): value is { [key: string]: Plain } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNamed = (list: Plain[]): boolean => list.every((each) => isMap(each) && typeof each['name'] === 'string');

/** A path that selects the place, and perhaps others. */
export function stepsFor(dice: Dice, root: Model, location: Location): Step[] {
  const last = location.at(-1)!;
  if (typeof last === 'string' && dice.once(6)) return [{ by: 'descend', key: last }];
  let at: Model = root;
  return location.map((key): Step => {
    const here = behind(at);
    if (here.kind === 'map') at = entriesOf(here).find(([name]) => name === key)![1];
    else if (here.kind === 'list') at = here.items[key as number]!;
    if (typeof key === 'string') return here.kind === 'map' && dice.once(8) ? { by: 'any-key' } : { by: 'name', key };
    const kind = dice.roll(7);
    const { items, named } = here as Extract<Model, { kind: 'list' }>;
    if (kind === 0) return { by: 'index', index: key };
    if (kind === 1 && key === items.length - 1) return { by: 'last', slice: dice.once(2) };
    if (kind === 6) {
      const from = dice.roll(key + 1);
      const step = 1 + (key > from ? dice.roll(key - from) : 0);
      // The entry itself is selected when the steps lead to it.
      if ((key - from) % step === 0) return { by: 'slice', from, to: key + 1 + dice.roll(items.length - key), step };
    }
    if (kind <= 3 || !named) return { by: 'any-entry' };
    const entry = items[key]! as MapModel;
    const name = entry.entries.find(([each]) => each === 'name')![1] as { value: string };
    return { by: 'filter', name: name.value };
  });
}

export function pathOf(dice: Dice, steps: Step[]): string {
  const quoted = (text: string): string =>
    dice.once(2) ? JSON.stringify(text) : `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const parts = steps.map((step) => {
    if (step.by === 'name')
      return /^[a-z][a-z-]*$/.test(step.key) && dice.once(2) ? `.${step.key}` : `[${quoted(step.key)}]`;
    if (step.by === 'descend') return /^[a-z][a-z-]*$/.test(step.key) ? `..${step.key}` : `..[${quoted(step.key)}]`;
    if (step.by === 'filter')
      return dice.once(2) ? `[?(@.name==${quoted(step.name)})]` : `[?@.name == ${quoted(step.name)}]`;
    if (step.by === 'index') return `[${step.index}]`;
    if (step.by === 'slice') return `[${step.from}:${step.to}${step.step === 1 ? '' : `:${step.step}`}]`;
    if (step.by === 'last') return step.slice ? '[-1:]' : '[-1]';
    return dice.once(2) ? '[*]' : '.*';
  });
  return `$${parts.join('')}`;
}

/** What is to be written where. @throws Refused when it cannot be told. */
export function tell(source: Plain, target: Plain, steps: Step[]): Told {
  const told: Told = { assignments: [], missing: [] };
  if (steps[0]?.by === 'descend') {
    descend(source, target, steps[0].key, [], [], told);
    return told;
  }
  walk(source, target, steps, [], [], false, told);
  return told;
}

function walk(
  source: Plain,
  target: Plain | undefined,
  steps: Step[],
  from: Location,
  to: Location,
  wild: boolean,
  told: Told,
): void {
  const [step, ...rest] = steps;
  if (!step) return void told.assignments.push({ location: to, value: source, from });
  for (const [key, value] of chosen(source, step)) {
    // `[*]` of a scalar, of a list in the place of a map: nothing was selected below it.
    const all = leaves(value, rest, [...from, key]);
    if (all.length === 0) continue;
    const anyhow =
      wild || step.by === 'any-key' || step.by === 'any-entry' || rest.some(({ by }) => by.startsWith('any'));
    const place = placeIn(target, step, source, key);
    const below = placeOrUndefined(target, place);
    if (place !== undefined && below !== undefined) {
      walk(value, below, rest, [...from, key], [...to, place], anyhow, told);
      continue;
    }
    const fits = target === null || (typeof key === 'number' ? Array.isArray(target) : isMap(target));
    if (anyhow && fits && !PICKS.has(step.by)) told.missing.push(...all.map((each) => ({ ...each, to })));
    else if (rest.length === 0 && step.by === 'name' && (isMap(target) || target === null))
      told.assignments.push({ location: [...to, key], value, from: [...from, key] });
    else if (rest.length === 0 && step.by === 'index' && Array.isArray(target) && target.length === key)
      told.assignments.push({ location: [...to, key], value, from: [...from, key] });
    else throw new Refused(JSON.stringify(step), isAlike(target, key) ? to : undefined);
  }
}

const isAlike = (target: Plain | undefined, key: string | number): boolean =>
  (typeof key === 'number' ? isMap(target) : Array.isArray(target)) && Object.hasOwn(target as object, key);

/** What must find an entry. */
const PICKS = new Set<Step['by']>(['last', 'filter', 'slice']);

const placeOrUndefined = (target: Plain | undefined, place: string | number | undefined): Plain | undefined =>
  place === undefined ? undefined : (target as { [key: string | number]: Plain })[place];

function chosen(source: Plain, step: Step): [string | number, Plain][] {
  if (Array.isArray(source)) {
    const all = source.map((each, index): [number, Plain] => [index, each]);
    if (step.by === 'any-entry' || step.by === 'any-key') return all;
    if (step.by === 'index') return all.slice(step.index, step.index + 1);
    if (step.by === 'last') return all.slice(-1);
    if (step.by === 'slice') return all.slice(step.from, step.to).filter((_, index) => index % step.step === 0);
    if (step.by === 'filter') return all.filter(([, each]) => isMap(each) && each['name'] === step.name);
    return [];
  }
  if (!isMap(source)) return [];
  if (step.by === 'any-key' || step.by === 'any-entry') return Object.entries(source);
  if (step.by === 'filter')
    return Object.entries(source).filter(([, each]) => isMap(each) && each['name'] === step.name);
  return step.by === 'name' && Object.hasOwn(source, step.key) ? [[step.key, source[step.key]!]] : [];
}

function placeIn(
  target: Plain | undefined,
  step: Step,
  source: Plain,
  key: string | number,
): string | number | undefined {
  if (step.by === 'name') return isMap(target) && Object.hasOwn(target, key) ? key : undefined;
  if (step.by === 'filter') {
    const found = target === undefined || target === null || typeof target !== 'object' ? [] : chosen(target, step);
    if (found.length === 1 && chosen(source, step).length === 1) return found[0]![0];
    // In a map the key says which.
    if (isMap(target) && found.some(([name]) => name === key)) return key;
    throw new Refused('none or several');
  }
  if (step.by === 'slice') return inSlice(target, step, source, key as number);
  if (typeof key === 'string') return isMap(target) && Object.hasOwn(target, key) ? key : undefined;
  if (!Array.isArray(target)) return undefined;
  if (step.by === 'index') return step.index < target.length ? step.index : undefined;
  if (step.by === 'last') {
    if (target.length === 0) throw new Refused('an empty list');
    return target.length - 1;
  }
  const entry = (source as Plain[])[key]!;
  const found =
    isMap(entry) && isNamed([entry])
      ? target.findIndex((each) => isMap(each) && each['name'] === entry['name'])
      : target.indexOf(entry);
  return found === -1 ? undefined : found;
}

/** As many entries here as there; those with names by their names. */
function inSlice(target: Plain | undefined, step: Step, source: Plain, key: number): number {
  const [here, there] = [chosen(target ?? null, step), chosen(source, step)];
  if (here.length === 0 || here.length !== there.length) throw new Refused('another number of entries');
  const place = there.findIndex(([each]) => each === key);
  const entry = (source as Plain[])[key]!;
  if (here.length === 1 || !isMap(entry)) return here[place]![0] as number;
  const same = here.filter(([, each]) => isMap(each) && each['name'] === entry['name']);
  if (same.length !== 1) throw new Refused('no entry of that name');
  return same[0]![0] as number;
}

/** What the rest of a path selects below a value. */
function leaves(value: Plain, steps: Step[], from: Location): { from: Location; value: Plain }[] {
  const [step, ...rest] = steps;
  if (!step) return [{ from, value }];
  return chosen(value, step).flatMap(([key, each]) => leaves(each, rest, [...from, key]));
}

function descend(
  source: Plain,
  target: Plain | undefined,
  key: string,
  from: Location,
  to: Location,
  told: Told,
): void {
  if (isMap(source) && Object.hasOwn(source, key)) found(source[key]!, target, key, from, to, told);
  if (Array.isArray(source))
    source.forEach((each, index) => {
      const place = Array.isArray(target) ? placeIn(target, { by: 'any-entry' }, source, index) : undefined;
      const fits = target === undefined || target === null || Array.isArray(target);
      const below = place === undefined ? (fits ? undefined : NOWHERE) : (target as Plain[])[place as number]!;
      descend(each, below, key, [...from, index], place === undefined ? to : [...to, place], told);
    });
  else if (isMap(source))
    for (const [name, each] of Object.entries(source)) {
      // What stands within a selected value comes with it.
      if (name === key) continue;
      const has = isMap(target) && Object.hasOwn(target, name);
      const fits = target === undefined || target === null || isMap(target);
      descend(
        each,
        has ? target[name]! : fits ? undefined : NOWHERE,
        key,
        [...from, name],
        has ? [...to, name] : to,
        told,
      );
    }
}

/** A scalar stands where the source has a map or a list. */
const NOWHERE: Plain = '\0 nowhere';

function found(value: Plain, target: Plain | undefined, key: string, from: Location, to: Location, told: Told): void {
  if (isMap(target) && Object.hasOwn(target, key))
    told.assignments.push({ location: [...to, key], value, from: [...from, key] });
  else if (target === undefined || target === null || isMap(target))
    told.missing.push({ from: [...from, key], value, to });
  else throw new Refused('no map there');
}

/** Without those that stand within another. */
export const outermostOf = (all: Assignment[]): Assignment[] =>
  all.filter(
    ({ location }) =>
      !all.some(
        (each) => each.location.length < location.length && each.location.every((key, at) => key === location[at]),
      ),
  );

/** The target with the values in it; what a value stands within decides. */
export function assign(target: Plain, assignments: Assignment[]): Plain {
  const root = { value: structuredClone(target) };
  const outermost = outermostOf(assignments);
  for (const { location, value } of outermost) {
    const known = outermost.find((each) => JSON.stringify(each.location) === JSON.stringify(location))!;
    if (JSON.stringify(known.value) !== JSON.stringify(value)) throw new Refused('two values for one place');
    let at: { [key: string | number]: Plain } = root;
    let last: string | number = 'value';
    for (const key of location) {
      if (at[last] === null) at[last] = {};
      at = at[last] as typeof at;
      last = key;
    }
    at[last] = structuredClone(value);
  }
  return root.value;
}

/** The target with what is missing added to it, each entry with its name. */
export function add(target: Plain, source: Plain, missing: Missing[]): Plain {
  const root = { value: structuredClone(target) };
  for (const { from, to, value } of missing) {
    let holder: { [key: string | number]: Plain } = root;
    let last: string | number = 'value';
    const down = (key: string | number): void => {
      if (holder[last] === undefined || holder[last] === null) holder[last] = typeof key === 'number' ? [] : {};
      holder = holder[last] as typeof holder;
      last = key;
    };
    for (const key of to) down(key);
    for (let at = to.length; at < from.length; at += 1) {
      const key = from[at]!;
      if (typeof key === 'string') down(key);
      else {
        const entry = from.slice(0, at + 1).reduce<Plain>((each, step) => (each as typeof holder)[step]!, source);
        down(key);
        const list = holder as unknown as Plain[];
        const found = isMap(entry)
          ? list.findIndex((each) => isMap(each) && each['name'] === entry['name'])
          : list.indexOf(entry);
        last = found === -1 ? list.push(isMap(entry) ? { name: entry['name']! } : entry) - 1 : found;
      }
    }
    holder[last] = structuredClone(value);
  }
  return root.value;
}
