import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { applyManifests, checkManifests } from '../commands/apply-manifests.ts';
import type { AppliedChange, ManifestRefusal } from '../commands/apply-manifests.ts';
import { proposeDefinitions } from '../commands/propose-definitions.ts';
import type { ExpectedRevision } from '../commands/consider-manifests.ts';
import type { ProposeInput } from '../commands/propose-definitions.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { quote } from '../core/wording.ts';
import type { PlainManifests } from '../manifests/index.ts';
import type { ApiContext } from '../schema/context.ts';
import {
  ManifestsApplyInput,
  ManifestsApplyPayload,
  ManifestsCheckInput,
  ManifestsChecked,
  ManifestsProposeInput,
  ManifestsProposePayload,
} from '../schema/manifests.ts';
import type { ManifestChange } from '../schema/manifests.ts';
import { ManifestError } from '../schema/user-errors.ts';
import { appliesManifests } from './access/definition-rules.ts';
import { Guarded } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';
import { forget, manifestsIn } from './batches.ts';

@Resolver()
export class ManifestsResolver {
  @Guarded(appliesManifests)
  @Mutation(() => ManifestsApplyPayload, {
    description:
      'Creates or changes everything that the manifests hold, all of it or nothing. Applying the same again changes nothing.',
  })
  async manifestsApply(
    @Ctx() context: ApiContext,
    @Arg('input', () => ManifestsApplyInput, { description: 'The manifests.' }) input: ManifestsApplyInput,
  ): Promise<ManifestsApplyPayload> {
    const wrong = [...unstorable(input), ...doubled(input)];
    if (wrong.length > 0) return { changes: [], userErrors: refused(wrong) };
    const { text, fileName, dryRun } = input;
    const expected = input.expectedRevisions ?? [];
    const applying = { text, fileName: fileName ?? undefined, dryRun, prune: labelsIn(input), expected };
    const read = await manifestsIn(context, input);
    const idle = unguarding(expected, read, (input.prune ?? []).length > 0);
    if (idle.length > 0) return { changes: [], userErrors: refused(idle) };
    const { changes, errors } = await applyManifests(context.app, applying, context.actor, read);
    forget(context);
    return {
      changes: changes.map(toChange),
      userErrors: errors.map((each) => toManifestError(each)),
    };
  }

  @Guarded(appliesManifests)
  @Query(() => ManifestsChecked, {
    description:
      'What `manifestsApply` would answer as a dry run, with a place for every warning, too. It takes no lock, writes nothing, and is not in the audit log: ask it at every stroke of a key.',
  })
  async manifestsCheck(
    @Ctx() context: ApiContext,
    @Arg('input', () => ManifestsCheckInput, { description: 'The manifests.' }) input: ManifestsCheckInput,
  ): Promise<ManifestsChecked> {
    const wrong = [...unstorable(input), ...doubled(input)];
    if (wrong.length > 0) return { changes: [], warnings: [], userErrors: refused(wrong) };
    const { text, fileName, askHosts } = input;
    const checking = { text, fileName: fileName ?? undefined, prune: labelsIn(input), askHosts };
    const read = await manifestsIn(context, input);
    const { changes, errors, warnings } = await checkManifests(context.app, checking, context.actor, read);
    return {
      changes: changes.map(toChange),
      warnings: warnings.map(({ file, path, ...each }) => ({
        ...each,
        file: file ?? null,
        manifestPath: path.map(String),
      })),
      userErrors: errors.map((each) => toManifestError(each)),
    };
  }

  @Guarded(appliesManifests)
  @Mutation(() => ManifestsProposePayload, {
    description:
      'Opens a pull request that changes synced definitions in the files of their git source: in place, with all comments. What `manifestsApply` would refuse is refused. Nothing changes here before it is merged.',
  })
  async manifestsPropose(
    @Ctx() context: ApiContext,
    @Arg('input', () => ManifestsProposeInput, { description: 'The changes.' }) input: ManifestsProposeInput,
  ): Promise<ManifestsProposePayload> {
    const wrong = unstorable(input);
    if (wrong.length > 0) return { proposal: null, userErrors: refused(wrong) };
    const { text, fileName, removals, source, file, title, idempotencyKey } = input;
    const asked: ProposeInput = {
      text,
      removals: removals ?? [],
      ...given({ fileName, source, file, title, idempotencyKey }),
    };
    const read = await manifestsIn(context, input);
    const { value, errors = [], refusals = [] } = await proposeDefinitions(context.app, asked, context.actor, read);
    if (!value)
      return { proposal: null, userErrors: [...errors.map((each) => toManifestError(each)), ...refused(refusals)] };
    const { pullRequest, ...same } = value;
    return { proposal: { ...same, ...pullRequest }, userErrors: [] };
  }
}

/** Nothing carries two values of one label: which one was meant is not for us to say, where what carries it is deleted. */
function doubled({ prune }: Pick<ManifestsApplyInput, 'prune'>): Refusal[] {
  const known = new Set<string>();
  return (prune ?? []).flatMap(({ key }, at) => {
    if (known.has(key)) return refusal('DUPLICATE', `${quote(key)} is given twice; keep one`, ['prune', at, 'key']);
    known.add(key);
    return [];
  });
}

const labelsIn = ({ prune }: Pick<ManifestsApplyInput, 'prune'>): Record<string, string> | null | undefined =>
  prune && Object.fromEntries(prune.map(({ key, value }) => [key, value]));

const toChange = (change: AppliedChange): ManifestChange => ({
  ...change,
  diff: change.diff ?? null,
  document: change.document ?? null,
});

/**
 * Expected revisions that would guard nothing. Of a text that cannot be read the command says what is wrong.
 * @param deletes what the text does not have can be what is deleted: the command finds out
 */
function unguarding(
  expected: readonly ExpectedRevision[],
  { definitions, errors }: PlainManifests,
  deletes: boolean,
): Refusal[] {
  if (errors.length > 0) return [];
  const there = new Set(definitions.map(({ definition: { kind, metadata } }) => `${kind}/${metadata.name}`));
  const known = new Set<string>();
  return expected.flatMap(({ kind, name }, at) => {
    const key = `${kind}/${name}`;
    const path = ['expectedRevisions', at];
    if (!there.has(key) && !deletes)
      return refusal('INVALID', `the text has no ${kind} ${quote(name)}, so no revision of it can be expected`, path);
    if (known.has(key)) return refusal('INVALID', `the revision of ${kind} ${quote(name)} is expected twice`, path);
    known.add(key);
    return [];
  });
}

/** Without those that are left out. */
const given = <T extends Record<string, string | null | undefined>>(fields: T): { [K in keyof T]?: string } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as { [K in keyof T]?: string };

/** `text`: where in the arguments the manifests are. */
export function toManifestError(
  { code = 'INVALID', message, file, document, line, column, path }: ManifestRefusal,
  text = ['input', 'text'],
): ManifestError {
  const place = { file: file ?? null, document, line, column, manifestPath: path.map(String) };
  return Object.assign(new ManifestError(), { code, message, path: text, ...place });
}
