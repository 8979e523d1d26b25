import type { Definition, Kind, Labels, Specs, StoredDefinition } from '../core/definitions.ts';
import { DEFAULT_QUEUE_LIMIT } from '../core/definitions.ts';
import type { Refusal } from '../core/problems.ts';
import type { Result } from '../commands/result.ts';
import { inputPath, replacedKeys, toSpec } from '../schema/spec-input.ts';
import { unstorable } from './answers.ts';

type Path = (string | number)[];
type Plain = Record<string, unknown>;

/** What an absent field means; the same as in manifests. */
const DEFAULTS: { [K in Kind]?: Partial<Specs[K]> } = {
  Product: { promotionFlows: [], concurrency: 'QUEUE', queueLimit: DEFAULT_QUEUE_LIMIT },
  Application: { health: { type: 'none' } },
  EnvironmentGroup: { gate: { policy: 'ALL' }, maxFailures: 0 },
  PromotionFlow: { onFailure: 'FINISH_RUNNING' },
  ReleaseWindow: {
    selector: { environments: {}, products: {} },
    holds: ['PROMOTE'],
    onClose: 'FINISH',
    runway: false,
  },
};

/** An input as a definition. With `before`, what the input leaves out stays as it was, and what is null is removed. */
export function toDefinition<K extends Kind>(
  kind: K,
  input: object,
  before?: StoredDefinition<K>,
): Result<Definition<K>> {
  const refusals: Refusal[] = unstorable(input);
  if (refusals.length > 0) return { refusals };
  const given = toSpec(input, [], refusals) as Plain;
  if (refusals.length > 0) return { refusals };
  const { name, labels, annotations, idempotencyKey: _key, expectedRevision: _revision, ...spec } = given;
  const merged: Plain = { ...before?.spec };
  for (const key of replacedKeys(input)) delete merged[key];
  Object.assign(merged, spec);
  const emptied = Object.entries(input).flatMap(([key, value]) => (value === null ? [key] : []));
  for (const key of emptied) delete merged[key];
  const kept = (key: 'labels' | 'annotations'): Labels => (emptied.includes(key) ? {} : (before?.metadata[key] ?? {}));
  return {
    value: {
      kind,
      metadata: {
        name: name as string,
        labels: (labels as Labels | undefined) ?? kept('labels'),
        annotations: (annotations as Labels | undefined) ?? kept('annotations'),
      },
      spec: { ...DEFAULTS[kind], ...merged } as Specs[K],
    },
  };
}

/** A refusal's path in a definition (or in a command's options) as a path in the input. */
export function placeIn(input: object): (path: Path) => Path {
  return (path) => {
    const [head, ...rest] = path;
    return head === 'metadata' || head === 'spec' ? inputPath(input, rest) : path;
  };
}
