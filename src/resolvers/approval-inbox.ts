import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root, Subscription } from 'type-graphql';
import { askedNow } from '../core/approvals/may-decide.ts';
import type { ReleaseEventType } from '../core/events.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { PromotionState } from '../core/release.ts';
import { cursorOf } from '../events/cursor.ts';
import { ApprovalFilterInput } from '../schema/approval.ts';
import { ApprovalInboxConnection, ApprovalInboxEvent } from '../schema/approval-payloads.ts';
import { askedOf, foreignKey, PageArgs, toConnection } from '../schema/connection.ts';
import type { Asked, CountedConnection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { EnvironmentPromotion } from '../schema/promotion.ts';
import type { WholeRelease } from '../schema/promotion.ts';
import { listAskedPromotions } from '../store/approval-reads.ts';
import type { AskedPromotion } from '../store/approval-reads.ts';
import type { LoggedEvent } from '../store/event-log.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesPlace } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { canApprove } from './approval.ts';
import { countResolver } from './counts.ts';
import { asked, subscribed } from './events.ts';
import { partsOf, readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

/** The connection, and the place of the log from which on its changes are told. */
interface Inbox extends CountedConnection<EnvironmentPromotion> {
  lastCursor: string;
}

/** Promotions that one question opens: who may approve is for the rules to say, and SQL does not know them. */
const MOST = 1_000;
/** As far as an inbox is counted. */
const COUNTED = 200;
const BATCH = 100;

/** What puts a promotion into an inbox, takes it out, or changes what it says there. */
const TOLD: ReleaseEventType[] = [
  'ApprovalRequested',
  'ApprovalGiven',
  'ApprovalGranted',
  'ApprovalRejected',
  'ApprovalExpired',
  'PromotionFailed',
  'PromotionSkipped',
  'PromotionTerminated',
  'StepTerminated',
];

@Resolver(() => ApprovalInboxConnection)
export class ApprovalInboxResolver extends countResolver(ApprovalInboxConnection, COUNTED) {
  @Query(() => ApprovalInboxConnection, {
    description: 'The promotions that wait for an approval now, of their start or of a step, the oldest release first.',
  })
  @Guarded(SEES)
  async approvals(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ApprovalFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    filter?: ApprovalFilterInput,
  ): Promise<Inbox> {
    const asking = askedOf(page);
    const { limit, backwards } = asking;
    checkStorable({ filter });
    // Before the list is read: what happens meanwhile is told once more.
    const lastCursor = context.log.newest;
    const { found, cut } = await waitingOnes(context, filter, { key: keyOf(asking), backwards, limit });
    const connection = toConnection(
      found,
      page,
      ({ row }) => `${row.number}/${row.position}`,
      ({ row, parts }) => new EnvironmentPromotion(parts, row.position),
      cut === undefined ? null : `${cut.number}/${cut.position}`,
    );
    const counted = async (): Promise<{ count: number; isCapped: boolean }> => {
      const all = await waitingOnes(context, filter, { limit: COUNTED + 1 });
      const isCapped = all.found.length > COUNTED || all.cut !== undefined;
      return { count: Math.min(all.found.length, COUNTED), isCapped };
    };
    return { ...connection, counted, lastCursor };
  }

  @FieldResolver(() => String, {
    description: 'The place of the log at which the list was read: subscribe to `approvalEvents` after it.',
  })
  lastCursor(@Root() { lastCursor }: Inbox): string {
    return lastCursor;
  }

  @Guarded(SEES)
  @Subscription(() => ApprovalInboxEvent, {
    description:
      'What changes `approvals`: people are asked, somebody decides, or a promotion that had asked ends. After a broken connection subscribe again with the last cursor that you saw.',
    subscribe: ({ args, context }) => {
      const { after, product } = args as { after?: string | null; product?: string | null };
      checkStorable({ product });
      const wanted = { types: TOLD, ...(typeof product === 'string' && { product }) };
      return asked(() => subscribed(context as ApiContext, wanted, after)) as never;
    },
  })
  async approvalEvents(
    @Ctx() context: ApiContext,
    @Root() logged: LoggedEvent,
    @Arg('after', () => String, {
      nullable: true,
      description: 'A cursor: everything after it. "": from the beginning of the log. Without it: from now on.',
    })
    _after?: string | null,
    @Arg('product', () => String, { nullable: true, description: 'Of this product; of all when left out.' })
    _product?: string | null,
  ): Promise<ApprovalInboxEvent> {
    const { event, at } = logged;
    const told = { cursor: cursorOf(logged), type: event.type, at: new Date(at) };
    const place = await placeOf(context, logged);
    if (place === null) return { ...told, promotion: null, isWaiting: false, isForMe: false };
    const { parts, position } = place;
    return {
      ...told,
      promotion: new EnvironmentPromotion(parts, position),
      isWaiting: await isWaiting(context, place),
      isForMe: await isWaiting(context, place, true),
    };
  }
}

interface Place {
  parts: WholeRelease;
  position: number;
}

interface Found {
  found: { row: AskedPromotion; parts: WholeRelease }[];
  /** They were looked at up to here, and there may be more. */
  cut: AskedPromotion | undefined;
}

async function waitingOnes(
  context: ApiContext,
  filter: ApprovalFilterInput | null | undefined,
  {
    key,
    backwards,
    limit: wanted,
  }: { key?: Pick<AskedPromotion, 'number' | 'position'>; backwards?: boolean; limit: number },
): Promise<Found> {
  const product = filter?.product ?? undefined;
  const found: Found['found'] = [];
  let from = key;
  for (let more = true, seen = 0; more && found.length < wanted;) {
    const rows = await listAskedPromotions(readsOf(context), { limit: BATCH, key: from, backwards, product });
    const all = await Promise.all(rows.map(({ releaseId }) => partsOf(context, releaseId)));
    for (const [index, row] of rows.entries()) {
      const parts = all[index] as WholeRelease;
      if (await isWaiting(context, { parts, position: row.position }, filter?.forMe === true))
        found.push({ row, parts });
    }
    const last = rows.at(-1);
    more = rows.length === BATCH;
    seen += rows.length;
    if (more && seen >= MOST && found.length < wanted) return { found, cut: last };
    from = last;
  }
  return { found, cut: undefined };
}

function keyOf(asking: Asked): Pick<AskedPromotion, 'number' | 'position'> | undefined {
  if (asking.key === undefined) return undefined;
  const [, number, position] = /^(\d{1,15})\/(\d{1,9})$/.exec(asking.key) ?? [];
  if (number === undefined) throw foreignKey(asking);
  return { number: Number(number), position: Number(position) };
}

/** What is granted waits for something else; and the state may be newer than the list. */
async function isWaiting(context: ApiContext, { parts, position }: Place, forMe = false): Promise<boolean> {
  if (!(await seesPlace(context, parts.plan.product, null)) || !parts.sees(position)) return false;
  const planned = parts.plan.promotions[position] as PlannedPromotion;
  for (const step of askedNow(planned, parts.state.promotions[position] as PromotionState)) {
    if (!forMe || (await canApprove(context, parts, { promotion: position, step }))) return true;
  }
  return false;
}

async function placeOf(context: ApiContext, { releaseId, event }: LoggedEvent): Promise<Place | null> {
  if (!('environment' in event) || (await readRelease(context, releaseId)) === null) return null;
  const parts = await partsOf(context, releaseId);
  const position = parts.plan.promotions.findIndex(({ name }) => name === event.environment);
  return position < 0 || !parts.sees(position) ? null : { parts, position };
}
