import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { explainFlowSelection, explainTrigger } from '../commands/trigger/explain.ts';
import { deleteIdentity, setIdentity } from '../commands/trigger/git-identities.ts';
import { pauseTriggers, resumeTriggers } from '../commands/trigger/pause-triggers.ts';
import { EVERYTHING } from '../core/access/index.ts';
import { triggerApplications } from '../core/trigger/sources.ts';
import type { ApiContext } from '../schema/context.ts';
import { badInput } from '../schema/connection.ts';
import { PromotionFlowDraftInput } from '../schema/promotion-flow.ts';
import type { UserError } from '../schema/user-errors.ts';
import {
  FlowConsidered,
  FlowSelectionExplanation,
  GitIdentity,
  GitIdentityDeleteInput,
  GitIdentityPayload,
  GitIdentitySetInput,
  Trigger,
  TriggerExplanation,
  TriggerPause,
  TriggerPauseInput,
  TriggerPausePayload,
  TriggerResumeInput,
} from '../schema/trigger.ts';
import { activePauses, gitIdentities, readCursors } from '../store/triggers.ts';
import { demand } from './access/guard.ts';
import type { Lookup } from './access/lookup.ts';
import type { Named } from './access/named.ts';
import { Guarded, SEES, may } from './access/rules.ts';
import { seesPlace } from './access/visible.ts';
import { checkStorable, gone, ifStorable, refused } from './answers.ts';
import { draftIn } from './flow-edits.ts';

const paused = (
  { input }: { input: { product?: string | null } },
  lookup: Lookup,
): Promise<Named> | [typeof EVERYTHING] => (input.product ? lookup.place(input.product, []) : [EVERYTHING]);

@Resolver()
export class TriggerResolver {
  @Guarded(SEES)
  @Query(() => [Trigger], { description: 'The applications whose changes start releases by themselves, by name.' })
  async triggers(
    @Ctx() context: ApiContext,
    @Arg('product', () => String, { nullable: true, description: 'Of this product; of all when left out.' })
    product?: string,
  ): Promise<Trigger[]> {
    checkStorable({ product });
    const { app } = context;
    const all = triggerApplications(await app.definitions.current()).filter(
      (each) => product === undefined || product === null || each.product === product,
    );
    const sees = await Promise.all(all.map((each) => seesPlace(context, each.product, each.environment)));
    const seen = all.filter((_, index) => sees[index]);
    const cursors = await readCursors(
      app.pool,
      seen.map(({ application }) => application),
    );
    const pauses = await activePauses(app.pool, app.clock.now());
    return seen
      .map(({ driver, ...fields }) => {
        const own = pauses.find((each) => each.product === null || each.product === fields.product);
        const git = driver.type === 'git' ? { repository: driver.repoURL, branch: driver.branch } : NO_REPOSITORY;
        const cursor = cursors.find(({ application }) => application === fields.application);
        return new Trigger({ ...fields, ...git }, cursor, own ? new TriggerPause(own) : null);
      })
      .sort((one, other) => (one.applicationName < other.applicationName ? -1 : 1));
  }

  @Guarded(SEES)
  @Query(() => [TriggerPause], { description: 'What pauses automatic triggers now, newest first.' })
  async triggerPauses(@Ctx() context: ApiContext): Promise<TriggerPause[]> {
    const { app } = context;
    const pauses = await activePauses(app.pool, app.clock.now());
    const sees = await Promise.all(pauses.map((each) => seesPlace(context, each.product, null)));
    return pauses.filter((_, index) => sees[index]).map((each) => new TriggerPause(each));
  }

