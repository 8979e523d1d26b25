import { formatDuration } from '../core/duration.ts';
import { typedIn } from '../core/kinds/shape.ts';
import type { ChoiceShape, MapShape, ObjectShape, Shape, Together } from '../core/kinds/shape.ts';
import type { Path } from '../core/kinds/walk.ts';
import { refusal, type Refusal } from '../core/problems.ts';
import { keyOfEntry } from './shape-types.ts';

type Plain = Record<string, unknown>;

/**
 * An input as a value of the core; the other direction of `toShape`. Null and absent fields mean what they mean in a manifest.
 * What no value can say (a key twice) is refused here; everything else is the core's to check.
 */
export function toSpec(shape: Shape, value: unknown, path: Path, refusals: Refusal[]): unknown {
  switch (shape.is) {
    case 'list':
      return (value as unknown[]).map((each, index) => toSpec(shape.of, each, [...path, index], refusals));
    case 'map':
      return toMap(shape, value as Plain[], path, refusals);
    case 'choice':
      return toChoice(shape, value as Plain, path, refusals);
    case 'object': {
      const given = givenIn(shape, value as Plain, path, refusals);
      if (shape.changes) return { ...nullsIn(shape, value as Plain), ...given };
      for (const [key, { fallback, apiFallback }] of Object.entries(shape.fields)) {
        if (given[key] === undefined && (apiFallback ?? fallback) !== undefined)
          given[key] = structuredClone(apiFallback ?? fallback);
      }
      return given;
    }
    default:
      return value;
  }
}

/** What changes to an object remove from it. */
const nullsIn = ({ fields }: ObjectShape, input: Plain): Plain =>
  Object.fromEntries(Object.keys(fields).flatMap((key) => (input[key] === null ? [[key, null]] : [])));

/** The fields of an object that an input gives. */
export function givenIn(object: ObjectShape, input: Plain, path: Path, refusals: Refusal[]): Plain {
  const { fields, together } = object;
  const result: Plain = {};
  for (const [key, { shape }] of Object.entries(fields)) {
    const each = input[key];
    if (each !== undefined && each !== null) result[key] = toSpec(shape, each, [...path, key], refusals);
  }
  Object.assign(result, typed(object, input, path, refusals));
  const chosen = together && input[together.field];
  if (!together || chosen === undefined || chosen === null) return result;
  const { choice, field, keys } = together;
  const { type, ...own } = (toSpec(choice, chosen, [...path, field], refusals) ?? {}) as Plain & { type?: string };
  for (const [name, each] of Object.entries(own)) result[keys[type!]![name]!] = each;
  return result;
}

