import type { PinnedValue } from '../driver.ts';
import type { Location, Plain, Want } from './node.ts';
import { isPlainMap } from './node.ts';

/** A pinned value with how its scalars were written: those that need it follow it in its list, each with its own place. */
function wantOf(pinned: PinnedValue, written: Map<string, string>): Want {
  const loose = pinned.chosen === undefined ? { loose: true } : {};
  const build = (value: Plain, location: Location): Want => {
    if (Array.isArray(value))
      return { kind: 'list', items: value.map((each, index) => build(each, [...location, index])) };
    if (isPlainMap(value))
      return {
        kind: 'map',
        entries: new Map(Object.entries(value).map(([key, each]) => [key, build(each, [...location, key])])),
      };
    const text = written.get(JSON.stringify(location));
    return { kind: 'scalar', value, ...(text === undefined ? {} : { written: text }), ...loose };
  };
  return build(pinned.value as Plain, pinned.location);
}

/** Whether a place of the source lies within one of the maps and lists that are promoted whole. */
export function coveredBy(values: readonly PinnedValue[]): (location: Location) => boolean {
  const whole = values.filter(({ value }) => typeof value === 'object' && value !== null);
  const places = new Set(whole.map(({ location }) => JSON.stringify(location)));
  return (location) => location.some((_, end) => places.has(JSON.stringify(location.slice(0, end))));
}

/** The values to be put somewhere, each with what it is made of, and how its scalars are written. */
export function wantsOf(locations: PinnedValue[]): { pinned: PinnedValue; want: Want }[] {
  const written = new Map<string, string>();
  for (const { location, text } of locations) if (text !== undefined) written.set(JSON.stringify(location), text);
  const isCovered = coveredBy(locations);
  return locations.flatMap((pinned) => (isCovered(pinned.location) ? [] : [{ pinned, want: wantOf(pinned, written) }]));
}

/** What is wanted, as a reader will have it. */
export function plainOf(want: Want): Plain {
  if (want.kind === 'scalar') return want.value;
  if (want.kind === 'list') return want.items.map(plainOf);
  return Object.fromEntries([...want.entries].map(([key, each]) => [key, plainOf(each)]));
}

/** Every scalar as it is written, for telling whether two wants are one. */
export const sameWant = (a: Want, b: Want): boolean => {
  if (a.kind === 'scalar') return b.kind === 'scalar' && a.value === b.value && a.written === b.written;
  if (a.kind === 'list')
    return (
      b.kind === 'list' &&
      a.items.length === b.items.length &&
      a.items.every((each, index) => sameWant(each, b.items[index]!))
    );
  if (b.kind !== 'map' || a.entries.size !== b.entries.size) return false;
  return [...a.entries].every(([key, each]) => b.entries.has(key) && sameWant(each, b.entries.get(key)!));
};
