import { canonical } from '../canonical.ts';
import { sha256 } from '../content.ts';
import type { ChosenStep } from '../driver.ts';
import type { Plain, ScalarValue } from './node.ts';
import { isPlainMap } from './node.ts';

/** What an entry of a list can be found by in another file. */
export type Identity = NonNullable<ChosenStep['entry']>;

/** What the entries of lists are called by, the usual names first. A field counts where it holds a scalar. */
const FIELDS = [
  'name',
  'id',
  'key',
  'uid',
  'uuid',
  'guid',
  'slug',
  'alias',
  'host',
  'path',
  'mountPath',
  'containerPort',
  'port',
  'topologyKey',
  'kind',
  'type',
];

const known = new WeakMap<Plain[], Identity[]>();

/** What each entry of the list can be found by in another list. Two with one name are told apart by a second field. */
export function identitiesOf(list: Plain[]): Identity[] {
  const found = known.get(list);
  if (found) return found;
  const first = list.map(identityOf);
  const groups = new Map<string, number[]>();
  first.forEach((each, index) => {
    const key = canonical(each);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  });
  const identities = [...first];
  for (const group of groups.values()) {
    if (group.length === 1 || !('fields' in first[group[0]!]!)) continue;
    const second = FIELDS.find(
      (field) => new Set(group.map((index) => canonical(fieldOf(list[index]!, field) ?? null))).size === group.length,
    );
    if (second === undefined) continue;
    for (const index of group) {
      const value = fieldOf(list[index]!, second);
      const { fields } = first[index] as { fields: Record<string, string> };
      if (value !== undefined) identities[index] = { fields: { ...fields, [second]: value } };
    }
  }
  known.set(list, identities);
  return identities;
}

/** The same as texts, undefined where an entry has no name. */
export const namesIn = (list: Plain[]): (string | undefined)[] =>
  identitiesOf(list).map((each) => ('fields' in each ? canonical(each) : undefined));

function identityOf(entry: Plain): Identity {
  if (!isPlainMap(entry)) return Array.isArray(entry) ? { digest: digestOf(entry) } : { value: entry };
  const field = FIELDS.find((each) => fieldOf(entry, each) !== undefined);
  return field === undefined ? { digest: digestOf(entry) } : { fields: { [field]: fieldOf(entry, field) as string } };
}

function fieldOf(entry: Plain, field: string): Exclude<ScalarValue, null> | undefined {
  if (!isPlainMap(entry) || !Object.hasOwn(entry, field)) return undefined;
  const value = entry[field];
  return typeof value === 'object' ? undefined : value;
}

const digestOf = (entry: Plain): string => sha256(canonical(entry));

/** Which entries of the list this is. */
export function findEntries(list: Plain[], entry: Identity): number[] {
  return list.flatMap((each, index) => (isEntry(each, entry) ? [index] : []));
}

/** Whether this is the entry. */
export function isEntry(each: Plain, entry: Identity): boolean {
  if ('fields' in entry) return Object.entries(entry.fields).every(([field, value]) => fieldOf(each, field) === value);
  if ('value' in entry) return each === entry.value;
  return typeof each === 'object' && each !== null && digestOf(each) === entry.digest;
}

/** `[name=api]`. */
export const entryWords = (entry: Identity): string =>
  'fields' in entry
    ? `[${Object.entries(entry.fields)
        .map(([field, value]) => `${field}=${String(value)}`)
        .join(', ')}]`
    : 'value' in entry
      ? `[${JSON.stringify(entry.value)}]`
      : '[an entry without a name]';
