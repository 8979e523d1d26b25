import { fc } from '../property.ts';
import { describe, expect, test } from 'vitest';
import type { Labels, ProductSpec, Selector } from '../../../src/core/definitions.ts';
import { judgeFlows, selectFlow, whyNone } from '../../../src/core/trigger/select-flow.ts';

const product = (promotionFlows: ProductSpec['promotionFlows'] = [], labels: Labels = { team: 'pay' }) => ({
  metadata: { name: 'billing', labels, annotations: {} },
  spec: { promotionFlows, concurrency: 'QUEUE' as const, queueLimit: 50 },
});
const flow = (name: string, productSelector?: Selector, triggerEnvironment = 'dev') => ({
  metadata: { name, labels: {}, annotations: {} },
  spec: { triggerEnvironment, productSelector, steps: [], onFailure: 'FINISH_RUNNING' as const },
});
const hotfix = {
  name: 'fast',
  gitTriggerSelectors: [{ key: 'commitMessage' as const, operator: 'In' as const, values: ['*hotfix*'] }],
};
const flows = [
  flow('slow', {}),
  flow('fast'),
  flow('narrow', { matchLabels: { team: 'pay' } }),
  flow('from-qa', {}, 'qa'),
];

test("the product's first matching entry is taken, before any selector", () => {
  const chosen = selectFlow(product([hotfix, { name: 'slow' }]), 'dev', { message: 'a hotfix\n\nfor eu\n' }, flows);
  expect(chosen.flow!.metadata.name).toBe('fast');
  expect(chosen.explanation).toEqual([
    'entry 1 of product "billing", flow "fast": taken, the first entry that matches',
  ]);
});

test('an entry without selectors matches everything, an entry that does not match is passed over', () => {
  const chosen = selectFlow(product([hotfix, { name: 'slow' }]), 'dev', { message: 'feature' }, flows);
  expect(chosen.flow!.metadata.name).toBe('slow');
  expect(chosen.explanation[0]).toMatch(/not taken, commitMessage "feature" is not in "\*hotfix\*"/);
});

test('one value is enough for In, and one too many for NotIn', () => {
  const choose = (operator: 'In' | 'NotIn', ...values: string[]): string => {
    const entry = { name: 'fast', gitTriggerSelectors: [{ key: 'commitMessage' as const, operator, values }] };
    return selectFlow(product([entry]), 'dev', { message: 'fix the tax' }, flows).flow!.metadata.name;
  };
  expect(choose('In', 'wip', 'fix*')).toBe('fast');
  expect(choose('In', 'wip', 'fix')).toBe('narrow');
  expect(choose('NotIn', 'wip', '*experimental*')).toBe('fast');
  expect(choose('NotIn', 'wip', 'fix*')).toBe('narrow');
});

test('all selectors of an entry must match', () => {
  const entry = {
    name: 'fast',
    gitTriggerSelectors: [
      ...hotfix.gitTriggerSelectors,
      { key: 'gitRevision' as const, operator: 'NotIn' as const, values: ['main'] },
    ],
  };
  const choose = (revision: string) =>
    selectFlow(product([entry]), 'dev', { message: 'hotfix', revisions: [revision] }, flows).flow!.metadata.name;
  expect(choose('release-1')).toBe('fast');
  expect(choose('main')).toBe('narrow');
});

test('a revision is the commit, long or short, each of its branches and each of its tags', () => {
  const commit = 'abcdef0123456789abcdef0123456789abcdef01';
  const revisions = [commit, 'main', 'v1.2.0'];
  const choose = (operator: 'In' | 'NotIn', ...values: string[]): string => {
    const entry = { name: 'fast', gitTriggerSelectors: [{ key: 'gitRevision' as const, operator, values }] };
    return selectFlow(product([entry]), 'dev', { revisions }, flows).flow!.metadata.name;
  };
  for (const value of [commit, 'abcdef0', 'main', 'v1.*']) {
    expect(choose('In', value), value).toBe('fast');
    expect(choose('NotIn', value), value).toBe('narrow');
  }
  for (const value of ['abcdef', 'bcdef01', 'v2.*']) expect(choose('In', value), value).toBe('narrow');
});

