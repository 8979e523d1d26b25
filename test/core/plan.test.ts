import { describe, expect, test } from 'vitest';
import { planRelease } from '../../src/core/planner.ts';
import { requiredBy } from '../../src/core/required.ts';
import { applicationOf, flowOf, inputOf, MINUTE, planOf } from './support/builders.ts';

const stepsOf = (plan: ReturnType<typeof planOf>, name: string): string[] => {
  const steps = plan.promotions.find((each) => each.name === name)?.steps ?? [];
  return steps.map((step) => `${step.id}${step.needs.length > 0 ? ` after ${step.needs.join(' and ')}` : ''}`);
};

test("the user's own picture, frozen: one flat list, dependencies as positions", () => {
  const plan = planOf('dev > staging > {us-east, eu, asia} as regions > asia-2');
  expect(plan.promotions.map((each) => `${each.name}: ${JSON.stringify(each.dependsOn)}`)).toEqual([
    'dev: []',
    'staging: [{"promotion":0}]',
    'asia: [{"promotion":1}]',
    'eu: [{"promotion":1}]',
    'us-east: [{"promotion":1}]',
    'asia-2: [{"group":0}]',
  ]);
  expect(plan.groups).toMatchObject([
    { name: 'regions', members: [2, 3, 4], required: 3, maxParallel: 3, maxFailures: 0 },
  ]);
  expect(plan.promotions.map((each) => each.production)).toEqual([false, true, true, true, true, true]);
});

test.each([
  [{ policy: 'ALL' }, 3, 3],
  [{ policy: 'ANY' }, 3, 1],
  [{ policy: 'ANY' }, 0, 0],
  [{ policy: 'AT_LEAST', count: 2 }, 3, 2],
  [{ policy: 'AT_LEAST', count: 9 }, 3, 3],
  [{ policy: 'AT_LEAST', percent: 50 }, 3, 2],
  [{ policy: 'AT_LEAST', percent: 1 }, 3, 1],
  [{ policy: 'AT_LEAST', percent: 100 }, 3, 3],
] as const)('%j of %i is %i', (gate, total, required) => {
  expect(requiredBy(gate, total)).toBe(required);
});

describe('the steps of an environment', () => {
  test('the trigger environment only has its health and its workflow', () => {
    const steps = { eu: { hooks: { onStart: 'checks' } } };
    const plan = planOf(flowOf('dev > eu', { triggerWorkflow: 'checks', steps }), {
      workflows: { checks: ['unit'] },
      hooks: { onStart: 'checks' },
    });
    expect(stepsOf(plan, 'dev')).toEqual(['billing-dev/HEALTH', 'billing-dev/POST_ACTION/unit after 0']);
    expect(stepsOf(plan, 'eu')[0]).toBe('ON_START/unit');
  });

  test('a diamond before, the change, a soak, a fork after', () => {
    const steps = { eu: { policy: { preAction: 'diamond', postAction: 'fork' }, soak: MINUTE } };
    const workflows = { diamond: ['a > b > d', 'a > c > d'], fork: ['left', 'right'] };
    expect(stepsOf(planOf(flowOf('dev > eu', { steps }), { workflows }), 'eu')).toEqual([
      'billing-eu/PRE_ACTION/a',
      'billing-eu/PRE_ACTION/b after 0',
      'billing-eu/PRE_ACTION/d after 1 and 3',
      'billing-eu/PRE_ACTION/c after 0',
      'billing-eu/ACTION after 2',
      'billing-eu/HEALTH after 4',
      'billing-eu/SOAK after 5',
      'billing-eu/POST_ACTION/left after 6',
      'billing-eu/POST_ACTION/right after 6',
    ]);
  });

  test('action none leaves the change to the pre-action', () => {
    const steps = { eu: { policy: { preAction: 'deploy', action: 'none' as const } } };
    expect(stepsOf(planOf(flowOf('dev > eu', { steps }), { workflows: { deploy: ['helm'] } }), 'eu')).toEqual([
      'billing-eu/PRE_ACTION/helm',
      'billing-eu/HEALTH after 0',
    ]);
  });

  test('applications side by side, each with the content of its counterpart and workflows of its own', () => {
    const steps = { eu: { policy: { preAction: 'checks', postAction: 'checks' } } };
    const plan = planOf(flowOf('dev > eu', { steps }), {
      applications: { dev: 2, eu: 2 },
      workflows: { checks: ['unit'] },
    });
    expect(plan.promotions[1]?.applications.map((each) => `${each.name} gets ${each.content}`)).toEqual([
      'billing-eu gets billing-dev',
      'billing-api-eu gets billing-api-dev',
    ]);
    expect(stepsOf(plan, 'eu')).toEqual([
      'billing-eu/PRE_ACTION/unit',
      'billing-eu/ACTION after 0',
      'billing-eu/HEALTH after 1',
      'billing-eu/POST_ACTION/unit after 2',
      'billing-api-eu/PRE_ACTION/unit',
      'billing-api-eu/ACTION after 4',
      'billing-api-eu/HEALTH after 5',
      'billing-api-eu/POST_ACTION/unit after 6',
    ]);
  });
});

describe('refused', () => {
  const messages = (input: Parameters<typeof planRelease>[0]): string[] => {
    const planned = planRelease(input);
    return 'refusals' in planned ? planned.refusals.map((each) => each.message) : [];
  };

  test('an environment without an application, by name, with the fix', () => {
    expect(messages(inputOf(flowOf('dev > eu'), { applications: { eu: 0 } }))).toEqual([
      'product "billing" has no application in environment "eu": create an Application with spec.product "billing" and spec.environment "eu"',
    ]);
  });

  test('an application that nothing in the trigger environment is promoted into', () => {
    const input = inputOf(flowOf('dev > eu'), { applications: { dev: 2 } });
    input.applications.push(applicationOf('eu', 2));
    expect(messages(input)).toEqual([
      'application "billing-part-2-eu" in "eu" has no counterpart in the trigger environment: set spec.component to the one that it is promoted from',
    ]);
  });
});
