import type { Definition, Kind, Labels, Metadata, Specs, StoredDefinition } from '../core/definitions.ts';
import { metadata } from '../core/kinds/common.ts';
import { SPECS } from '../core/kinds/index.ts';
import { fallbacksOf, type ObjectShape } from '../core/kinds/shape.ts';
import type { Refusal } from '../core/problems.ts';
import type { Result } from '../commands/result.ts';
import { givenIn, inputPath, replacedKeys } from '../schema/spec-input.ts';
import { unstorable } from './answers.ts';

type Path = (string | number)[];
type Plain = Record<string, unknown>;

/** An input as a definition. With `before`, what the input leaves out stays as it was, and what is null is removed. */
export function toDefinition<K extends Kind>(
  kind: K,
  input: object,
  before?: StoredDefinition<K>,
): Result<Definition<K>> {
  const refusals: Refusal[] = unstorable(input);
  if (refusals.length > 0) return { refusals };
  const shape = SPECS[kind];
  const given = givenIn(shape, input as Plain, [], refusals);
  const { name, labels, annotations } = givenIn(metadata, input as Plain, [], refusals) as Partial<Metadata>;
  if (refusals.length > 0) return { refusals };
  const merged: Plain = { ...before?.spec };
  for (const key of replacedKeys(shape, input)) delete merged[key];
  Object.assign(merged, given);
  const emptied = Object.entries(input).flatMap(([key, value]) => (value === null ? [key] : []));
  for (const key of emptied) delete merged[key];
  const kept = (key: 'labels' | 'annotations'): Labels => (emptied.includes(key) ? {} : (before?.metadata[key] ?? {}));
  return {
    value: {
      kind,
      metadata: {
        name: name as string,
        labels: labels ?? kept('labels'),
        annotations: annotations ?? kept('annotations'),
      },
      spec: { ...fallbacksOf(shape as ObjectShape), ...merged } as Specs[K],
    },
  };
}

/** A refusal's path in a definition (or in a command's options) as a path in the input. */
export function placeIn(kind: Kind, input: object): (path: Path) => Path {
  return (path) => {
    const [head, ...rest] = path;
    if (head === 'metadata') return inputPath(metadata, input, rest);
    return head === 'spec' ? inputPath(SPECS[kind], input, rest) : path;
  };
}
