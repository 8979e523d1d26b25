import type { Target } from '../../core/access/index.ts';
import { planRelease } from '../../commands/trigger-release.ts';
import type { TriggerInput } from '../../commands/trigger-release.ts';
import { environmentsOf } from './lookup.ts';
import type { Lookup } from './lookup.ts';

/** Where a new release would promote to, by the flow that it would get. */
export async function releasing({ input }: { input: TriggerInput }, lookup: Lookup): Promise<Target[]> {
  const { product, commit, version, flow } = input;
  const given = { product, commit: commit ?? undefined, version: version ?? undefined, flow: flow ?? undefined };
  const planned = await planRelease(lookup.context.app, given);
  return lookup.places(product, planned.refusals ? [] : environmentsOf(planned.value.plan));
}
