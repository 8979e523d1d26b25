import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { partsOfPlan, rollbackDiffs } from '../commands/preview-rollback.ts';
import { answerRollback } from '../commands/rollback-order.ts';
import type { PlannedRollback } from '../commands/rollback-order.ts';
import type { Collected } from '../commands/rollback-parts.ts';
import { rollbackMerges } from '../commands/rollback-merges.ts';
import { windowState } from '../core/windows/index.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { ApplicationDiff } from '../schema/release-preview.ts';
import { PlannedRollbackTarget, RollbackInput, RollbackPlan, RollbackPlanPayload } from '../schema/rollback-plan.ts';
import { rollingBack } from './access/release-rules.ts';
import { Guarded, may } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { refused, unstorable } from './answers.ts';
import { MOST_TARGETS, readingOf } from './release-preview.ts';

@Resolver(() => PlannedRollbackTarget)
export class RollbackPlanResolver {
  @Guarded(may('VIEW', rollingBack))
  @Query(() => RollbackPlanPayload, {
    description: 'What `rollbackStart` would do with the same input. Nothing is changed.',
  })
  async planRollback(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackInput, { description: 'What to take back.' }) input: RollbackInput,
  ): Promise<RollbackPlanPayload> {
    const { app, actor } = context;
    const wrong = unstorable(input);
    const result =
      wrong.length > 0 ? { refusals: wrong } : await answerRollback(app, input, actor, await visibilityOf(context));
    if (result.refusals) return { plan: null, userErrors: refused(result.refusals) };
    const snapshot = await app.definitions.current();
    const now = app.clock.now().getTime();
    const windowOf = (environment: string): { reason: string; opensAt: Date | null } | null => {
      const state = windowState(snapshot.windowsFor(input.product, environment), now, 'ROLLBACK');
      if (!state.closed) return null;
      return { reason: state.reason, opensAt: state.nextOpen === null ? null : new Date(state.nextOpen) };
    };
    const going = result.value.plan.targets.filter(({ to }) => to !== null).map(({ environment }) => environment);
    const merges = await rollbackMerges(app, input.product, going);
    return { plan: RollbackPlan.of(result.value, windowOf, merges), userErrors: [] };
  }

  @FieldResolver(() => [ApplicationDiff], {
    description:
      'What would be written where it goes back, application by application, on top of their targets as they are now. A question reads 100 targets at most, for 30 seconds.',
  })
  async changes(
    @Ctx() context: ApiContext,
    @Root() { planned, target }: PlannedRollbackTarget,
  ): Promise<ApplicationDiff[]> {
    if (target.to === null) return [];
    const reading = readingOf(context);
    const parts = await partsIn(context, planned as PlannedRollback);
    const mayRead = (): boolean => (reading.left -= 1) >= 0;
    const diffs = await rollbackDiffs(context.app, parts, target, mayRead, reading.signal);
    const reason = `one question reads ${MOST_TARGETS} targets at most`;
    return diffs.map((each) =>
      ApplicationDiff.of(
        typeof each === 'string' ? { application: each, files: [], more: 0, skipped: [], reason } : each,
      ),
    );
  }
}

/** Read once for all targets of a plan. */
function partsIn(context: ApiContext, planned: PlannedRollback): Promise<Collected> {
  const known = loaderOf(context, 'rollbackParts', () => new WeakMap<PlannedRollback, Promise<Collected>>());
  const parts = known.get(planned) ?? partsOfPlan(context.app, planned);
  known.set(planned, parts);
  return parts;
}
