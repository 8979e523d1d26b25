import { Arg, Args, Ctx, ID, Query, Resolver, Root, Subscription } from 'type-graphql';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import { aboutOf, environmentAt } from '../core/own-steps.ts';
import type { PlannedPromotion, ReleasePlan } from '../core/plan.ts';
import type { GrowingReader } from '../events/growing-reader.ts';
import { ActionLogChunk, ActionLogConnection, ActionLogDelivery, ActionLogFilterInput } from '../schema/action-log.ts';
import { askedOf, badInput, numberIn, PageArgs, readCursor, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { RELEASE_NAMES } from '../schema/node.ts';
import { readChunks, readChunksBack } from '../store/action-logs.ts';
import type { LoggedChunk, LogQuery } from '../store/action-logs.ts';
import { Guarded, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { frozen } from './batches.ts';
import { asked } from './events.ts';
import { readsOf } from './reads.ts';
import { releaseIdOf } from './release-id.ts';
import { readRelease } from './release-parts.ts';

type Filter = ActionLogFilterInput | null | undefined;
const RELEASE = `Which release: ${RELEASE_NAMES}.`;
const FILTER = 'Of which actions; all without it.';

@Resolver(() => ActionLogChunk)
export class ActionLogResolver {
  @Guarded(SEES)
  @Query(() => ActionLogConnection, {
    description:
      'What the actions of the workflows of a release wrote, in the order in which it was kept. Empty when there is no such release.',
  })
  async actionLog(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('releaseId', () => ID, { description: RELEASE }) releaseId: string,
    @Arg('filter', () => ActionLogFilterInput, { nullable: true, description: FILTER }) filter?: Filter,
  ): Promise<Connection<ActionLogChunk>> {
    const asked = askedOf(page);
    const { limit, backwards } = asked;
    checkStorable({ filter });
    const from = numberIn(asked, 9) ?? null;
    const release = await releaseOf(context, releaseId);
    if (release === null) return toConnection<Shown, ActionLogChunk>([], page, keyOf, toChunk);
    const { id, plan } = release;
    const wanted = { ...wantedOf(plan, filter, await visibilityOf(context)), releaseId: id };
    const size = { limit, entries: context.app.limits.entriesPerPage };
    const { chunks, cut } = backwards
      ? await readChunksBack(readsOf(context), { ...wanted, before: from }, size)
      : await readChunks(readsOf(context), { ...wanted, after: from ?? 0 }, size);
    return toConnection(shownOf(plan, chunks), page, keyOf, toChunk, cut === null ? null : String(cut));
  }

  @Guarded(SEES)
  @Subscription(() => ActionLogDelivery, {
    description:
      'Every chunk after `after`, then each one as it is kept: once, in the order of the log. It goes on after the end of the release, which may be retried. ' +
      'After a broken connection subscribe again with the last cursor that you saw.',
    subscribe: ({ args, context }) => {
      const { releaseId, after, filter } = args as { releaseId: string; after?: string | null; filter?: Filter };
      return follow(context as ApiContext, releaseId, after, filter) as never;
    },
  })
  async actionLogAdded(
    @Ctx() context: ApiContext,
    @Root() chunk: LoggedChunk,
    @Arg('releaseId', () => ID, { description: RELEASE }) _releaseId: string,
    @Arg('after', () => String, {
      nullable: true,
      description: 'A cursor: everything after it. "": from the beginning of the log. Without it: from now on.',
    })
    _after?: string | null,
    @Arg('filter', () => ActionLogFilterInput, { nullable: true, description: FILTER }) _filter?: Filter,
  ): Promise<ActionLogDelivery> {
    const { plan } = (await frozen(context).load(chunk.releaseId))!;
    const { edges } = toConnection(shownOf(plan, [chunk]), { first: 1 }, keyOf, toChunk);
    return edges[0]!;
  }
}

interface Shown extends LoggedChunk {
  planned: PlannedPromotion;
}

const shownOf = ({ promotions }: ReleasePlan, chunks: readonly LoggedChunk[]): Shown[] =>
  chunks.map((each) => ({ ...each, planned: promotions[each.position] as PlannedPromotion }));
const keyOf = ({ sequence }: LoggedChunk): string => String(sequence);

function toChunk({ planned, sequence, at, step, attempt, try: number, text }: Shown): ActionLogChunk {
  const { application = null, work } = planned.steps.find(({ id }) => id === step) ?? {};
  return Object.assign(new ActionLogChunk(), {
    sequence,
    at,
    environment: planned.name,
    application: application === null ? null : (planned.applications[application]?.name ?? null),
    step,
    action: work?.kind === 'action' ? work.action.name : step,
    attempt,
    try: number,
    text,
  });
}

async function follow(
  context: ApiContext,
  name: string,
  after: string | null | undefined,
  filter: Filter,
): Promise<GrowingReader<LoggedChunk>> {
  checkStorable({ filter });
  const from = after === undefined || after === null ? null : placeOf(after);
  const release = await releaseOf(context, name);
  if (release === null) throw badInput(`there is no release "${name.slice(0, 60)}"`, 'releaseId');
  const { live } = context;
  const now = await visibilityOf(context);
  // What the caller sees is asked at each look: it can change while the subscription is open.
  return asked(() =>
    context.log.followActions(release.id, from, () => wantedOf(release.plan, filter, live ? live.visibility : now)),
  );
}

async function releaseOf(context: ApiContext, name: string): Promise<{ id: string; plan: ReleasePlan } | null> {
  const id = await releaseIdOf(context, name);
  if ((await readRelease(context, id)) === null) return null;
  const found = await frozen(context).load(id);
  return found ? { id, plan: found.plan } : null;
}

/** Of the places that the caller sees, those that are asked for. */
function wantedOf(
  plan: ReleasePlan,
  filter: Filter,
  visibility: Visibility | null,
): Pick<LogQuery, 'positions' | 'steps' | 'attempt' | 'try'> {
  const { product, promotions } = plan;
  const { environment, step, attempt, try: number } = filter ?? {};
  const positions = [...promotions.keys()].filter((position) => {
    const planned = promotions[position] as PlannedPromotion;
    // What is asked for eu has the log of its hook, too.
    const isAsked = [planned.name, aboutOf(plan, planned)].includes(environment ?? planned.name);
    return isAsked && sees(visibility, product, environmentAt(plan, position));
  });
  const named = (planned: PlannedPromotion): string[] =>
    planned.steps.flatMap(({ id, work }) =>
      id === step || (work.kind === 'action' && work.action.name === step) ? [id] : [],
    );
  return {
    positions,
    ...(typeof step === 'string' && {
      steps: [...new Set(positions.flatMap((each) => named(promotions[each] as PlannedPromotion)))],
    }),
    ...(typeof attempt === 'number' && { attempt }),
    ...(typeof number === 'number' && { try: number }),
  };
}

const placeOf = (cursor: string): number =>
  cursor === '' ? 0 : (numberIn({ key: readCursor(cursor), backwards: false }, 9) ?? 0);
