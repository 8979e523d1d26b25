import { Arg, Ctx, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql';
import { aboutOf } from '../core/own-steps.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { Changes, ReleaseChange as Told } from '../events/changes.ts';
import { badInput } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { RELEASE_NAMES } from '../schema/node.ts';
import { EnvironmentPromotion, ReleaseGroup, seenOf } from '../schema/promotion.ts';
import { ReleaseChange } from '../schema/release-change.ts';
import { Release } from '../schema/release.ts';
import { Guarded, SEES } from './access/rules.ts';
import { asked, visibleTo } from './events.ts';
import { releaseIdOf } from './release-id.ts';
import { partsAt, planFor, readRelease } from './release-parts.ts';

@Resolver(() => ReleaseChange)
export class ReleaseChangeResolver {
  @Guarded(SEES)
  @Subscription(() => ReleaseChange, {
    description:
      'What changes of one release, at most five times a second: what came close together comes in one. Read `lastCursor` with the release, and subscribe after it: nothing is missed. ' +
      'After a broken connection subscribe again with the last `cursor` that you saw. It goes on after the end of the release, which may be retried.',
    subscribe: ({ args, context }) => {
      const { id, after } = args as { id: string; after?: string | null };
      return asked(() => follow(context as ApiContext, id, after)) as never;
    },
  })
  releaseChanged(
    @Root() { releaseId, promotions, groups, cursor, sequence }: Told,
    @Arg('id', () => ID, { description: `Which release: ${RELEASE_NAMES}.` }) _id: string,
    @Arg('after', () => String, {
      nullable: true,
      description:
        'A cursor of the log: everything after it. "": from the beginning of the release. Without it: from now on.',
    })
    _after?: string | null,
  ): ReleaseChange {
    return new ReleaseChange({ releaseId, promotions, groups }, { cursor, sequence });
  }

  @FieldResolver(() => Release, { nullable: true, description: 'The release; null once it is no longer kept.' })
  release(@Ctx() context: ApiContext, @Root() { of }: ReleaseChange): Promise<Release | null> {
    return readRelease(context, of.releaseId);
  }

  @FieldResolver(() => [EnvironmentPromotion], {
    description:
      'Its promotions of which events told. What another one waits for can have become another thing without an event of its own: `Release.waitingFor` has it.',
  })
  async promotions(@Ctx() context: ApiContext, @Root() { of }: ReleaseChange): Promise<EnvironmentPromotion[]> {
    const { plan, sees } = await planFor(context, of.releaseId);
    // The hook of an environment is shown with it; one of the whole release is in `Release.steps`.
    const told = plan.promotions.flatMap((each) => (of.promotions.has(each.name) ? (aboutOf(plan, each) ?? []) : []));
    const names = new Set(told);
    const isTold = ({ name, own }: PlannedPromotion): boolean => own === undefined && names.has(name);
    const positions = [...plan.promotions.entries()].flatMap(([at, each]) => (isTold(each) && sees(at) ? at : []));
    return positions.length === 0 ? [] : seenOf(await partsAt(context, of.releaseId, positions), positions);
  }

  @FieldResolver(() => [ReleaseGroup], { description: 'Its groups of whose gates events told.' })
  async groups(@Ctx() context: ApiContext, @Root() { of }: ReleaseChange): Promise<ReleaseGroup[]> {
    if (of.groups.size === 0) return [];
    const parts = await partsAt(context, of.releaseId, []);
    return parts.plan.groups.flatMap(({ name }, position) =>
      of.groups.has(name) ? new ReleaseGroup(parts, position) : [],
    );
  }
}

async function follow(context: ApiContext, name: string, after: string | null | undefined): Promise<Changes> {
  const releaseId = await releaseIdOf(context, name);
  if ((await readRelease(context, releaseId)) === null)
    throw badInput(`there is no release "${name.slice(0, 60)}"`, 'id');
  return context.log.changes({ releaseId, visible: await visibleTo(context) }, after);
}
