import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { syncSource } from '../commands/sync-source.ts';
import type { GitSourceSpec } from '../core/definitions.ts';
import { refusal } from '../core/problems.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import type { ApiContext } from '../schema/context.ts';
import { DEFINITION_TYPES, GitSource } from '../schema/definition-types.ts';
import { GitSourceStatus, GitSourceSyncInput, GitSourceSyncPayload } from '../schema/git-source.ts';
import { RepositoryLook } from '../schema/repository-look.ts';
import { deletes } from './access/definition-rules.ts';
import { Guarded } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';
import { forget, looksOf, standingsOf } from './batches.ts';
import { readNode } from './definitions.ts';

const { GitSource: GIT_SOURCE } = DEFINITION_TYPES;

@Resolver(() => GitSource)
export class GitSourceResolver {
  @FieldResolver(() => GitSourceStatus, { description: 'How it stands.' })
  async status(@Ctx() context: ApiContext, @Root() { name, revision }: GitSource): Promise<GitSourceStatus> {
    return new GitSourceStatus((await standingsOf(context)).get(name) ?? null, revision);
  }

  @FieldResolver(() => RepositoryLook, {
    nullable: true,
    description: 'The last look at its repository; null: there was none so far.',
  })
  async look(@Ctx() context: ApiContext, @Root() { stored }: GitSource): Promise<RepositoryLook | null> {
    const { repoURL, branch } = stored.spec as GitSourceSpec;
    const shown = (await looksOf(context)).get(repositoryKey(repoURL));
    return shown ? new RepositoryLook(shown, branch) : null;
  }

  // Whoever may delete it can have all that it does undone.
  @Guarded(deletes('GitSource'))
  @Mutation(() => GitSourceSyncPayload, {
    description:
      'Reads the repository of a git source now and applies what it says; by itself that is done at each push.',
  })
  async gitSourceSync(
    @Ctx() context: ApiContext,
    @Arg('input', () => GitSourceSyncInput, { description: 'Which one.' }) input: GitSourceSyncInput,
  ): Promise<GitSourceSyncPayload> {
    const wrong = unstorable(input);
    if (wrong.length > 0) return { gitSource: null, changed: 0, userErrors: refused(wrong) };
    const { name } = input;
    const { kind, changed } = await syncSource(context.app, name, undefined, context.app.clock.limit('look', LONGEST));
    forget(context);
    if (kind === 'GONE') {
      const userErrors = refused([refusal('NOT_FOUND', `there is no GitSource "${name}"`, ['name'])]);
      return { gitSource: null, changed: 0, userErrors };
    }
    return { gitSource: await readNode(context, GIT_SOURCE, name), changed, userErrors: [] };
  }
}

/** A sync that a caller waits for, in milliseconds. */
const LONGEST = 60_000;
