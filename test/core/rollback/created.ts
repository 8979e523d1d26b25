import { createRollback } from '../../../src/core/rollback/create.ts';
import type { TargetParts } from '../../../src/core/rollback/create.ts';
import type { RollbackPlan, RollbackTarget } from '../../../src/core/rollback/rollback.ts';
import type { Expected } from '../../../src/core/plan.ts';
import { flowOf, planOf } from '../support/builders.ts';
import { NOW, REGIONS, versionOf } from './support.ts';

/** Two applications in asia, one in each other environment. */
export const flow = planOf(flowOf(REGIONS), { applications: { asia: 2 } });
export const place = (name: string): number => flow.promotions.findIndex((each) => each.name === name);

/** Without more: goes back by itself, from 2.0 to 1.4. */
export const goesBack = (environment: string, more: Partial<RollbackTarget> = {}): RollbackTarget => ({
  environment,
  decision: 'INCLUDED',
  reason: `${environment} goes back`,
  from: versionOf('2.0'),
  to: { ...versionOf('1.4'), release: 'r1' },
  approval: null,
  ...more,
});

interface Options extends Partial<RollbackPlan> {
  /** Applications that version 1.4 did not have. */
  without?: string[];
  /** Environment → what has to be live there. */
  expects?: Record<string, Expected>;
}

/** A rollback of these targets; their applications were there with 1.4. */
export function rollbackOf(targets: RollbackTarget[], { without = [], expects = {}, ...more }: Options = {}) {
  const plan: RollbackPlan = {
    cause: { kind: 'FAILED', environment: 'us-east', reason: 'it failed', at: NOW, by: null, release: 'r2' },
    version: versionOf('2.0'),
    targets,
    maxParallel: null,
    onTargetFailure: 'CONTINUE',
    markBad: { scope: 'NONE' },
    ...more,
  };
  const parts = targets.map(({ environment }): [string, TargetParts<string>] => {
    const promotion = flow.promotions[place(environment)]!;
    const names = promotion.applications.map(({ name }) => name);
    const there = names.filter((name) => !without.includes(name));
    const expected = expects[environment];
    return [
      environment,
      {
        origin: { release: 'r2', promotion },
        contents: Object.fromEntries(there.map((name) => [name, `1.4 of ${name}`])),
        expects: expected ? Object.fromEntries(names.map((name) => [name, expected])) : {},
        undo: {},
      },
    ];
  });
  return createRollback<string>({
    id: 'rb',
    product: 'billing',
    flow: { name: 'billing-flow', revision: 1 },
    plan,
    targets: Object.fromEntries(parts),
    origins: ['r2'],
    now: NOW,
    actor: null,
  });
}
