import { spell } from '../../core/duration.ts';
import type { EffectContext } from '../driver.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { sleep } from '../sleep.ts';
import type { ActionLog } from './log.ts';
import type { ParametersOf } from './parameters.ts';

/** Takes its time, then fails as often as told; tries are counted over all attempts, so that a retry gets past them. */
export async function runSimulate(
  { duration, fail, failures, outputs }: ParametersOf<'simulate'>,
  { context, signal, log }: { context: EffectContext; signal: AbortSignal; log: ActionLog },
): Promise<Record<string, string>> {
  if (duration) log.say(`takes ${spell(duration)}`);
  await sleep(duration ?? 0, signal);
  const tried = context.tries + Math.max(0, context.attempt - 1);
  if (fail && (failures === undefined || failures < 0 || tried < failures)) {
    const message = `simulated failure, try ${tried + 1}`;
    throw fail === 'TRANSIENT' ? new TransientError(message) : new PermanentError(message);
  }
  return outputs ?? {};
}
