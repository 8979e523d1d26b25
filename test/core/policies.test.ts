import { describe, expect, test } from 'vitest';
import type { InlinePolicy, Labels, PolicySetting, PromotionPolicySpec } from '../../src/core/definitions.ts';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import { frozenPolicy, inlineOf, mergePolicies, policiesFor } from '../../src/core/policies.ts';
import type { Chosen, MergedPolicy, PolicyFinding, RankedPolicy } from '../../src/core/policies.ts';
import { planRelease } from '../../src/core/planner.ts';
import type { PlanOptions } from './support/builders.ts';
import { flowOf, inputOf, metadata, planOf } from './support/builders.ts';
import { fc } from './property.ts';

const policyOf = (
  name: string,
  priority: number,
  policy: PromotionPolicySpec['policy'],
  more: {
    product?: string;
    environment?: string;
    kind?: 'PRODUCTION' | 'NON_PRODUCTION';
    locked?: PolicySetting[];
  } = {},
): RankedPolicy => ({
  kind: 'PromotionPolicy',
  metadata: metadata(name),
  revision: 1,
  spec: {
    priority,
    selector: {
      product: more.product === undefined ? {} : { names: [more.product] },
      targetEnvironment: {
        ...(more.environment !== undefined && { names: [more.environment] }),
        ...(more.kind !== undefined && { kinds: [more.kind] }),
      },
    },
    policy,
    locked: more.locked ?? [],
  },
});

const said = ({ value, from }: Chosen<string>): string => {
  const by = from.by === 'POLICY' ? `${from.policy}${from.locked ? ', locked' : ''}` : from.by.toLowerCase();
  return `${value} (${by})`;
};

/** `before | action | after`, each with where it comes from; `-` for none. */
function shown({ preActions, action, postActions }: MergedPolicy): string {
  const row = [preActions, action ? [action] : [], postActions];
  return row.map((each) => each.map(said).join(' then ') || '-').join(' | ');
}

const messages = (findings: PolicyFinding[]): string[] =>
  findings.map(({ kind, severity, message }) => `${severity} ${kind}: ${message}`);

test('a tag is the key of a label: one of several is enough, and its value does not count', () => {
  const tagged = policyOf('tagged', 1, { action: 'pr' });
  tagged.spec.selector.productTags = ['payments', 'ledger'];
  tagged.spec.selector.targetEnvironmentTags = ['eu'];
  const found = (product: Labels, environment: Labels): number =>
    policiesFor([tagged], { ...metadata('p'), labels: product }, { ...metadata('e'), labels: environment }).length;
  expect(found({ ledger: 'yes' }, { eu: '' })).toBe(1);
  expect(found({ payments: '', ledger: '' }, { eu: 'west', us: '' })).toBe(1);
  expect(found({ ledger: '' }, { us: '' })).toBe(0);
  expect(found({ team: 'ledger' }, { eu: '' })).toBe(0);
  tagged.spec.selector.product = { names: ['other'] };
  expect(found({ ledger: '' }, { eu: '' })).toBe(0);
});