test('a change whose message is not known meets no selector, not even NotIn', () => {
  const entry = {
    name: 'fast',
    gitTriggerSelectors: [{ key: 'commitMessage' as const, operator: 'NotIn' as const, values: ['x'] }],
  };
  expect(selectFlow(product([entry]), 'dev', undefined, flows).flow!.metadata.name).toBe('narrow');
});

test('without an entry the most specific product selector wins', () => {
  expect(selectFlow(product(), 'dev', undefined, flows).flow!.metadata.name).toBe('narrow');
  expect(selectFlow(product([], {}), 'dev', undefined, flows).flow!.metadata.name).toBe('slow');
});

test('a tie is refused with the candidates', () => {
  const { refusal } = selectFlow(product(), 'dev', undefined, [flow('b', {}), flow('a', {})]);
  expect(refusal).toMatchObject({ code: 'AMBIGUOUS_FLOW', message: expect.stringContaining('"a", "b"') });
});

test('no flow says what was tried', () => {
  const { refusal } = selectFlow(product([{ name: 'from-qa' }]), 'dev', undefined, [
    flow('from-qa', {}, 'qa'),
    flow('fast'),
  ]);
  expect(refusal!.code).toBe('NO_FLOW');
  expect(refusal!.message).toMatch(
    /triggered by environment "qa", not "dev".*flow "fast": not taken, it has no productSelector/,
  );
  expect(selectFlow(product(), 'dev', undefined, []).refusal!.message).toMatch(/no flow has this trigger environment/);
});

test('where none fits, what the product lists is said, and why it was not taken', () => {
  const selectors = [{ key: 'commitMessage' as const, operator: 'In' as const, values: ['release*'] }];
  const listed = product([{ name: 'fast', gitTriggerSelectors: selectors }]);
  const answers = ['dev', 'qa'].map((environment) =>
    selectFlow(listed, environment, {}, [flow('fast'), flow('other', {}, 'x')]),
  );
  expect(whyNone(listed, answers)).toMatchObject({
    code: 'NO_FLOW',
    message:
      'no flow fits product "billing": entry 1 of product "billing", flow "fast": not taken, the commitMessage is not known; ' +
      'flow "fast": not taken, it has no productSelector and the product does not list it; the commit is ' +
      'read from git when a release is triggered: a plan knows of `commit` alone, and a simulated target has none. ' +
      'To choose, name one as `flow` (`--flow`)',
  });
});

test('where nothing is listed, that is the cure', () => {
  expect(whyNone(product(), [selectFlow(product(), 'dev', {}, [flow('fast')])]).message).toContain(
    'list one in its promotionFlows',
  );
});

test('where nothing is there that could be tried, that is said', () => {
  expect(whyNone(product(), []).message).toContain('there is none that it could travel');
});

test.each([
  [10, ''],
  [11, '; and 1 more'],
])('of %i that were tried, ten are told%s', (count, more) => {
  const { refusal } = selectFlow(
    product(),
    'dev',
    undefined,
    Array.from({ length: count }, (_, each) => flow(`f${each}`)),
  );
  const told = refusal?.message ?? '';
  expect(told.match(/not taken/g)).toHaveLength(10);
  expect(told.endsWith(`the product does not list it${more}`)).toBe(true);
});

test('an entry whose flow is gone is said, also where another environment has no flow', () => {
  const gone = product([{ name: 'gone' }]);
  expect(whyNone(gone, [selectFlow(gone, 'dev', {}, [])]).code).toBe('UNKNOWN_REFERENCE');
});

test('an entry that names a flow that is gone is refused, not passed over', () => {
  const { refusal } = selectFlow(product([{ name: 'gone' }, { name: 'slow' }]), 'dev', undefined, flows);
  expect(refusal).toMatchObject({ code: 'UNKNOWN_REFERENCE', path: ['spec', 'promotionFlows', 0, 'name'] });
});

