import type { ReleaseEngine } from '../commands/release-engine.ts';
import { mayWork } from '../core/steps.ts';
import type { Aborts } from './aborts.ts';

/**
 * Aborts work here that is not its job's to do any more: a limit is over, a failure was reported, the release was ended, a
 * rollback needs the environment, another job took over. The notice that says so may be lost; this asks the
 * database, again and again until the effect has ended.
 */
export async function lookForStops(
  releaseEngine: Pick<ReleaseEngine, 'look'>,
  aborts: Pick<Aborts, 'olderThan'>,
  milliseconds: number,
): Promise<void> {
  for (const [releaseId, all] of aborts.olderThan(milliseconds)) {
    const before = all.map((running) => ({ running, step: running.step }));
    const to = await releaseEngine.look(releaseId, { fresh: true });
    for (const { running, step } of before) {
      // It went on to its next step meanwhile: the state that was read does not know that one.
      if (step === null || running.step !== step) continue;
      if (!to || !mayWork(to.release.plan, to.state, running.data, step)) running.controller.abort('stop');
    }
  }
}