describe('the example that Codefresh published', () => {
  const policies = [
    policyOf(
      'pp-notify',
      300,
      { preAction: 'send-slack-alert-1', postAction: 'send-slack-success-fail' },
      { product: 'demo' },
    ),
    policyOf('pp-pre-prod', 200, { action: 'commit', postAction: 'validate-deployment' }, { kind: 'NON_PRODUCTION' }),
    policyOf('pp-demo', 20, { preAction: 'send-slack-alert', action: 'commit' }, { product: 'demo' }),
    policyOf('pp-prod', 100, { preAction: 'send-slack-alert', action: 'pr' }, { kind: 'PRODUCTION' }),
  ];
  const evaluate = (product: string, environment: string, kind: string): string => {
    const found = policiesFor(policies, metadata(product), { ...metadata(environment), kind });
    return `${found.map((each) => each.metadata.name).join(', ')}: ${shown(mergePolicies({}, found).merged)}`;
  };

  test.each([
    [
      'demo',
      'staging',
      'NON_PRODUCTION',
      'pp-demo, pp-pre-prod, pp-notify: send-slack-alert (pp-demo) | commit (pp-demo) | validate-deployment (pp-pre-prod)',
    ],
    [
      'demo',
      'production',
      'PRODUCTION',
      'pp-demo, pp-prod, pp-notify: send-slack-alert (pp-demo) | commit (pp-demo) | send-slack-success-fail (pp-notify)',
    ],
    ['billing', 'production', 'PRODUCTION', 'pp-prod: send-slack-alert (pp-prod) | pr (pp-prod) | -'],
    [
      'billing',
      'staging',
      'NON_PRODUCTION',
      'pp-pre-prod: - | commit (pp-pre-prod) | validate-deployment (pp-pre-prod)',
    ],
  ])('%s → %s', (product, environment, kind, answer) => {
    expect(evaluate(product, environment, kind)).toBe(answer);
  });

  test('names and kinds of environments must both agree', () => {
    const one = policyOf('one', 1, { action: 'pr' }, { environment: 'eu', kind: 'PRODUCTION' });
    const fits = (name: string, kind: string) =>
      policiesFor([one], metadata('demo'), { ...metadata(name), kind }).length;
    expect([fits('eu', 'PRODUCTION'), fits('eu', 'NON_PRODUCTION'), fits('asia', 'PRODUCTION')]).toEqual([1, 0, 0]);
  });

  test('a number is what counts, not how exactly a policy selects', () => {
    const all = policyOf('all', -100, { action: 'pr' });
    const exact = policyOf('exact', 5, { action: 'commit' }, { product: 'demo', environment: 'eu' });
    const found = policiesFor([exact, all], metadata('demo'), metadata('eu'));
    expect(shown(mergePolicies({}, found).merged)).toBe('- | pr (all) | -');
  });
});

describe('what the flow says goes first, setting by setting', () => {
  const base = policyOf('base', 1, { preAction: 'scan', action: 'pr', postAction: 'tell' });
  test.each([
    [{}, 'scan (base) | pr (base) | tell (base)'],
    [{ action: 'commit' }, 'scan (base) | commit (flow) | tell (base)'],
    [{ preAction: 'own' }, 'own (flow) | pr (base) | tell (base)'],
    [{ postAction: 'own' }, 'scan (base) | pr (base) | own (flow)'],
  ] as [InlinePolicy, string][])('%j', (inline, answer) => {
    expect(shown(mergePolicies(inline, [base]).merged)).toBe(answer);
  });

  test('an action that neither sets is commit, and that is worth a note', () => {
    const { merged, findings } = mergePolicies({}, [policyOf('base', 1, { preAction: 'scan' })]);
    expect(shown(merged)).toBe('scan (base) | commit (default) | -');
    expect(messages(findings)).toEqual(['NOTE MISSING: neither the flow nor a policy sets the action: it is commit']);
  });
});

