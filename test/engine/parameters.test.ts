import { expect, test } from 'vitest';
import type { PlannedStep } from '../../src/core/plan.ts';
import type { PromotionState, ReleaseState, StepState } from '../../src/core/release.ts';
import { stepParameters } from '../../src/jobs/parameters.ts';
import type { FrozenRelease } from '../../src/store/load-releases.ts';
import { flowOf, inputOf, planOf } from '../core/support/builders.ts';
import { planRelease } from '../../src/core/planner.ts';

// What a workflow may name, without a database: a plan with git, and what its steps have said so far.
const git = {
  type: 'git',
  repoURL: 'https://git.example.com/eu.git',
  branch: 'main',
  path: 'apps/billing',
} as const;

function planWithGit() {
  const policy = { preAction: 'smoke', postAction: 'verify' };
  const drawn = flowOf('dev > eu', { steps: { eu: { policy, hooks: { onStart: 'greet' } } } });
  const input = inputOf({ ...drawn, workflows: ['smoke', 'verify', 'greet'] });
  for (const application of input.applications)
    Object.assign(application.spec, { driver: git, namespace: 'shop', runtime: 'west' });
  const planned = planRelease(input);
  return 'plan' in planned ? planned.plan : planOf(drawn);
}

const CONTENTS = { 'billing-dev': { label: '1.4.0', digest: 'd', commit: 'c0ffee' } };

/** What the action of this phase in eu is told, when the steps of others have said `outputs`. */
function told(phase: PlannedStep['phase'], outputs: Partial<Record<PlannedStep['phase'], Record<string, string>>>) {
  const plan = planWithGit();
  const position = plan.promotions.findIndex(({ name }) => name === 'eu');
  const promoted = plan.promotions[position]!;
  const planned = promoted.steps.find((each) => each.phase === phase)!;
  const steps = promoted.steps.map((each) => ({ outputs: outputs[each.phase] }) as StepState);
  return stepParameters({
    release: { id: 'r1', product: 'billing', version: '1.4.0', plan, contents: CONTENTS } as unknown as FrozenRelease,
    state: { context: { TICKET: 'OPS-1', VERSION: 'none' }, promotions: [] } as Partial<ReleaseState> as ReleaseState,
    promoted,
    position,
    promotionState: { steps } as PromotionState,
    planned,
    application: promoted.applications[planned.application!],
    link: 'https://sluice.example.com/r1',
  });
}

test('an action is told the application, as published workflows know it', () => {
  expect(told('PRE_ACTION', {})).toEqual({
    RELEASE_ID: 'r1',
    RELEASE_URL: 'https://sluice.example.com/r1',
    PRODUCT_NAME: 'billing',
    PROMOTION_FLOW_NAME: 'billing-flow',
    VERSION: '1.4.0',
    ENVIRONMENT: 'eu',
    APP_NAME: 'billing-eu',
    APP_NAMESPACE: 'shop',
    RUNTIME: 'west',
    REPO_URL: 'https://git.example.com/eu.git',
    BRANCH: 'main',
    PATH: 'apps/billing',
  });
});

test('what comes after the change is told the commit, and what the actions before it have put out', () => {
  const commit = { COMMIT_SHA: 'c0ffee', COMMIT_AUTHOR: 'Ada', COMMIT_MESSAGE: 'Promote', COMMIT_DATE: '2026-01-05' };
  expect(told('POST_ACTION', { PRE_ACTION: { RUN: '7' }, ACTION: commit })).toMatchObject({ ...commit, RUN: '7' });
});

test('what hooks hand on is known to hooks alone, and replaces nothing that Sluice says', () => {
  expect(told('ON_START', {})).toMatchObject({ TICKET: 'OPS-1', VERSION: '1.4.0', ENVIRONMENT: 'eu' });
  // The commit is the one that the release brings: a hook may run before any other is there.
  expect(told('ON_START', {})).toMatchObject({ PRODUCT_NAME: 'billing', COMMIT_SHA: 'c0ffee', RELEASE_ID: 'r1' });
  expect(told('ON_START', {})).not.toHaveProperty('APP_NAME');
  expect(told('PRE_ACTION', {})).not.toHaveProperty('TICKET');
});
