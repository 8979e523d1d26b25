import type { Orderer } from '../../commands/orderer.ts';
import { sees } from '../../core/access/index.ts';
import type { Visibility } from '../../core/access/index.ts';
import type { Kind, Specs } from '../../core/definitions.ts';
import { loaderOf } from '../../schema/context.ts';
import type { ApiContext } from '../../schema/context.ts';

/** What the caller sees; null: everything. */
export async function visibilityOf(context: ApiContext): Promise<Visibility | null> {
  const { identity, live } = context;
  if (!identity) return null;
  if (live) return live.visibility;
  return loaderOf(context, 'visibility', async ({ definitions }) =>
    (await definitions.current()).visibleTo(identity.grants),
  );
}

/** The caller as commands take one: with the people behind a token, and what refusals may name. */
export async function ordererOf(context: ApiContext): Promise<Orderer> {
  return { makers: context.caller?.makers, visible: await visibilityOf(context) };
}

export async function seesPlace(
  context: ApiContext,
  product: string | null,
  environment: string | null,
): Promise<boolean> {
  const visibility = await visibilityOf(context);
  if (visibility === null) return true;
  if (product !== null) return sees(visibility, product, environment);
  return environment === null || visibility.environments.has(environment);
}

/** Flows, groups, workflows, templates and windows are shared: a caller who sees anything sees them. */
export async function seesDefinition(
  context: ApiContext,
  { kind, metadata, spec }: { kind: Kind; metadata: { name: string }; spec: unknown },
): Promise<boolean> {
  if (kind === 'Product') return seesPlace(context, metadata.name, null);
  if (kind === 'Environment') return seesPlace(context, null, metadata.name);
  if (kind !== 'Application') return true;
  const { product, environment } = spec as Specs['Application'];
  return seesPlace(context, product, environment);
}