test('for any flows: never a silent pick between equals, and the order of the flows does not matter', () => {
  const reached: Record<string, number> = {};
  const selector = fc.constantFrom<Selector | undefined>(
    undefined,
    {},
    { names: ['bill*'] },
    { names: ['billing'] },
    { names: ['x'] },
  );
  fc.assert(
    fc.property(
      fc.array(selector, { maxLength: 4 }).chain((list) => {
        const made = list.map((each, i) => flow(`f${i}`, each));
        return fc.tuple(fc.constant(made), fc.shuffledSubarray(made, { minLength: made.length }));
      }),
      ([made, shuffled]) => {
        const [one, two] = [made, shuffled].map((each) => selectFlow(product(), 'dev', undefined, each));
        expect(one!.flow?.metadata.name).toBe(two!.flow?.metadata.name);
        expect(one!.refusal?.code).toBe(two!.refusal?.code);
        const outcome = one!.refusal?.code ?? 'flow';
        reached[outcome] = (reached[outcome] ?? 0) + 1;
      },
    ),
  );
  expect(Object.keys(reached).sort()).toEqual(['AMBIGUOUS_FLOW', 'NO_FLOW', 'flow']);
});

describe('of every flow it is said why it starts, or does not', () => {
  const told = (...asked: Parameters<typeof judgeFlows>): string[] =>
    judgeFlows(...asked).map(
      ({ flow: name, taken, entry, reason }) => `${taken ? '+' : '-'} ${name} ${entry}: ${reason}`,
    );

  test('one of the list is taken: what comes behind it was not looked at', () => {
    expect(told(product([hotfix, { name: 'slow' }]), 'dev', { message: 'a hotfix' }, flows)).toEqual([
      '- slow null: entry 1 of the product comes first, flow "fast"',
      '+ fast 0: the first entry that matches',
      '- narrow null: entry 1 of the product comes first, flow "fast"',
      '- from-qa null: it is triggered by environment "qa", not "dev"',
    ]);
  });

  test('none of the list fits: the most specific selector is taken', () => {
    expect(told(product([hotfix]), 'dev', { message: 'feature' }, flows)).toEqual([
      '- slow null: its productSelector (everything) matches, and that of flow "narrow" is more specific',
      '- fast 0: commitMessage "feature" is not in "*hotfix*"; it has no productSelector and the product does not list it',
      '+ narrow null: the most specific productSelector',
      '- from-qa null: it is triggered by environment "qa", not "dev"',
    ]);
  });

  test('two that fit equally well: neither', () => {
    expect(told(product(), 'dev', {}, [flow('one', {}), flow('two', {})])).toEqual([
      '- one null: its productSelector (everything) matches, and so do those of "two"',
      '- two null: its productSelector (everything) matches, and so do those of "one"',
    ]);
  });

  test('an entry of a flow that is gone keeps all others from being looked at', () => {
    expect(told(product([{ name: 'gone' }]), 'dev', {}, [flow('one', {})])).toEqual([
      '- one null: an entry of the product that comes first names a flow that does not exist',
    ]);
  });

  test('for any list and any flows: the one that is taken is the one that is selected', () => {
    const selector = fc.constantFrom<Selector | undefined>(undefined, {}, { names: ['bill*'] }, { names: ['x'] });
    const entries = fc.array(fc.tuple(fc.constantFrom('f0', 'f1', 'f2', 'gone'), fc.boolean()), { maxLength: 3 });
    fc.assert(
      fc.property(entries, fc.array(fc.tuple(selector, fc.boolean()), { maxLength: 4 }), (list, made) => {
        const listing = product(list.map(([name, guarded]) => ({ ...(guarded ? hotfix : {}), name })));
        const all = made.map(([each, isDev], index) => flow(`f${index}`, each, isDev ? 'dev' : 'qa'));
        const judged = judgeFlows(listing, 'dev', { message: 'feature' }, all);
        const { flow: selected } = selectFlow(listing, 'dev', { message: 'feature' }, all);
        expect(judged.map((each) => each.flow)).toEqual(all.map(({ metadata }) => metadata.name));
        expect(judged.filter(({ taken }) => taken).map((each) => each.flow)).toEqual(
          selected ? [selected.metadata.name] : [],
        );
        for (const { reason } of judged) expect(reason).not.toBe('');
      }),
    );
  });
});