  @Guarded(may('HOLD', paused))
  @Mutation(() => TriggerPausePayload, {
    description: 'Pauses automatic triggers: until it is over nothing becomes a release by itself.',
  })
  async triggerPause(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => TriggerPauseInput, { description: 'What, and why.' }) input: TriggerPauseInput,
  ): Promise<TriggerPausePayload> {
    const { product, reason, until, idempotencyKey } = input;
    const given = {
      reason,
      product: product || undefined,
      until: until ?? undefined,
      idempotencyKey: idempotencyKey ?? undefined,
    };
    const result = await ifStorable(input, () => pauseTriggers(app, given, actor));
    if (result.refusals) return { pauses: [], userErrors: refused(result.refusals) };
    return { pauses: [new TriggerPause(result.value)], userErrors: [] };
  }

  @Guarded(may('HOLD', paused))
  @Mutation(() => TriggerPausePayload, {
    description: 'Resumes automatic triggers: candidates that waited for it are looked at at once.',
  })
  async triggerResume(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => TriggerResumeInput, { description: 'What.' }) input: TriggerResumeInput,
  ): Promise<TriggerPausePayload> {
    const result = await ifStorable(input, () => resumeTriggers(app, { product: input.product || null }, actor));
    if (result.refusals) return { pauses: [], userErrors: refused(result.refusals) };
    return { pauses: result.value.map((each) => new TriggerPause(each)), userErrors: [] };
  }

  @Guarded(may('MANAGE_ACCESS', () => [EVERYTHING]))
  @Query(() => [GitIdentity], { description: 'Whose commits those of which address are, by address; at most 10,000.' })
  async gitIdentities(@Ctx() { app }: ApiContext): Promise<GitIdentity[]> {
    return (await gitIdentities(app.pool)).map((each) => new GitIdentity(each));
  }

  @Guarded(may('MANAGE_ACCESS', () => [EVERYTHING]))
  @Mutation(() => GitIdentityPayload, {
    description: 'Says whose commits those of an address are: the initiator of releases that start by themselves.',
  })
  async gitIdentitySet(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => GitIdentitySetInput, { description: 'The address and the user.' }) input: GitIdentitySetInput,
  ): Promise<GitIdentityPayload> {
    const result = await ifStorable(input, () => setIdentity(app, input, actor));
    if (result.refusals) return { identity: null, userErrors: refused(result.refusals) };
    return { identity: new GitIdentity(result.value), userErrors: [] };
  }

  @Guarded(may('MANAGE_ACCESS', () => [EVERYTHING]))
  @Mutation(() => GitIdentityPayload, { description: 'Commits of an address are known as nobody’s again.' })
  async gitIdentityDelete(
    @Ctx() { app }: ApiContext,
    @Arg('input', () => GitIdentityDeleteInput, { description: 'Which address.' }) input: GitIdentityDeleteInput,
  ): Promise<GitIdentityPayload> {
    const result = await ifStorable(input, () => deleteIdentity(app, input.email));
    return { identity: null, userErrors: refused(result.refusals ?? []) };
  }

  @Guarded(SEES)
  @Query(() => TriggerExplanation, {
    description: 'What a push to a repository leads to, application by application. Git is asked; nothing is written.',
  })
  async explainTrigger(
    @Ctx() context: ApiContext,
    @Arg('repository', () => String, { description: 'The address of the repository.' }) repository: string,
    @Arg('ref', () => String, { nullable: true, description: 'The branch, or a full ref; every branch when left out.' })
    ref?: string,
    @Arg('commit', () => String, { nullable: true, description: 'The full id of a commit; the head when left out.' })
    commit?: string,
  ): Promise<TriggerExplanation> {
    checkStorable({ repository, ref, commit });
    const asked = { repository, ref: ref ?? undefined, commit: commit ?? undefined };
    return explainTrigger(context.app, asked, (...place) => seesPlace(context, ...place));
  }

  @Guarded(SEES)
  @Query(() => [FlowSelectionExplanation], {
    description:
      'Which flow a change of a product would travel, and why. Nothing is asked of git: what is not said is not known.',
  })
  async explainFlowSelection(
    @Ctx() context: ApiContext,
    @Arg('product', () => String, { description: 'The name of the product.' }) product: string,
    @Arg('environment', () => String, { nullable: true, description: 'The trigger environment; all when left out.' })
    environment?: string,
    @Arg('message', () => String, { nullable: true, description: 'The message of the commit.' }) message?: string,
    @Arg('revisions', () => [String], { nullable: true, description: 'The commit, its branches and its tags.' })
    revisions?: string[],
    @Arg('draft', () => PromotionFlowDraftInput, {
      nullable: true,
      description:
        'A flow that is not saved: it stands for the saved one of its name, or is one more. It takes the permission to edit everything.',
    })
    draft?: PromotionFlowDraftInput | null,
  ): Promise<FlowSelectionExplanation[]> {
    checkStorable({ product, environment, message, revisions });
    if (draft) demand(context.identity, 'EDIT_DEFINITIONS', EVERYTHING);
    const given = draft ? await draftIn(context, draft) : undefined;
    if (given?.userErrors) {
      const [{ message: wrong, path }] = given.userErrors as [UserError];
      throw badInput(wrong, path?.join('.') ?? 'draft');
    }
    const asked = {
      draft: given?.flow,
      product,
      environment: environment ?? undefined,
      message: message ?? undefined,
      revisions: revisions ?? undefined,
    };
    const seen = await seesPlace(context, product, null);
    const { value, refusals } = await explainFlowSelection(context.app, asked);
    if (!seen || refusals) throw gone(`there is no product "${product}"`);
    return value.map(({ flows, ...each }) => ({ ...each, flows: flows.map((one) => FlowConsidered.of(one)) }));
  }
}

const NO_REPOSITORY = { repository: null, branch: null };
