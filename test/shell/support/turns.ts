import type { Random } from '../../../chaos/random.ts';
import type { PromotionFlowSpec, WorkflowAction } from '../../../src/core/definitions.ts';
import type { EffectContext } from '../../../src/drivers/driver.ts';
import { MINUTE } from '../../core/support/builders.ts';
import type { Ground } from './ground.ts';
import type { Turn } from './outside.ts';

/** What an effect does, as the seed has it. */
export function drawTurn(
  { mood, releases }: Pick<Ground, 'mood' | 'releases'>,
  turns: Random,
  key: string,
  { releaseId, environment }: EffectContext,
): Turn {
  const lately = mood === 'ROLLBACKS' && environment !== 'dev' && releases.indexOf(releaseId) > 0;
  const oddHook = mood === 'HOOKS' && /ON_|\.build\./.test(key);
  // Most releases of a world have failed before it.
  const atTheEnd = /\.ON_SUCCESS\//.test(key);
  const effects = mood === 'STOPS' ? [200, 2_000, 25_000, 10 * MINUTE] : [0, 0, 200, 2_000, 25_000];
  const outside = mood === 'WORKFLOWS' && key.includes('/tests/');
  return {
    takes: turns.pick(outside ? [2_000, 25_000, MINUTE, 2 * MINUTE] : effects),
    ends: turns.chance(atTheEnd ? 0.4 : outside ? 0.6 : lately || oddHook ? 0.75 : 0.9)
      ? 'well'
      : turns.pick(['TRANSIENT', oddHook ? 'FAILED' : 'TRANSIENT', 'FAILED']),
  };
}

/** What an action is given comes from its own release: what a hook handed on, and what a step without an environment left. */
export function judgeParameters(
  { drawn, reached, record, scheduler }: Ground,
  action: WorkflowAction,
  parameters: { [name: string]: string },
  { key, releaseId }: EffectContext,
): void {
  const flow = drawn.definitions.find((each) => each.kind === 'PromotionFlow')?.spec as PromotionFlowSpec;
  const [, , name = '', step = ''] = key.split('.');
  const given = (what: string, value: string, promised: boolean): void => {
    if (!promised && parameters[what] === undefined) return;
    reached.count(`promise: ${what} is given to what comes after`);
    if (parameters[what] !== value)
      scheduler.break(`parameters: ${key} of ${action.name} has the ${what} ${parameters[what]}`);
  };
  const isHook = /(^|\/)ON_/.test(step);
  // Whatever runs after the first hook of a release runs because that has succeeded, but for what is done about its failure.
  const opened = flow.hooks?.onStart !== undefined && name !== 'ON_START' && name !== 'ON_FAIL';
  if (isHook) given('TICKET', `ticket-of-${releaseId}`, opened);
  const built = flow.steps.some((each) => each.name === 'build');
  const after = built && !['dev', 'build', 'build/ON_FAIL', 'ON_START', 'ON_FAIL'].includes(name);
  // What comes after an environment that was left out does not wait for what comes before that.
  given('IMAGE', `image-of-${releaseId}`, after && !record.leftOut(releaseId));
}
