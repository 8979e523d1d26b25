import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { holdEnvironment, releaseEnvironment } from '../commands/hold-environment.ts';
import { PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import {
  EnvironmentHold,
  EnvironmentHoldConnection,
  EnvironmentHoldFilterInput,
  EnvironmentHoldInput,
  EnvironmentHoldPayload,
  EnvironmentReleaseInput,
} from '../schema/environment-hold.ts';
import { fromNodeId } from '../schema/node-id.ts';
import { UUID } from '../schema/node.ts';
import { Release } from '../schema/release.ts';
import { WaitingForHold } from '../schema/waiting.ts';
import { listHolds, readHolds } from '../store/environment-holds.ts';
import { seesPlace, visibilityOf } from './access/visible.ts';
import { Guarded, SEES, may } from './access/rules.ts';
import type { Lookup } from './access/lookup.ts';
import type { Named } from './access/named.ts';
import { checkStorable, ifStorable, refused } from './answers.ts';
import { cutSince, pageOf, writeSince } from './newest-first.ts';
import { readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

function held({ input }: { input: { product?: string | null; environment: string } }, lookup: Lookup): Promise<Named> {
  const { product, environment } = input;
  return lookup.place(product || null, [{ name: environment, path: ['environment'] }]);
}

@Resolver(() => EnvironmentHold)
export class EnvironmentHoldResolver {
  @Guarded(SEES)
  @Query(() => EnvironmentHoldConnection, {
    description: 'Holds on environments, newest first; those that are over, too.',
  })
  async environmentHolds(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => EnvironmentHoldFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    filter?: EnvironmentHoldFilterInput,
  ): Promise<Connection<EnvironmentHold>> {
    const read = pageOf(context, page);
    checkStorable({ filter });
    const { app } = context;
    const now = app.clock.now().getTime();
    const { rows, cut } = await listHolds(readsOf(context), {
      ...read,
      filter: {
        product: filter?.product ?? undefined,
        environment: filter?.environment ?? undefined,
        activeAt: filter?.active === true ? now : undefined,
        visible: await visibilityOf(context),
      },
    });
    return toConnection(rows, page, writeSince, (row) => new EnvironmentHold(row, now), cutSince(cut));
  }

  @Guarded(may('HOLD', held))
  @Mutation(() => EnvironmentHoldPayload, {
    description:
      'Puts an environment on hold: once this has answered, nothing is promoted into it until the hold is over. What runs there goes on; rollbacks may start.',
  })
  async environmentHold(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => EnvironmentHoldInput, { description: 'What to hold, and why.' }) input: EnvironmentHoldInput,
  ): Promise<EnvironmentHoldPayload> {
    const { environment, product, reason, until, idempotencyKey } = input;
    const given = {
      environment,
      product: product ?? undefined,
      reason,
      until: until ?? undefined,
      idempotencyKey: idempotencyKey ?? undefined,
    };
    const result = await ifStorable(input, () => holdEnvironment(app, given, actor));
    if (result.refusals) return { holds: [], userErrors: refused(result.refusals) };
    return { holds: [new EnvironmentHold(result.value, app.clock.now().getTime())], userErrors: [] };
  }

  @Guarded(may('HOLD', held))
  @Mutation(() => EnvironmentHoldPayload, {
    description: 'Lifts holds: what waited for them is put to its gates at once.',
  })
  async environmentRelease(
    @Ctx() context: ApiContext,
    @Arg('input', () => EnvironmentReleaseInput, { description: 'Which ones.' }) input: EnvironmentReleaseInput,
  ): Promise<EnvironmentHoldPayload> {
    const { environment, product, holdId, reason } = input;
    const given = {
      environment,
      product: product ?? undefined,
      hold: holdId === undefined || holdId === null ? undefined : holdIdOf(holdId),
      reason: reason ?? undefined,
    };
    const visible = await visibilityOf(context);
    const result = await ifStorable(input, () => releaseEnvironment(context.app, given, context.actor, visible));
    if (result.refusals) return { holds: [], userErrors: refused(result.refusals) };
    const now = context.app.clock.now().getTime();
    return { holds: result.value.map((each) => new EnvironmentHold(each, now)), userErrors: [] };
  }

  @FieldResolver(() => Release, {
    nullable: true,
    description: 'The rollback that made it; null: a person did. It ends when a person promotes there again.',
  })
  async rollback(@Ctx() context: ApiContext, @Root() { fields }: EnvironmentHold): Promise<Release | null> {
    return fields.rollback === null ? null : readRelease(context, fields.rollback);
  }
}

@Resolver(() => WaitingForHold)
export class WaitingForHoldResolver {
  @FieldResolver(() => [EnvironmentHold], { description: 'The holds that decide.' })
  holds(@Ctx() context: ApiContext, @Root() { holdIds }: WaitingForHold): Promise<EnvironmentHold[]> {
    return readSeen(context, holdIds);
  }
}

/** As the API gave it, or the bare id. */
function holdIdOf(id: string): string {
  const node = fromNodeId(id);
  return node?.type === 'EnvironmentHold' && UUID.test(node.what) ? node.what : id;
}

export async function readHold(context: ApiContext, id: string): Promise<EnvironmentHold | null> {
  const [found = null] = UUID.test(id) ? await readSeen(context, [id]) : [];
  return found;
}

/** Those that the caller sees: of an environment, and of a product in it, where the hold is for one. */
async function readSeen(context: ApiContext, ids: readonly string[]): Promise<EnvironmentHold[]> {
  const found = [...(await readHolds(context.app.pool, ids)).values()];
  const seen = await Promise.all(found.map((each) => seesPlace(context, each.product, each.environment)));
  const now = context.app.clock.now().getTime();
  return found.filter((_, index) => seen[index]).map((each) => new EnvironmentHold(each, now));
}
