import { EVERYTHING, SOMEWHERE } from '../../core/access/index.ts';
import type { Kind } from '../../core/definitions.ts';
import { manifestsIn } from '../batches.ts';
import { demand } from './guard.ts';
import { may } from './rules.ts';
import type { Rule } from './rules.ts';
import type { GivenDefinition } from './lookup.ts';
import type { Named } from './named.ts';

type Input = Omit<GivenDefinition, 'labels'> & { labels?: { key: string; value: string }[] | null };

export function saves(kind: Kind, how: 'CREATE' | 'CHANGE' | 'SAVE'): Rule {
  return may('EDIT_DEFINITIONS', ({ input }: { input: Input }, lookup) => {
    const labels = input.labels && Object.fromEntries(input.labels.map(({ key, value }) => [key, value]));
    return lookup.definition(kind, { ...input, labels: labels ?? undefined }, how);
  });
}

export function deletes(kind: Kind): Rule {
  return may('EDIT_DEFINITIONS', ({ input }: { input: Input }, lookup) =>
    lookup.definition(kind, { name: input.name }, 'DELETE'),
  );
}

/** Several things that one command names and that are seen. */
function together(named: Named[]): Named {
  const [first] = named as [Named];
  return { ...first, targets: named.flatMap(({ targets }) => targets), own: named.flatMap(({ own = [] }) => own) };
}

interface ManifestsInput {
  text: string;
  fileName?: string | null;
  prune?: unknown[] | null;
  removals?: unknown[] | null;
}

/**
 * Everything in the manifests, and what is not in them where that is deleted; what cannot be read changes nothing, and the answer says where it is wrong. Nothing is read for
 * a caller who may edit nothing at all.
 */
export const appliesManifests = may('EDIT_DEFINITIONS', async ({ input }: { input: ManifestsInput }, lookup) => {
  demand(lookup.context.identity, 'EDIT_DEFINITIONS', SOMEWHERE);
  const { definitions } = await manifestsIn(lookup.context, input);
  const named = await Promise.all(
    definitions.map(({ definition: { kind, metadata, spec } }) =>
      lookup.definition(kind, { ...spec, name: metadata.name, labels: metadata.labels }, 'SAVE'),
    ),
  );
  // Which definitions carry the labels is known in the transaction alone.
  const pruned = input.prune?.length || input.removals?.length ? [EVERYTHING] : [];
  if (named.length === 0) return pruned.length > 0 ? pruned : [SOMEWHERE];
  const all = together(named);
  return { ...all, targets: [...all.targets, ...pruned] };
});