describe('locked', () => {
  const locked = (action: 'commit' | 'pr' | 'none', name = 'base', priority = 9) =>
    policyOf(name, priority, { action, preAction: 'deploy' }, { locked: ['action'] });
  test.each([
    // The flow's action, the locked ones, what holds, what is said of it.
    ['commit', [locked('pr')], 'pr (base, locked)', 'OVERRIDDEN'],
    ['pr', [locked('commit')], 'pr (flow)', undefined],
    ['pr', [locked('pr')], 'pr (flow)', undefined],
    ['commit', [locked('commit')], 'commit (flow)', undefined],
    [undefined, [locked('commit')], 'commit (base, locked)', undefined],
    ['none', [locked('none')], 'none (flow)', undefined],
    ['none', [locked('commit')], 'commit (base, locked)', 'CONTRADICTION'],
    ['none', [locked('pr')], 'pr (base, locked)', 'CONTRADICTION'],
    ['commit', [locked('none')], 'commit (flow)', 'CONTRADICTION'],
    ['pr', [locked('commit'), locked('none', 'other', 10)], 'pr (flow)', 'CONTRADICTION'],
    ['commit', [locked('commit'), locked('pr', 'other', 10)], 'pr (other, locked)', 'OVERRIDDEN'],
    [undefined, [locked('none'), locked('pr', 'other', 10)], 'pr (other, locked)', 'CONTRADICTION'],
  ] as const)('the flow says %s: %#', (action, policies, answer, kind) => {
    const { merged, findings } = mergePolicies(action === undefined ? {} : { action }, policies);
    expect(said(merged.action!)).toBe(answer);
    expect(findings.map((each) => each.kind)).toEqual(kind === undefined ? [] : [kind]);
    expect(findings.some(({ severity }) => severity === 'REFUSED')).toBe(kind === 'CONTRADICTION');
  });

  test('an action of the policy before a locked one is held to it, too', () => {
    const first = policyOf('first', 1, { action: 'commit' });
    const { merged, findings } = mergePolicies({}, [first, locked('pr')]);
    expect(said(merged.action!)).toBe('pr (base, locked)');
    expect(messages(findings)).toEqual([
      'WARNING OVERRIDDEN: policy "first" says action commit, and policy "base" has locked pr, which is stricter',
    ]);
  });

  test('a policy that does not lock is no limit', () => {
    const open = policyOf('open', 1, { action: 'pr' }, { locked: ['preAction'] });
    expect(shown(mergePolicies({ action: 'commit' }, [open]).merged)).toBe('- | commit (flow) | -');
  });

  test('workflows run in front of the chosen ones, each once', () => {
    const audit = policyOf(
      'audit',
      7,
      { preAction: 'scan', postAction: 'tell' },
      { locked: ['preAction', 'postAction'] },
    );
    const law = policyOf(
      'law',
      8,
      { preAction: 'consent', postAction: 'tell' },
      { locked: ['preAction', 'postAction'] },
    );
    const merged = (inline: InlinePolicy) => shown(mergePolicies({ action: 'commit', ...inline }, [audit, law]).merged);
    expect(merged({ preAction: 'deploy' })).toBe(
      'scan (audit, locked) then consent (law, locked) then deploy (flow) | commit (flow) | tell (audit, locked)',
    );
    expect(merged({ preAction: 'consent', postAction: 'watch' })).toBe(
      'scan (audit, locked) then consent (law, locked) | commit (flow) | tell (audit, locked) then watch (flow)',
    );
  });

  test('of policies that do not lock, a locked one in front of them leaves out the workflow', () => {
    const audit = policyOf('audit', 1, { preAction: 'scan' }, { locked: ['preAction'] });
    const other = policyOf('other', 2, { preAction: 'deploy' });
    expect(shown(mergePolicies({ action: 'commit' }, [audit, other]).merged)).toBe(
      'scan (audit, locked) | commit (flow) | -',
    );
  });

  test('how pull requests are made is taken as it is', () => {
    const own = { ...DEFAULT_PULL_REQUEST, reviewers: ['grace'] };
    const theirs = { ...DEFAULT_PULL_REQUEST, reviewers: ['ada'] };
    const inline: InlinePolicy = { action: 'pr', pullRequest: own };
    const open = policyOf('base', 1, { pullRequest: theirs });
    const closed = policyOf('base', 1, { pullRequest: theirs }, { locked: ['pullRequest'] });
    expect(mergePolicies(inline, [open]).merged.pullRequest).toEqual({ value: own, from: { by: 'FLOW' } });
    expect(mergePolicies(inline, [closed]).merged.pullRequest).toMatchObject({
      value: theirs,
      from: { by: 'POLICY', locked: true },
    });
    expect(mergePolicies({ action: 'pr' }, []).merged.pullRequest).toEqual({
      value: DEFAULT_PULL_REQUEST,
      from: { by: 'DEFAULT' },
    });
    expect(mergePolicies({ action: 'commit' }, [closed]).merged.pullRequest).toBeNull();
  });
});

