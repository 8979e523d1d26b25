import type { PoolClient } from 'pg';
import type { EnvironmentFacts, RollbackQuestion } from '../core/rollback/plan-rollback.ts';
import type { RollbackPlan } from '../core/rollback/rollback.ts';
import { liveIn } from '../store/rollbacks.ts';
import { checkLive } from './check-live.ts';
import type { Parts } from '../parts.ts';
import type { LiveCheck } from './check-live.ts';

/**
 * What was seen on the way to one decision about a rollback. The decision is made on what is known, names where it would write
 * without having looked, is told what is live there, and is made again, until it has seen all that it would touch. So no
 * transaction waits for a target, and no rollback writes where the target was not checked.
 */
export class LiveChecks {
  readonly #checks: LiveCheck[] = [];
  readonly #checked = new Set<string>();

  /** Environments still to be checked: where the plan would write, and where it failed, as a change without a record may be there. */
  missingFor({ asked, cause, definite, policy }: RollbackQuestion, { targets }: RollbackPlan): string[] {
    const going = targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
    const names = going.map((each) => each.environment);
    if (asked === null && definite && policy !== null) names.push(cause.environment);
    return [...new Set(names)].filter((name) => !this.#checked.has(name));
  }

  /** Network; never inside a transaction. */
  async check(app: Parts, { product, cause }: Asked, environments: string[]): Promise<void> {
    this.#checks.push(...(await checkLive(app, product, environments, cause.release)));
    for (const name of environments) this.#checked.add(name);
  }

  /**
   * The question with what was seen. A look counts for the record that it was about: what became current since was just
   * written, and is known. What was not looked at counts as recorded.
   */
  async applyTo(client: PoolClient, question: RollbackQuestion): Promise<RollbackQuestion> {
    const live = await liveIn(client, question.product, [...this.#checked]);
    const newest = new Set(Object.values(live).flatMap((each) => Object.values(each).map(({ id }) => id)));
    const checks = this.#checks.filter((each) => newest.has(each.deployment));
    const environments = question.environments.map((facts) =>
      checkedIn(
        facts,
        checks.filter((each) => each.environment === facts.name),
        question.now,
      ),
    );
    return { ...question, environments };
  }
}

type Asked = Pick<RollbackQuestion, 'product' | 'cause'>;

function checkedIn(facts: EnvironmentFacts, checks: LiveCheck[], now: number): EnvironmentFacts {
  const { inFlight, history } = facts;
  const [live, ...before] = history;
  if (!live) return facts;
  const states = checks.map((each) => each.state);
  const state = states.includes('DRIFTED') ? 'DRIFTED' : states.includes('UNKNOWN') ? 'UNKNOWN' : 'KNOWN';
  const found = checks.flatMap((each) => each.unrecorded ?? []).find(({ release }) => release !== live.release);
  // What is at work there is known for that.
  if (!found || found.release === inFlight?.release || found.release === facts.rollback?.release)
    return { ...facts, history: [{ ...live, state }, ...before] };
  // The release made its change and could not record it: its version is what is live.
  const { release, version, rollback, floor } = found;
  const unverified = { at: now, verifiedAt: null, markedBad: false, state } as const;
  return { ...facts, history: [{ release, version, rollback, floor, ...unverified }, live, ...before] };
}
