import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { applyManifests } from '../commands/apply-manifests.ts';
import type { ManifestError as Wrong } from '../manifests/index.ts';
import type { ApiContext } from '../schema/context.ts';
import { ManifestsApplyInput, ManifestsApplyPayload } from '../schema/manifests.ts';
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
    const wrong = unstorable(input);
    if (wrong.length > 0) return { changes: [], userErrors: refused(wrong) };
    const { text, fileName, dryRun } = input;
    const prune = input.prune && Object.fromEntries(input.prune.map(({ key, value }) => [key, value]));
    const applying = { text, fileName: fileName ?? undefined, dryRun, prune };
    const { changes, errors } = await applyManifests(
      context.app,
      applying,
      context.actor,
      await manifestsIn(context, input),
    );
    forget(context);
    return {
      changes: changes.map((each) => ({ ...each, diff: each.diff ?? null })),
      userErrors: errors.map((each) => toManifestError(each)),
    };
  }
}

/** `text`: where in the arguments the manifests are. */
export function toManifestError(
  { message, file, document, line, column, path }: Wrong,
  text = ['input', 'text'],
): ManifestError {
  const place = { file: file ?? null, document, line, column, manifestPath: path.map(String) };
  return Object.assign(new ManifestError(), { code: 'INVALID' as const, message, path: text, ...place });
}
