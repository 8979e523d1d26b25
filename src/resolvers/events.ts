import { GraphQLError } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root, Subscription } from 'type-graphql';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import type { ReleaseEvent } from '../core/events.ts';
import type { Delivery } from '../events/event-log.ts';
import { CursorExpiredError, cursorOf, InvalidCursorError } from '../events/cursor.ts';
import type { Subscription as Subscribed } from '../events/subscription.ts';
import { badInput, checkFirst } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import {
  EventPageArgs,
  MOST,
  ReleaseEventConnection,
  ReleaseEventEdge,
  ReleaseEventFilterInput,
} from '../schema/event-connection.ts';
import { PromotionEventNode, ReleaseEventNode, StepEventNode } from '../schema/event-types.ts';
import { toNodeId } from '../schema/node-id.ts';
import { UUID } from '../schema/node.ts';
import { EnvironmentPromotion } from '../schema/promotion.ts';
import { Release } from '../schema/release.ts';
import { UNSEEN_CAUSE } from '../schema/rollback-plan.ts';
import type { EventFilter, LoggedEvent } from '../store/event-log.ts';
import { Guarded, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { releaseIdOf } from './release-id.ts';
import { readPromotion, readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

@Resolver(() => ReleaseEventNode)
export class ReleaseEventResolver {
  @Guarded(SEES)
  @Query(() => ReleaseEventConnection, {
    description:
      'The log that `releaseEvents` streams, oldest first, with the same cursors. With `last` its end, or what comes before `before`.',
  })
  async releaseEventLog(
    @Ctx() context: ApiContext,
    @Args(() => EventPageArgs) { first, after, last, before }: EventPageArgs,
    @Arg('filter', () => ReleaseEventFilterInput, { nullable: true, description: 'Which events; all without it.' })
    filter: ReleaseEventFilterInput | null,
  ): Promise<ReleaseEventConnection> {
    const wanted = await toFilter(context, filter);
    const visibility = await visibilityOf(context);
    wanted.visible = () => visibility;
    const db = readsOf(context);
    if (typeof last !== 'number') {
      if (typeof before === 'string')
        throw badInput('`before` goes with `last`, as `after` does with `first`', 'before');
      const page = await asked(() => context.log.read(wanted, after, checkFirst(first, MOST), db));
      const edges = page.events.map((each) => toEdge(each, visibility));
      const startCursor = edges[0]?.cursor ?? null;
      const pageInfo = { hasNextPage: page.hasMore, hasPreviousPage: Boolean(after), startCursor, endCursor: page.end };
      return { edges, pageInfo };
    }
    if (typeof after === 'string') throw badInput('`after` goes with `first`, as `before` does with `last`', 'after');
    const page = await asked(() => context.log.readBack(wanted, before, checkFirst(last, MOST, 'last'), db), 'before');
    const edges = page.events.map((each) => toEdge(each, visibility));
    const endCursor = edges.at(-1)?.cursor ?? null;
    const pageInfo = { hasNextPage: Boolean(before), hasPreviousPage: page.hasMore, startCursor: page.end, endCursor };
    return { edges, pageInfo };
  }

  @FieldResolver(() => Release, {
    nullable: true,
    description:
      'The release as it is now, which may be further than it was at this event. Null once it is no longer kept.',
  })
  release(@Ctx() context: ApiContext, @Root() event: ReleaseEventNode): Promise<Release | null> {
    return readRelease(context, event.release);
  }

  @Guarded(SEES)
  @Subscription(() => ReleaseEventEdge, {
    description:
      'Every event after `after`, then each one as it happens: once, in the order of the log, whatever server wrote it. ' +
      'After a broken connection subscribe again with the last cursor that you saw.',
    // Establishes "now" (or finds the cursor) before the subscription is confirmed.
    subscribe: ({ args, context }) => {
      const { after, filter } = args as { after?: string | null; filter?: ReleaseEventFilterInput | null };
      return asked(async () => {
        const own = context as ApiContext;
        return subscribed(own, await toFilter(own, filter), after);
      }) as never;
    },
  })
  async releaseEvents(
    @Ctx() context: ApiContext,
    @Root() event: LoggedEvent,
    @Arg('after', () => String, {
      nullable: true,
      description: 'A cursor: everything after it. "": from the beginning of the log. Without it: from now on.',
    })
    _after: string | null,
    @Arg('filter', () => ReleaseEventFilterInput, { nullable: true, description: 'Which events; all without it.' })
    _filter: ReleaseEventFilterInput | null,
  ): Promise<ReleaseEventEdge> {
    return toEdge({ cursor: cursorOf(event), event }, await visibilityOf(context));
  }
}

const PROMOTION = {
  nullable: true,
  description:
    'The promotion as it is now, which may be further than it was at this event; its `sequence` says how far. It alone is read. Null once it is no longer kept.',
};

const itsPromotion = (
  context: ApiContext,
  { release, environment }: PromotionEventNode,
): Promise<EnvironmentPromotion | null> =>
  readPromotion(context, release, ({ promotions }) => promotions.findIndex(({ name }) => name === environment));

@Resolver(() => PromotionEventNode)
export class PromotionEventResolver {
  @FieldResolver(() => EnvironmentPromotion, PROMOTION)
  promotion(@Ctx() context: ApiContext, @Root() event: PromotionEventNode): Promise<EnvironmentPromotion | null> {
    return itsPromotion(context, event);
  }
}

@Resolver(() => StepEventNode)
export class StepEventResolver {
  @FieldResolver(() => EnvironmentPromotion, PROMOTION)
  promotion(@Ctx() context: ApiContext, @Root() event: StepEventNode): Promise<EnvironmentPromotion | null> {
    return itsPromotion(context, event);
  }
}

/** What the caller sees is asked at each event: it can change while the subscription is open. */
export async function subscribed(context: ApiContext, filter: EventFilter, after?: string | null): Promise<Subscribed> {
  filter.visible = await visibleTo(context);
  return context.log.subscribe(filter, after);
}

/** What the caller sees, for a subscription: it is asked at each event, since it can change while that is open. */
export async function visibleTo(context: ApiContext): Promise<() => Visibility | null> {
  const { live } = context;
  const now = await visibilityOf(context);
  return () => (live ? live.visibility : now);
}

function toEdge({ cursor, event: logged }: Delivery, visibility: Visibility | null): ReleaseEventEdge {
  const { sequence, at, releaseId, product, releaseStatus, actor, event } = logged;
  const shared = {
    sequence,
    at: new Date(at),
    release: releaseId,
    releaseId: toNodeId('Release', releaseId),
    product,
    releaseStatus,
    actor,
  };
  return { cursor, node: { ...onlySeen(ownFields(event), product, visibility), ...shared } as ReleaseEventNode };
}

/** Of an event that is about a whole release, the lists of environments hold those that the caller sees. */
function onlySeen(fields: object, product: string, visibility: Visibility | null): object {
  if (visibility === null) return fields;
  const seen = (environment: string): boolean => sees(visibility, product, environment);
  const { environments, targets, causedIn } = fields as {
    environments?: string[];
    targets?: { environment: string }[];
    causedIn?: string;
  };
  return {
    ...fields,
    ...(causedIn !== undefined && !seen(causedIn) && { causedIn: null, reason: UNSEEN_CAUSE.reason }),
    ...(environments && { environments: environments.filter(seen) }),
    ...(targets && { targets: targets.filter(({ environment }) => seen(environment)) }),
  };
}

/** The core keeps moments as text and outputs as a record; GraphQL has a scalar and a list for them. */
function ownFields(event: ReleaseEvent): object {
  const fields: Record<string, unknown> = { ...event };
  for (const moment of ['earliest', 'recheckAt', 'retryAt']) {
    if (typeof fields[moment] === 'string') fields[moment] = new Date(fields[moment]);
  }
  if (event.type === 'StepSucceeded') {
    fields['outputs'] = Object.entries(event.outputs ?? {}).map(([name, value]) => ({ name, value }));
  }
  return fields;
}

async function toFilter(context: ApiContext, input: ReleaseEventFilterInput | null | undefined): Promise<EventFilter> {
  const filter: EventFilter = {};
  if (!input) return filter;
  const { releaseId, product, environment, types } = input;
  if (typeof releaseId === 'string') {
    const uuid = (await releaseIdOf(context, releaseId)).toLowerCase();
    if (!UUID.test(uuid)) throw badInput(`'${releaseId.slice(0, 60)}' is not the id of a release`, 'filter.releaseId');
    filter.releaseId = uuid;
  }
  if (typeof product === 'string') filter.product = name(product, 'product');
  if (typeof environment === 'string') filter.environment = name(environment, 'environment');
  if (types) filter.types = types;
  return filter;
}

function name(text: string, field: string): string {
  // PostgreSQL refuses the character, and no name holds it.
  if (text.includes('\0')) throw badInput(`${field} holds a NUL character: expected a name`, `filter.${field}`);
  return text;
}

/** Turns what the log refuses into answers for the client. @param argument which has the cursor */
export async function asked<T>(question: () => Promise<T>, argument = 'after'): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof InvalidCursorError) throw badInput(error.message, argument);
    if (error instanceof CursorExpiredError) {
      throw new GraphQLError(error.message, { extensions: { code: 'CURSOR_EXPIRED', oldestCursor: error.oldest } });
    }
    throw error;
  }
}