describe('said of it', () => {
  const ofFlow = (inline: InlinePolicy, policies: RankedPolicy[]) => messages(mergePolicies(inline, policies).findings);

  test('action none without a pre-action is refused, and right with the one of a policy', () => {
    expect(ofFlow({ action: 'none' }, [])).toEqual([
      'REFUSED MISSING: action none of the flow changes nothing by itself: name a preAction that does the work, in the step or in a policy, or use action commit',
    ]);
    expect(ofFlow({ action: 'none' }, [policyOf('base', 1, { preAction: 'helm' })])).toEqual([]);
  });

  test('pull requests that are described and not made', () => {
    const inline = { pullRequest: DEFAULT_PULL_REQUEST };
    expect(ofFlow(inline, [policyOf('base', 1, { action: 'pr' })])).toEqual([]);
    expect(ofFlow(inline, [policyOf('base', 1, { action: 'commit' })])).toEqual([
      'WARNING UNUSED: the flow says how pull requests are made, and the action is commit: none is opened',
    ]);
    expect(ofFlow({ action: 'commit' }, [policyOf('base', 1, { pullRequest: DEFAULT_PULL_REQUEST })])).toEqual([]);
  });

  const tie =
    'WARNING TIE: policies "a", "b" set action with the same priority 1: the first by name counts; give them different numbers';
  test.each([
    ['the name decides', {}, policyOf('b', 1, { action: 'pr' }), ['- | commit (a) | -', tie]],
    ['the same value is no tie', {}, policyOf('b', 1, { action: 'commit' }), ['- | commit (a) | -']],
    ['another number is none', {}, policyOf('b', 2, { action: 'pr' }), ['- | commit (a) | -']],
    ['what the flow sets is none', { action: 'pr' }, policyOf('b', 1, { action: 'pr' }), ['- | pr (flow) | -']],
    ['another setting is none', {}, policyOf('b', 1, { postAction: 'tell' }), ['- | commit (a) | tell (b)']],
  ] as [string, InlinePolicy, RankedPolicy, string[]][])('ties: %s', (_, inline, other, answer) => {
    const found = policiesFor([other, policyOf('a', 1, { action: 'commit' })], metadata('demo'), metadata('eu'));
    const { merged, findings } = mergePolicies(inline, found);
    expect([shown(merged), ...messages(findings)]).toEqual(answer);
  });

  test('locked workflows of one number both run: no name decides', () => {
    const scan = policyOf('a', 1, { preAction: 'scan' }, { locked: ['preAction'] });
    const other = policyOf('b', 1, { preAction: 'consent' }, { locked: ['preAction'] });
    expect(ofFlow({ action: 'commit' }, [scan, other])).toEqual([]);
    expect(ofFlow({ action: 'commit' }, [scan, policyOf('b', 1, { preAction: 'deploy' })])).toHaveLength(1);
  });

  test('ties about pull requests', () => {
    const titled = (title: string) => ({ pullRequest: { ...DEFAULT_PULL_REQUEST, title } });
    const [a, b] = [policyOf('a', 1, titled('one')), policyOf('b', 1, titled('two'))];
    expect(ofFlow({ action: 'pr' }, [a, b])).toHaveLength(1);
    expect(ofFlow({ action: 'pr' }, [a, policyOf('b', 1, titled('one'))])).toEqual([]);
  });
});

