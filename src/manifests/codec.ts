import { closest, quote } from '../core/wording.ts';
import { formatDuration, parseDuration } from '../core/duration.ts';

export type Path = (string | number)[];
/** `key`: the mistake is the name of the field, not its value. */
export type Report = (path: Path, message: string, at?: 'key') => void;

/**
 * One shape, both ways. `read` reports what is wrong and answers undefined then; what it answers is only used when
 * nothing was reported. `write` gives what `read` reads back to the same value.
 */
export interface Codec<T> {
  read(value: unknown, path: Path, report: Report): T | undefined;
  write(value: T): unknown;
}

export function nameOfType(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return `the text ${quote(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`;
  return `a ${typeof value}`;
}

const as =
  <T>(wanted: string, test: (value: unknown) => value is T, hint = (_: unknown) => '') =>
  (value: unknown, path: Path, report: Report): T | undefined => {
    if (test(value)) return value;
    report(path, `must be ${wanted}, but is ${nameOfType(value)}${hint(value)}`);
    return undefined;
  };

const same = <T>(value: T): unknown => value;

export const text: Codec<string> = {
  read: as(
    'a text',
    (value) => typeof value === 'string',
    (value) => (typeof value === 'number' || typeof value === 'boolean' ? `; put it in quotes: "${value}"` : ''),
  ),
  write: same,
};

export const integer: Codec<number> = {
  read: as('a whole number', (value): value is number => Number.isSafeInteger(value)),
  write: same,
};

export const boolean: Codec<boolean> = {
  read: as('true or false', (value) => typeof value === 'boolean'),
  write: same,
};

/** A text such as `1h30m`. A bare number says no unit, and is refused; none at all is none in any unit. */
export const duration: Codec<number> = {
  read(value, path, report) {
    if (value === 0) return 0;
    const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
    if (parsed === undefined) {
      const bare = typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
      const hint = bare ? `: add a unit, for example ${value}s, ${value}m or ${value}h` : '';
      report(path, `must be a duration such as 90s, 1h30m or 24h, but is ${nameOfType(value)}${hint}`);
    }
    return parsed;
  },
  // A value that is refused elsewhere (negative, too large) is still written as it is.
  write: (value) => (Number.isSafeInteger(value) && value >= 0 ? formatDuration(value) : value),
};

export function oneOf<T extends string>(...choices: T[]): Codec<T> {
  return {
    read(value, path, report) {
      if (choices.includes(value as T)) return value as T;
      const near = typeof value === 'string' ? closest(value, choices) : undefined;
      const hint = near ? `; did you mean ${near}?` : '';
      report(path, `must be ${choices.join(', ').replace(/, ([^,]*)$/, ' or $1')}, but is ${nameOfType(value)}${hint}`);
      return undefined;
    },
    write: same,
  };
}

export function list<T>(items: Codec<T>): Codec<T[]> {
  return {
    read(value, path, report) {
      if (!Array.isArray(value)) return as('a list', Array.isArray)(value, path, report) as undefined;
      return value.map((item, i) => items.read(item, [...path, i], report) as T);
    },
    write: (value) => value.map((item) => items.write(item)),
  };
}

/** Keys of the writer's own, in code point order when written: a database does not keep an order. */
export function map<T>(values: Codec<T>): Codec<Record<string, T>> {
  return {
    read(value, path, report) {
      if (!isMap(value)) return as('a map', isMap)(value, path, report) as undefined;
      const result: Record<string, T> = {};
      for (const [key, item] of Object.entries(value)) {
        if (key === '__proto__') report([...path, key], '__proto__ cannot be used as a key', 'key');
        else result[key] = values.read(item, [...path, key], report) as T;
      }
      return result;
    },
    write: (value) => Object.fromEntries(sorted(value).map(([key, item]) => [key, values.write(item)])),
  };
}

