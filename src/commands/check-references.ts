import type { EntityManager } from 'typeorm';
import type { Definition, Kind, Specs, StoredDefinition } from '../core/definitions.ts';
import { checkFlow } from '../core/flow.ts';
import type { Known } from '../core/flow.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import type { SecretUse } from '../core/secrets.ts';
import { resolveMembers } from '../core/selectors.ts';
import { allDefinitions } from '../store/definitions.ts';
import type { DataSource } from 'typeorm';

type Db = DataSource | EntityManager;

/** What a flow may name: environments, groups with their members as they are now, workflows. */
export async function knownNames(db: Db): Promise<Known> {
  // One after the other: inside a transaction they share a connection.
  const environments = await allDefinitions(db, 'Environment');
  const groups = await allDefinitions(db, 'EnvironmentGroup');
  const workflows = await allDefinitions(db, 'PromotionWorkflow');
  return knownAmong({ environments, groups, workflows });
}

export function knownAmong({
  environments,
  groups,
  workflows,
}: {
  environments: StoredDefinition<'Environment'>[];
  groups: StoredDefinition<'EnvironmentGroup'>[];
  workflows: StoredDefinition<'PromotionWorkflow'>[];
}): Known {
  const selectable = environments.map(({ metadata, spec: { kind } }) => ({ ...metadata, kind }));
  return {
    environments: new Map(environments.map((each) => [each.metadata.name, each])),
    groups: new Map(
      groups.map((each) => [each.metadata.name, resolveMembers(each.spec, selectable).map(({ name }) => name)]),
    ),
    workflows: new Map(workflows.map((each) => [each.metadata.name, each])),
  };
}

/** Where a definition's references are looked up. */
export interface Definitions {
  get<K extends Kind>(kind: K, name: string): Promise<StoredDefinition<K> | null>;
  /** What a flow may name. */
  known(): Promise<Known>;
  /** What these secrets are for. */
  secretUses(names: readonly string[]): Promise<ReadonlyMap<string, SecretUse>>;
}

/** Everything that a definition names must exist. */
export async function checkReferences(among: Definitions, definition: Definition): Promise<Refusal[]> {
  if (definition.kind === 'PromotionFlow')
    return checkFlow(definition.spec as Specs['PromotionFlow'], await among.known()).refusals;
  const missing: Refusal[] = [];
  const expect = async (kind: Kind, name: string | undefined, path: (string | number)[]): Promise<void> => {
    if (name === undefined || (await among.get(kind, name))) return;
    missing.push(
      refusal('UNKNOWN_REFERENCE', `there is no ${kind} "${name}": create it first, or in the same apply`, path),
    );
  };
  if (definition.kind === 'Application') {
    const { product, environment } = definition.spec as Specs['Application'];
    await expect('Product', product, ['spec', 'product']);
    await expect('Environment', environment, ['spec', 'environment']);
  } else if (definition.kind === 'Product') {
    const { promotionFlows, promotionTemplateRef } = definition.spec as Specs['Product'];
    await expect('PromotionTemplate', promotionTemplateRef, ['spec', 'promotionTemplateRef']);
    for (const [index, { name }] of promotionFlows.entries()) {
      await expect('PromotionFlow', name, ['spec', 'promotionFlows', index, 'name']);
    }
  }
  return missing;
}

/** What still names a definition that somebody wants to delete, or would break if it changed like this. */
export async function checkDependents(db: Db, kind: Kind, name: string): Promise<Refusal[]> {
  const users: string[] = [];
  const flows = await allDefinitions(db, 'PromotionFlow');
  const applications = await allDefinitions(db, 'Application');
  const products = await allDefinitions(db, 'Product');
  for (const { metadata, spec } of flows) {
    const names =
      kind === 'Environment'
        ? [spec.triggerEnvironment, ...spec.steps.map((step) => step.environment)]
        : kind === 'EnvironmentGroup'
          ? spec.steps.map((step) => step.group)
          : kind === 'PromotionWorkflow'
            ? [
                spec.triggerWorkflow,
                ...Object.values(spec.hooks ?? {}),
                ...spec.steps.flatMap((step) => [
                  step.workflow,
                  step.policy?.preAction,
                  step.policy?.postAction,
                  ...Object.values(step.hooks ?? {}),
                ]),
              ]
            : [];
    if (names.includes(name)) users.push(`PromotionFlow "${metadata.name}"`);
  }
  for (const { metadata, spec } of applications) {
    if ((kind === 'Environment' && spec.environment === name) || (kind === 'Product' && spec.product === name)) {
      users.push(`Application "${metadata.name}"`);
    }
  }
  for (const { metadata, spec } of products) {
    if (kind === 'PromotionTemplate' && spec.promotionTemplateRef === name) users.push(`Product "${metadata.name}"`);
    if (kind === 'PromotionFlow' && spec.promotionFlows.some((each) => each.name === name)) {
      users.push(`Product "${metadata.name}"`);
    }
  }
  if (users.length === 0) return [];
  const shown = users.slice(0, 10).join(', ') + (users.length > 10 ? ` and ${users.length - 10} more` : '');
  return [refusal('IN_USE', `${kind} "${name}" is used by ${shown}: change those first`, ['name'])];
}
