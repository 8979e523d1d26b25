import { JSONPathNode, jsonpath } from 'json-p3';
import type { DocumentPath } from '../../core/json-path.ts';
import { isDescent, parsePath, selectorText } from '../../core/json-path.ts';
import type { ChosenStep } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { identitiesOf } from './identity.ts';
import type { Location, Plain } from './node.ts';
import { isPlainMap, LIMITS } from './node.ts';

const { IndexSelector, NameSelector } = jsonpath.selectors;

/** A value that a path selected, with how each step to it was chosen. */
export interface Match {
  location: Location;
  chosen: ChosenStep[];
  value: Plain;
}

/** @throws PermanentError when the path cannot be used */
export function usablePath(path: string): DocumentPath {
  const parsed = parsePath(path);
  if (typeof parsed === 'string') throw new PermanentError(parsed);
  return parsed;
}

/** What the path selects, in the order of the document, and what chose each step. */
export function select(root: Plain, path: DocumentPath): Match[] {
  const visits = new Visits(path.text);
  let current: Match[] = [{ location: [], chosen: [], value: root }];
  for (const segment of path.segments) {
    const descent = isDescent(segment);
    const next = new Map<string, Match>();
    for (const from of current.flatMap((each) => (descent ? [...visits.descend(each)] : [each])))
      for (const selector of segment.selectors)
        for (const match of choose(from, selector, descent, visits)) {
          const key = JSON.stringify(match.location);
          if (!next.has(key)) next.set(key, match);
        }
    current = [...next.values()];
  }
  return current;
}

class Visits {
  #left = LIMITS.visits;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  count(seen: number): void {
    this.#left -= seen;
    if (this.#left < 0) throw new PermanentError(`${this.#path} looks at more than ${LIMITS.visits} values`);
  }

  *descend(from: Match): Generator<Match> {
    this.count(1);
    yield from;
    for (const [key, value] of childrenOf(from.value)) yield* this.descend(step(from, key, value, { by: '..' }));
  }
}

function childrenOf(value: Plain): [string | number, Plain][] {
  if (Array.isArray(value)) return value.map((each, index) => [index, each]);
  return isPlainMap(value) ? Object.entries(value) : [];
}

function choose(from: Match, selector: jsonpath.JSONPathSelector, descent: boolean, visits: Visits): Match[] {
  if (typeof from.value !== 'object' || from.value === null) return [];
  const found = selector.resolve(new JSONPathNode(from.value, [], from.value));
  visits.count(found.length + (selector instanceof NameSelector ? 0 : childrenOf(from.value).length));
  return found.map((each, place) => {
    const key = each.location[0]!;
    const value = each.value as Plain;
    const isPlainStep = selector instanceof NameSelector || (selector instanceof IndexSelector && selector.index >= 0);
    // A name behind `..` is looked for everywhere: the path's author did not say that it is there.
    if (isPlainStep) return step(from, key, value, descent && typeof key === 'string' ? { by: '..' } : undefined);
    return step(from, key, value, { by: selectorText(selector), of: found.length, place });
  });
}

function step(from: Match, key: string | number, value: Plain, how: Omit<ChosenStep, 'at'> | undefined): Match {
  const at = from.location.length;
  const location = [...from.location, key];
  if (!how) return { location, chosen: from.chosen, value };
  const entry =
    Array.isArray(from.value) && !/^-?\d+$/.test(how.by) ? { entry: identitiesOf(from.value)[key as number]! } : {};
  return { location, chosen: [...from.chosen, { at, ...how, ...entry }], value };
}