/** JSON that an input gives in the form of its type, such as `http: {url: …}`: as a manifest has it, and with its type. */
function typed(object: ObjectShape, input: Plain, path: Path, refusals: Refusal[]): Plain {
  const result: Plain = {};
  for (const { key, by } of typedIn(object)) {
    const names = Object.keys(by.shapes).filter((name) => isGiven(input[name]));
    const [name, more] = names;
    const refuse = (message: string, at: Path): number => refusals.push(refusal('INVALID', message, at));
    if (name === undefined) {
      if (!isGiven(input[by.field]))
        refuse(`give \`${by.field}\` with \`${key}\`, or one of ${Object.keys(by.shapes).join(', ')}`, path);
      continue;
    }
    if (more !== undefined) refuse(`gives ${names.join(' and ')}: give one of them`, path);
    if (isGiven(input[key])) refuse(`is given beside \`${name}\`: give one of them`, [...path, key]);
    if (isGiven(input[by.field]) && input[by.field] !== name)
      refuse(`is ${String(input[by.field])}, and \`${name}\` is given: leave it out`, [...path, by.field]);
    const shape = by.shapes[name] as ObjectShape;
    result[by.field] = name;
    result[key] = written(shape, givenIn(shape, input[name] as Plain, [...path, name], refusals));
  }
  return result;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** Lengths of time as texts: in JSON a number has no unit. */
function written(shape: Shape, value: unknown): unknown {
  if (!isGiven(value)) return value;
  switch (shape.is) {
    case 'duration':
      return formatDuration(value as number);
    case 'list':
      return (value as unknown[]).map((each) => written(shape.of, each));
    case 'object':
      return Object.fromEntries(
        Object.entries(value as Plain).map(([key, each]) => [key, written(shape.fields[key]!.shape, each)]),
      );
    default:
      return value;
  }
}

/** What of an object an input says as one: a new choice leaves nothing of the old one. */
export function replacedKeys({ together }: ObjectShape, input: object): string[] {
  return together && (input as Plain)[together.field] !== undefined ? keysOf(together) : [];
}

const keysOf = ({ keys }: Together): string[] => Object.values(keys).flatMap((names) => Object.values(names));

function toChoice({ choices }: ChoiceShape, value: Plain, path: Path, refusals: Refusal[]): unknown {
  const [chosen, more] = Object.keys(choices).filter((key) => value[key] !== undefined && value[key] !== null);
  const given = chosen === undefined ? undefined : value[chosen];
  if (chosen === undefined || more !== undefined || given === false) {
    refusals.push(refusal('INVALID', `give exactly one of ${Object.keys(choices).join(', ')}`, path));
    return undefined;
  }
  const own = given === true ? {} : toSpec(choices[chosen]!.shape, given, [...path, chosen], refusals);
  return { type: chosen, ...(own as Plain) };
}

function toMap({ keys, of }: MapShape, entries: Plain[], path: Path, refusals: Refusal[]): Plain {
  const name = keyOfEntry(keys);
  const result = new Map<string, unknown>();
  entries.forEach((entry, index) => {
    const key = entry[name] as string;
    if (result.has(key))
      refusals.push(refusal('DUPLICATE', `"${key}" is given twice; keep one`, [...path, index, name]));
    if (key === '__proto__')
      refusals.push(refusal('INVALID', `"${key}" cannot be a key; rename it`, [...path, index, name]));
    else result.set(key, of.is === 'object' ? toSpec(of, entry, [...path, index], refusals) : entry.value);
  });
  return Object.fromEntries(result);
}

/** Where in an input a path of the value stands: an entry's place for its key, the chosen field for a `type`. */
export function inputPath(shape: Shape | undefined, input: unknown, path: Path): Path {
  if (shape?.is === 'object' && shape.together) {
    const inside = pathTogether(shape.together, input as Plain, path[0]);
    if (inside) return inside;
  }
  if (shape?.is === 'choice') {
    const given = Object.entries((input ?? {}) as Plain).find(([, each]) => each !== undefined && each !== null);
    if (given === undefined || path.length === 0 || path[0] === 'type') return [];
    return [given[0], ...inputPath(shape.choices[given[0]]?.shape, given[1], path)];
  }
  const [head, ...rest] = path;
  if (head === undefined) return [];
  if (shape?.is === 'object') {
    const told = typedIn(shape).find(({ key, by }) => key === head || by.field === head);
    const name = Object.keys(told?.by.shapes ?? {}).find((each) => isGiven((input as Plain | undefined)?.[each]));
    if (told && name !== undefined)
      return [name, ...(head === told.key ? inputPath(told.by.shapes[name], (input as Plain)[name], rest) : [])];
  }
  if (shape?.is === 'map' && Array.isArray(input)) {
    const place = (input as Plain[]).findIndex((each) => each[keyOfEntry(shape.keys)] === head);
    return place < 0 ? path : [place, ...inputPath(shape.of, input[place], rest)];
  }
  const inner = shape?.is === 'object' ? shape.fields[head]?.shape : shape?.is === 'list' ? shape.of : undefined;
  return [head, ...inputPath(inner, (input as Plain | undefined)?.[head], rest)];
}

/** In the choice that was made; what is said of the object as a whole is said of that, too. */
function pathTogether(together: Together, input: Plain, part: string | number | undefined): Path | undefined {
  if (part !== undefined && !keysOf(together).includes(String(part))) return undefined;
  const { field, keys } = together;
  const given = Object.entries((input[field] ?? {}) as Plain);
  const choice = given.find(([, each]) => each !== undefined && each !== null)?.[0];
  if (choice === undefined) return [field];
  const name = Object.entries(keys[choice] ?? {}).find(([, key]) => key === part)?.[0];
  return name === undefined ? [field, choice] : [field, choice, name];
}