/** Any JSON; its limits of size and depth are those of `checkDefinition` and of the parser. */
export const json: Codec<unknown> = {
  read(value, path, report) {
    if (Array.isArray(value)) return value.map((item, i) => json.read(item, [...path, i], report));
    if (typeof value === 'object' && value !== null) return map(json).read(value, path, report);
    if (typeof value === 'number' && !Number.isFinite(value)) {
      report(path, `must be a number that JSON knows, but is ${value}`);
    } else if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) {
      report(path, `must be a text, a number, true, false, null, a list or a map, but is ${nameOfType(value)}`);
    }
    return value;
  },
  write(value) {
    if (Array.isArray(value)) return value.map((item) => json.write(item));
    if (typeof value === 'object' && value !== null) return map(json).write(value as Record<string, unknown>);
    return value;
  },
};

export interface Field<T> {
  codec: Codec<T>;
  required: boolean;
  /** Stands for an absent field, and is left out when written. */
  fallback?: T;
}

export const required = <T>(codec: Codec<T>): Field<T> => ({ codec, required: true });
export const optional = <T>(codec: Codec<T>): Field<T | undefined> => ({
  codec,
  required: false,
});
export const defaulted = <T>(codec: Codec<T>, fallback: T): Field<T> => ({ codec, required: false, fallback });

export type Fields<T> = { [K in keyof T]-?: Field<T[K]> };

/**
 * A map with these fields and no others; written in their order. The type makes sure that no field of the definition
 * is forgotten. `elsewhere` names keys that exist in another form of the manifest, with the sentence to say.
 */
export function object<T extends object>(fields: Fields<T>, elsewhere: Record<string, string> = {}): Codec<T> {
  const entries = Object.entries<Field<unknown>>(fields);
  const keys = entries.map(([key]) => key);
  return {
    read(value, path, report) {
      if (!isMap(value)) return as('a map', isMap)(value, path, report) as undefined;
      for (const key of Object.keys(value)) {
        if (keys.includes(key)) continue;
        const near = closest(key, keys);
        const known = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
        const hint = known ?? (near ? `did you mean ${near}?` : `known fields: ${keys.join(', ')}`);
        report([...path, key], `unknown field ${quote(key)}; ${hint}`, 'key');
      }
      const result: Record<string, unknown> = {};
      for (const [key, field] of entries) {
        const given = Object.hasOwn(value, key) ? value[key] : undefined;
        // `labels:` with nothing behind it is how people leave a field empty.
        if (given !== undefined && (given !== null || field.required)) {
          result[key] = field.codec.read(given, [...path, key], report);
        } else if (field.required) report(path, `the field ${key} is missing`);
        else if (field.fallback !== undefined) result[key] = structuredClone(field.fallback);
      }
      return result as T;
    },
    write(value) {
      const result: Record<string, unknown> = {};
      for (const [key, field] of entries) {
        const given = (value as Record<string, unknown>)[key];
        if (given === undefined || (field.fallback !== undefined && sameJson(given, field.fallback))) continue;
        result[key] = field.codec.write(given);
      }
      return result;
    },
  };
}

/** One of several shapes, told apart by the field `type`. */
export function byType<T extends { type: string }>(shapes: {
  [K in T['type']]: Codec<Extract<T, { type: K }>>;
}): Codec<T> {
  const types = Object.keys(shapes) as T['type'][];
  const howToChoose = (value: unknown) =>
    types.includes(value as string) ? `; write { type: ${String(value)} }` : `; its type is ${types.join(' or ')}`;
  const shape = (type: T['type']) => shapes[type] as unknown as Codec<T>;
  return {
    read(value, path, report) {
      if (!isMap(value)) return as('a map', isMap, howToChoose)(value, path, report) as undefined;
      if (value.type === undefined) {
        report(path, `the field type is missing; it is ${types.join(' or ')}`);
        return undefined;
      }
      const type = oneOf(...types).read(value.type, [...path, 'type'], report);
      return type && shape(type).read(value, path, report);
    },
    write: (value) => shape(value.type).write(value),
  };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(json.write(a)) === JSON.stringify(json.write(b));
}

function sorted<T>(value: Record<string, T>): [string, T][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
