import type { Permission, Target } from '../../core/access/index.ts';
import { EVERYTHING } from '../../core/access/index.ts';
import type { Kind, Labels } from '../../core/definitions.ts';
import { refusal } from '../../core/problems.ts';
import type { Refusal } from '../../core/problems.ts';
import type { Selectable } from '../../core/selectors.ts';
import type { ApiContext } from '../../schema/context.ts';
import { readReleaseId, UUID } from '../../schema/node.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import { definitionsOf, frozen, summaries } from '../batches.ts';
import { releaseIdOf } from '../release-id.ts';
import { absent } from './named.ts';
import type { Named } from './named.ts';
import { seesDefinition, seesPlace } from './visible.ts';

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

  /**
   * Products and environments that a command names: what is said of the first one that the caller does not see, or that is not
   * there; null: all of them are seen. `product` null: none is named.
   */
  async unseen(product: string | null, environments: readonly Place[]): Promise<Refusal | null> {
    const { context } = this;
    const known = this.#snapshot;
    if (product !== null && !(known.products.has(product) && (await seesPlace(context, product, null)))) {
      return refusal('NOT_FOUND', `there is no product "${product}"`, ['product']);
    }
    for (const { name, path } of environments) {
      if (known.known.environments.has(name) && (await seesPlace(context, null, name))) continue;
      return refusal('NOT_FOUND', `there is no environment "${name}"`, path);
    }
    return null;
  }

  /** A product, in each of these environments; without any: in all that there are or will be. */
  async place(product: string | null, environments: readonly Place[]): Promise<Named> {
    const missing = await this.unseen(product, environments);
    const names = environments.map(({ name }) => name);
    const targets =
      product === null
        ? names.map((name) => ({ product: 'ALL' as const, environment: this.environment(name) }))
        : this.places(product, names);
    return { targets, seen: missing === null, absent: missing ?? NOTHING, own: targets };
  }

  /**
   * A release. Where it promotes to: every environment of its plan but the trigger, which it only reads.
   * @param onRollback what it takes where the release is a rollback
   */
  async release(id: string, onRollback?: Permission): Promise<Named> {
    const uuid = await releaseIdOf(this.context, id);
    // In the words that were given: the bare id of what is not seen stays unknown.
    const missing = refusal('NOT_FOUND', `there is no release "${readReleaseId(id)}"`, ['releaseId']);
    if (!UUID.test(uuid)) return absent(missing);
    const [summary, found] = await Promise.all([summaries(this.context).load(uuid), frozen(this.context).load(uuid)]);
    if (!summary || !found) return absent(missing);
    return {
      targets: this.places(summary.product, environmentsOf(found.plan)),
      seen: await seesPlace(this.context, summary.product, null),
      absent: missing,
      permission: found.plan.rollback ? onRollback : undefined,
    };
  }

  async application(name: string): Promise<Named> {
    const missing = refusal('NOT_FOUND', `there is no application "${name}"`, ['application']);
    const found = await definitionsOf(this.context, 'Application').load(name);
    if (!found) return absent(missing);
    const { product, environment } = found.spec;
    const seen = await seesDefinition(this.context, found);
    return { targets: this.places(product, [environment]), seen, absent: missing };
  }

  /**
   * What a save or a deletion of this definition changes: the definition as it is now, and as it is to be. What is created is
   * new: when the name is taken, the command tells so to a caller who may create it.
   */
  async definition(kind: Kind, input: GivenDefinition, how: 'CREATE' | 'CHANGE' | 'SAVE' | 'DELETE'): Promise<Named> {
    const { name } = input;
    const before = await definitionsOf(this.context, kind).load(name);
    const seen = before !== null && (await seesDefinition(this.context, before));
    const missing = refusal('NOT_FOUND', `there is no ${kind} "${name}"`, ['name']);
    const was = before ? [targetOf(kind, before.metadata, before.spec, this)] : [];
    if (how === 'DELETE') {
      const none = [targetOf(kind, { name, labels: {} }, {}, this)];
      return { targets: was.length > 0 ? was : none, seen, absent: missing };
    }
    const old = how === 'CREATE' ? null : before;
    const labels = input.labels ?? old?.metadata.labels ?? {};
    const own = [targetOf(kind, { name, labels }, { ...old?.spec, ...given(input) }, this)];
    if (how === 'CREATE') return { targets: own, own, seen: true, absent: missing };
    return { targets: [...own, ...was], own, seen: seen || how === 'SAVE', absent: missing };
  }
}

/** An environment that an input names, and where in the input. */
export interface Place {
  name: string;
  path: (string | number)[];
}

/** Of something that is seen: never shown. */
const NOTHING = refusal('NOT_FOUND', 'there is no such thing');

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