describe('in a plan', () => {
  const workflows = { scan: ['unit'], deploy: ['helm'], tell: ['post'] };
  const stepsOf = (options: PlanOptions, drawn = flowOf('dev > {eu, asia} as regions')): Record<string, string[]> =>
    Object.fromEntries(
      planOf(drawn, { workflows, ...options }).promotions.map(({ name, steps }) => [name, steps.map(({ id }) => id)]),
    );

  test('each member of a group has its own answer, and says where it comes from', () => {
    const policies = [policyOf('eu-only', 1, { preAction: 'scan', action: 'pr' }, { environment: 'eu' })];
    const { promotions } = planOf(flowOf('dev > {eu, asia} as regions'), { workflows, policies });
    const of = (name: string) => promotions.find((each) => each.name === name)!;
    const from = { by: 'POLICY', policy: 'eu-only', revision: 1, priority: 1 };
    expect(of('eu').policy).toEqual({
      preActions: [{ value: 'scan', from }],
      action: { value: 'pr', from },
      pullRequest: { by: 'DEFAULT' },
    });
    expect(of('eu').pullRequest).toEqual(DEFAULT_PULL_REQUEST);
    expect(of('asia').policy).toEqual({ action: { value: 'commit', from: { by: 'DEFAULT' } } });
    expect(of('asia').pullRequest).toBeUndefined();
    expect(of('dev').policy).toEqual({});
  });

  test('a locked workflow is in front, one after the other, and each step has a name of its own', () => {
    const policies = [policyOf('base', 1, { preAction: 'scan' }, { locked: ['preAction'] })];
    const steps = { eu: { policy: { preAction: 'deploy' } } };
    const plan = planOf(flowOf('dev > eu', { steps }), { workflows, policies });
    expect(plan.promotions[1]!.steps.map(({ id, needs }) => `${id} after ${needs.join()}`)).toEqual([
      'billing-eu/PRE_ACTION/unit after ',
      'billing-eu/PRE_ACTION/deploy/helm after 0',
      'billing-eu/ACTION after 1',
      'billing-eu/HEALTH after 2',
    ]);
  });

  test('in the trigger environment only the workflow after the change counts', () => {
    const policies = [policyOf('base', 1, { preAction: 'scan', action: 'pr', postAction: 'tell' })];
    expect(stepsOf({ policies })['dev']).toEqual(['billing-dev/HEALTH', 'billing-dev/POST_ACTION/post']);
    const own = flowOf('dev > eu', { triggerWorkflow: 'deploy' });
    expect(stepsOf({ policies }, own)['dev']).toEqual(['billing-dev/HEALTH', 'billing-dev/POST_ACTION/helm']);
  });

  test('what is right only together with a policy is planned with it, and refused without', () => {
    const drawn = flowOf('dev > {eu, asia} as regions', { steps: { regions: { policy: { action: 'none' } } } });
    const policies = [policyOf('base', 1, { preAction: 'deploy' })];
    expect(stepsOf({ policies }, drawn)['eu']).toEqual(['billing-eu/PRE_ACTION/helm', 'billing-eu/HEALTH']);
    const planned = planRelease(inputOf(drawn, { workflows }));
    expect('refusals' in planned && planned.refusals).toMatchObject([
      {
        code: 'INVALID',
        message: expect.stringMatching(/^in "asia", "eu": action none of the flow changes nothing by itself/),
        path: ['flow', 'asia', 'preAction'],
      },
    ]);
  });

  test('warnings come once, with the environments; notes do not come', () => {
    const policies = [policyOf('a', 1, { postAction: 'tell' }), policyOf('b', 1, { postAction: 'scan' })];
    const { warnings } = planOf(flowOf('dev > {eu, asia} as regions'), { workflows, policies });
    expect(warnings).toEqual([
      'in "dev", "asia", "eu": policies "a", "b" set postAction with the same priority 1: the first by name counts; give them different numbers',
    ]);
  });

  test('a step without an environment has no policy', () => {
    const policies = [policyOf('base', 1, { preAction: 'scan' }, { locked: ['preAction'] })];
    const plan = planOf(flowOf('dev > [tests] > eu'), { workflows: { ...workflows, tests: ['run'] }, policies });
    expect(plan.promotions[1]).toMatchObject({ name: 'tests', steps: [{ id: 'WORKFLOW/run' }] });
    expect(plan.promotions[1]!.policy).toBeUndefined();
  });
});

test('what a flow says of each environment: its trigger workflow, the step, the step of its group', () => {
  const { spec } = flowOf('dev > staging > {eu, asia} as regions', {
    triggerWorkflow: 'checks',
    steps: { staging: { policy: { action: 'commit' } }, regions: { policy: { action: 'pr' } } },
  });
  const groups = new Map([['regions', ['asia', 'eu']]]);
  expect(['dev', 'staging', 'eu', 'asia', 'mars'].map((name) => inlineOf(spec, name, groups))).toEqual([
    { inline: { postAction: 'checks' }, at: 'TRIGGER' },
    { inline: { action: 'commit' }, at: 'TARGET' },
    { inline: { action: 'pr' }, at: 'TARGET' },
    { inline: { action: 'pr' }, at: 'TARGET' },
    null,
  ]);
});

