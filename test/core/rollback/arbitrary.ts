import type { RollbackPolicySpec, RollbackTargetSpec } from '../../../src/core/definitions.ts';
import { policyFor } from '../../../src/core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, PastDeployment, RollbackQuestion } from '../../../src/core/rollback/plan-rollback.ts';
import type { VersionRef } from '../../../src/core/rollback/rollback.ts';
import { fc } from '../property.ts';
import { flowOf, planOf } from '../support/builders.ts';
import { MINUTE, NOW, policyOf, REGIONS, versionOf } from './support.ts';

/** Few versions, so that they meet; `2.0#b` has the name of the bad one and another content, `two#2.0` the reverse. */
const VERSIONS = ['1.1', '1.2', '1.3', '1.4', '2.0', '2.0#b', 'two#2.0', '2.1'].map(versionOf);
const FLOWS = [
  REGIONS,
  'dev > us-east > eu > {asia, asia-2}',
  'dev > {us-east} as regions > [migrate] > {eu, asia-2} as rest',
];
const ENVIRONMENTS = ['us-east', 'eu', 'asia', 'asia-2', 'dev'];

const version = fc.constantFrom(...VERSIONS);
const rarely = (numerator: number): fc.Arbitrary<boolean> => fc.nat(99).map((each) => each < numerator);
const maybe = <T>(percent: number, what: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  rarely(percent).chain((yes): fc.Arbitrary<T | null> => (yes ? what : fc.constant(null)));
const floor = maybe(8, fc.constantFrom('1.1', '1.2', '1.3', '1.4', '2.0', '0.9', 'sha-of-1.3'));

const deployment: fc.Arbitrary<PastDeployment> = fc.record({
  version,
  release: fc.constantFrom('r1', 'r2', 'r3'),
  at: fc.constant(0),
  verifiedAt: rarely(80).map((yes) => (yes ? 1 : null)),
  state: fc.nat(19).map((each) => (each === 0 ? 'DRIFTED' : each === 1 ? 'UNKNOWN' : 'KNOWN')),
  markedBad: rarely(10),
  rollback: rarely(15),
  floor,
});

/** The newest first: a version went back to another one, and came again. */
function takenBackAndPromotedAgain(again: VersionRef): PastDeployment[] {
  const good = { release: 'r4', at: 0, verifiedAt: 1, state: 'KNOWN', markedBad: false, floor: null } as const;
  return [
    { ...good, version: again, rollback: false },
    { ...good, version: versionOf('1.2'), rollback: true },
    { ...good, version: again, rollback: false },
  ];
}

const facts = (name: string): fc.Arbitrary<EnvironmentFacts> =>
  fc.record({
    name: fc.constant(name),
    // The bad version is live in half of the environments.
    history: fc
      .tuple(fc.array(deployment, { maxLength: 5 }), deployment, fc.boolean(), maybe(10, version))
      .map(([older, live, bad, again]) => [
        ...(bad ? [{ ...live, version: versionOf('2.0') }] : []),
        ...(again ? takenBackAndPromotedAgain(again) : []),
        ...older,
      ])
      .map((all) => all.map((each, index) => ({ ...each, at: NOW - (index + 1) * MINUTE }))),
    inFlight: maybe(15, fc.record({ release: fc.constant('r8'), version, floor })),
    planned: fc.array(fc.record({ release: fc.constant('r8'), version }), { maxLength: 1 }),
    rollback: maybe(
      8,
      fc.record({ release: fc.constant('r9'), called: fc.constant('billing#9'), from: version, to: version }),
    ),
    automatic: fc.array(fc.record({ release: fc.constant('r7'), called: fc.constant('billing#7'), version }), {
      maxLength: 1,
    }),
    excluded: maybe(5, fc.constant('frozen')),
    source: fc.constant(name === 'dev'),
  });

const targetSpec: fc.Arbitrary<RollbackTargetSpec> = fc
  .record({
    which: fc.constantFrom<Partial<RollbackTargetSpec>>(
      { siblings: true },
      { downstream: true },
      { group: 'regions' },
      { environments: ['eu', 'asia-2'] },
      { environments: ['dev', 'asia'] },
    ),
    condition: fc.constantFrom<RollbackTargetSpec['condition']>('SAME_VERSION', 'ALWAYS'),
    mode: fc.constantFrom<RollbackTargetSpec['mode']>('AUTOMATIC', 'AUTOMATIC', 'APPROVAL'),
  })
  .map(({ which, ...how }) => ({ ...which, ...how }));

const policy: fc.Arbitrary<RollbackPolicySpec> = fc
  .record({
    when: fc.constantFrom<RollbackPolicySpec['when']>(
      {},
      {},
      {},
      { causes: ['FAILED', 'MANUAL'] },
      { groups: ['regions'] },
    ),
    targets: fc.array(targetSpec, { maxLength: 3 }),
    budget: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  })
  .map(({ budget, ...rest }) => policyOf({ ...rest, ...(budget === undefined ? {} : { budget }) }));

const asked = fc.record({
  environments: fc.oneof(
    fc.constant<'EVERYTHING_THAT_RUNS_IT'>('EVERYTHING_THAT_RUNS_IT'),
    fc.uniqueArray(fc.constantFrom(...ENVIRONMENTS, 'mars'), { minLength: 1, maxLength: 3 }),
  ),
  to: maybe(40, fc.constantFrom('1.1', '1.2', '1.3', '1.4', '2.0', 'sha-of-b')),
});

/** A question about a product's environments, whatever happened there before. */
export const question: fc.Arbitrary<RollbackQuestion> = fc
  .record({
    flow: fc.constantFrom(...FLOWS),
    policies: fc.array(policy, { minLength: 1, maxLength: 2 }),
    at: fc.constantFrom('us-east', 'us-east', 'us-east', 'eu', 'asia-2', 'dev'),
    kind: fc.constantFrom<RollbackQuestion['cause']['kind']>('FAILED', 'DEGRADED', 'REPORTED'),
    age: fc.constantFrom(0, 0, 1, 1, 5, 20, 20, 21, 600),
    definite: rarely(90),
    asked: maybe(30, asked),
    environments: fc.tuple(...ENVIRONMENTS.map(facts)),
    gone: rarely(5),
  })
  .map(({ flow, policies, at, kind, age, definite, asked: request, environments, gone }) => {
    const plan = planOf(flowOf(flow, { rollbackPolicies: policies }));
    const [first] = Array.isArray(request?.environments) ? request.environments : [];
    const cause: RollbackQuestion['cause'] = {
      kind: request ? 'MANUAL' : kind,
      environment: first ?? at,
      reason: 'it failed',
      at: NOW - age * MINUTE,
      by: request ? 'ann' : null,
      release: 'r8',
    };
    return {
      now: NOW,
      product: 'billing',
      cause,
      definite,
      version: versionOf('2.0'),
      plan,
      policy: policyFor(plan, cause),
      asked: request,
      environments: gone ? environments.slice(1) : environments,
    };
  });
