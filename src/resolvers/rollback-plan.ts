import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { planRollback } from '../commands/rollback-order.ts';
import { rollbackMerges } from '../commands/rollback-merges.ts';
import { windowState } from '../core/windows/index.ts';
import type { ApiContext } from '../schema/context.ts';
import { RollbackInput, RollbackPlan, RollbackPlanPayload } from '../schema/rollback-plan.ts';
import { rollingBack } from './access/release-rules.ts';
import { Guarded, may } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';

@Resolver()
export class RollbackPlanResolver {
  @Guarded(may('VIEW', rollingBack))
  @Query(() => RollbackPlanPayload, {
    description: 'What `rollbackStart` would do with the same input. Nothing is changed.',
  })
  async planRollback(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => RollbackInput, { description: 'What to take back.' }) input: RollbackInput,
  ): Promise<RollbackPlanPayload> {
    const wrong = unstorable(input);
    const result = wrong.length > 0 ? { refusals: wrong } : await planRollback(app, input, actor);
    if (result.refusals) return { plan: null, userErrors: refused(result.refusals) };
    const snapshot = await app.definitions.current();
    const now = app.clock.now().getTime();
    const windowOf = (environment: string): { reason: string; opensAt: Date | null } | null => {
      const state = windowState(snapshot.windowsFor(input.product, environment), now, 'ROLLBACK');
      if (!state.closed) return null;
      return { reason: state.reason, opensAt: state.nextOpen === null ? null : new Date(state.nextOpen) };
    };
    const going = result.value.targets.filter(({ to }) => to !== null).map(({ environment }) => environment);
    const merges = await rollbackMerges(app, input.product, going);
    return { plan: RollbackPlan.of(result.value, windowOf, merges), userErrors: [] };
  }
}
