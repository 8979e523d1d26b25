import type { Target } from '../../core/access/index.ts';
import { EVERYTHING } from '../../core/access/index.ts';
import type { Kind, Labels } from '../../core/definitions.ts';
import type { Selectable } from '../../core/selectors.ts';
import type { ApiContext } from '../../schema/context.ts';
import { readReleaseId, UUID } from '../../schema/node.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import { definitionsOf, frozen, summaries } from '../batches.ts';

/** Finds what arguments concern. A name that nothing has is a thing without labels: only grants by its name reach it. */
export class Lookup {
  readonly context: ApiContext;
  readonly #snapshot: DefinitionSnapshot;

  static async of(context: ApiContext): Promise<Lookup> {
    return new Lookup(context, await context.app.definitions.current());
  }

  private constructor(context: ApiContext, snapshot: DefinitionSnapshot) {
    this.context = context;
    this.#snapshot = snapshot;
  }

  product(name: string): Selectable {
    return this.#snapshot.product(name);
  }

  environment(name: string): Selectable {
    return this.#snapshot.environment(name);
  }

  /** Of a product, in each of these environments; without any: in all that there are or will be. */
  places(product: string, environments: readonly string[]): Target[] {
    return this.#snapshot.places(product, environments);
  }

  /** Where a release promotes to: every environment of its plan but the trigger, which it only reads. */
  async release(id: string): Promise<Target[]> {
    const uuid = readReleaseId(id);
    if (!UUID.test(uuid)) return [EVERYTHING];
    const [summary, found] = await Promise.all([summaries(this.context).load(uuid), frozen(this.context).load(uuid)]);
    if (!summary || !found) return [EVERYTHING];
    return this.places(summary.product, environmentsOf(found.plan));
  }

  async application(name: string): Promise<Target[]> {
    const found = await definitionsOf(this.context, 'Application').load(name);
    return found ? this.places(found.spec.product, [found.spec.environment]) : [EVERYTHING];
  }

  /** What somebody changes who saves or deletes this definition: as it is now, and as it is to be. */
  async definition(kind: Kind, input: GivenDefinition, deletes = false): Promise<Target[]> {
    const before = await definitionsOf(this.context, kind).load(input.name);
    const targets = before ? [targetOf(kind, before.metadata, before.spec, this)] : [];
    if (deletes) return targets.length > 0 ? targets : [targetOf(kind, { name: input.name, labels: {} }, {}, this)];
    const labels = input.labels ?? before?.metadata.labels ?? {};
    return [...targets, targetOf(kind, { name: input.name, labels }, { ...before?.spec, ...given(input) }, this)];
  }
}

/** What decides who may change it; the rest of it does not matter here. */
export interface GivenDefinition {
  name: string;
  labels?: Labels;
  product?: string | null;
  environment?: string | null;
  kind?: string | null;
}

function given(input: GivenDefinition): object {
  const entries = Object.entries(input).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries);
}

/** Flows, groups, workflows, templates and windows work on many products and environments: they are everybody's. */
function targetOf(
  kind: Kind,
  { name, labels }: { name: string; labels: Labels },
  spec: object,
  lookup: Lookup,
): Target {
  const { product, environment, kind: environmentKind } = spec as Partial<Record<string, string>>;
  if (kind === 'Product') return { product: { name, labels }, environment: 'ALL' };
  if (kind === 'Environment') return { product: 'ALL', environment: { name, labels, kind: environmentKind } };
  if (kind !== 'Application' || product === undefined || environment === undefined) return EVERYTHING;
  return { product: lookup.product(product), environment: lookup.environment(environment) };
}

export function environmentsOf(plan: {
  triggerEnvironment: string;
  promotions: readonly { environment: string | null }[];
}): string[] {
  const names = plan.promotions.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  return [...new Set(names)].filter((name) => name !== plan.triggerEnvironment);
}