describe('whatever the policies are', () => {
  const workflow = fc.constantFrom('one', 'two', 'three');
  const action = fc.constantFrom('commit', 'pr', 'none');
  const settings = fc.record({ preAction: workflow, action, postAction: workflow }, { requiredKeys: [] });
  const drawn = fc
    .uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        priority: fc.integer({ min: -1, max: 1 }),
        settings,
        locked: fc.subarray<PolicySetting>(['preAction', 'action', 'postAction']),
        product: fc.constantFrom(undefined, 'billing', 'demo'),
        environment: fc.constantFrom(undefined, 'eu', 'asia'),
      }),
      { selector: ({ name }) => name },
    )
    .map((all) => all.map(({ name, priority, settings: given, ...more }) => policyOf(name, priority, given, more)));
  const merge = (inline: InlinePolicy, policies: RankedPolicy[], environment = 'eu') =>
    mergePolicies(inline, policiesFor(policies, metadata('billing'), metadata(environment)));
  const fits = ({ spec: { selector } }: RankedPolicy) =>
    (selector.product.names?.[0] ?? 'billing') === 'billing' &&
    (selector.targetEnvironment.names?.[0] ?? 'eu') === 'eu';
  const all = <T>(property: (inline: InlinePolicy, policies: RankedPolicy[]) => T) =>
    fc.assert(fc.property(settings, drawn, (inline, policies) => void property(inline, policies)));

  test('their order in the list says nothing', () => {
    fc.assert(
      fc.property(
        settings,
        drawn.chain((policies) =>
          fc.tuple(
            fc.constant(policies),
            fc.shuffledSubarray(policies, { minLength: policies.length, maxLength: policies.length }),
          ),
        ),
        (inline, [one, other]) => {
          expect(merge(inline, one)).toEqual(merge(inline, other));
        },
      ),
    );
  });

  test('without locks each setting is that of the first who sets it', () => {
    all((inline, policies) => {
      const open = policies.map((each) => ({ ...each, spec: { ...each.spec, locked: [] } }));
      const ranked = open
        .filter(fits)
        .sort((a, b) => a.spec.priority - b.spec.priority || a.metadata.name.localeCompare(b.metadata.name));
      const first = (setting: 'preAction' | 'action' | 'postAction') =>
        [inline, ...ranked.map(({ spec }) => spec.policy)].find((each) => each[setting] !== undefined)?.[setting];
      const { merged } = merge(inline, open);
      expect(merged.action?.value).toBe(first('action') ?? 'commit');
      expect(merged.preActions.map(({ value }) => value)).toEqual([first('preAction')].filter(Boolean));
      expect(merged.postActions.map(({ value }) => value)).toEqual([first('postAction')].filter(Boolean));
    });
  });

  test('what is locked holds, or nothing is planned', () => {
    all((inline, policies) => {
      const { merged, findings } = merge(inline, policies);
      for (const { spec } of policies.filter(fits)) {
        for (const setting of spec.locked) {
          const wanted = spec.policy[setting];
          if (wanted === undefined) continue;
          if (setting === 'action') {
            const refused = findings.some(({ severity }) => severity === 'REFUSED');
            const allowed = wanted === 'commit' ? ['commit', 'pr'] : [wanted];
            if (!refused) expect(allowed).toContain(merged.action?.value);
          } else {
            const run = setting === 'preAction' ? merged.preActions : merged.postActions;
            expect(run.filter(({ value }) => value === wanted)).toHaveLength(1);
          }
        }
      }
    });
  });

  test('every setting comes from someone who says it, and a policy that is for something else says nothing', () => {
    all((inline, policies) => {
      const { merged } = merge(inline, policies);
      const { pullRequest: _, action: act, preActions = [], postActions = [] } = frozenPolicy(merged);
      const each = [
        ...preActions.map((one) => ['preAction', one] as const),
        ...(act ? [['action', act] as const] : []),
        ...postActions.map((one) => ['postAction', one] as const),
      ];
      for (const [setting, { value, from }] of each) {
        if (from.by === 'DEFAULT') expect(value).toBe('commit');
        else if (from.by === 'FLOW') expect(value).toBe(inline[setting]);
        else {
          const policy = policies.find(({ metadata: { name } }) => name === from.policy)!;
          expect(fits(policy)).toBe(true);
          expect(value).toBe(policy.spec.policy[setting]);
          expect(from.locked ?? false).toBe(policy.spec.locked.includes(setting));
        }
      }
      expect(merge(inline, policies.filter(fits))).toEqual(merge(inline, policies));
    });
  });

  test('the environments of a group have the answers that they have by themselves', () => {
    all((inline, policies) => {
      const planned = planRelease(
        inputOf(flowOf('dev > {eu, asia} as regions', { steps: { regions: { policy: inline } } }), {
          workflows: { one: ['run'], two: ['run'], three: ['run'] },
          policies,
        }),
      );
      const alone = ['eu', 'asia'].map((name) => merge(inline, policies, name));
      const refused = alone.some(({ findings }) => findings.some(({ severity }) => severity === 'REFUSED'));
      expect('refusals' in planned).toBe(refused);
      if ('refusals' in planned) return;
      for (const [index, name] of ['eu', 'asia'].entries())
        expect(planned.plan.promotions.find((each) => each.name === name)?.policy).toEqual(
          frozenPolicy(alone[index]!.merged),
        );
    });
  });
});
