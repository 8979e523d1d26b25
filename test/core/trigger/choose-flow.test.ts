import { expect, test } from 'vitest';
import type { GitTriggerSelector, StoredDefinition } from '../../../src/core/definitions.ts';
import { selectFlow } from '../../../src/core/trigger/select-flow.ts';
import { chooseFlow, environmentsOfCommits, possibleFlows } from '../../../src/core/trigger/choose-flow.ts';
import { fc } from '../property.ts';

type Product = StoredDefinition<'Product'>;
type Flow = StoredDefinition<'PromotionFlow'>;

const product = (promotionFlows: Product['spec']['promotionFlows']): Product =>
  ({
    kind: 'Product',
    metadata: { name: 'billing', labels: { team: 'pay' }, annotations: {} },
    spec: { promotionFlows, concurrency: 'QUEUE', queueLimit: 50 },
  }) as unknown as Product;
const flow = (name: string, spec: Partial<Flow['spec']> = {}): Flow =>
  ({
    kind: 'PromotionFlow',
    metadata: { name, labels: {}, annotations: {} },
    spec: { triggerEnvironment: 'dev', steps: [], onFailure: 'FINISH_RUNNING', ...spec },
  }) as unknown as Flow;
const says = (...values: string[]): GitTriggerSelector => ({ key: 'commitMessage', operator: 'In', values });

const hotfix = { name: 'fast', gitTriggerSelectors: [says('*hotfix*')] };
const flows = [flow('fast'), flow('slow', { productSelector: {} }), flow('qa', { triggerEnvironment: 'qa' })];

test('the message of the commit chooses the flow', () => {
  const choose = (message: string): string => chooseFlow(product([hotfix]), flows, () => ({ message })).metadata.name;
  expect(choose('a hotfix for eu')).toBe('fast');
  expect(choose('a feature')).toBe('slow');
});

test('only environments from which such an entry starts are asked for their commits', () => {
  expect(environmentsOfCommits(product([hotfix, { name: 'qa' }]), flows)).toEqual(['dev']);
  const byRevision = { name: 'fast', gitTriggerSelectors: [{ ...says('v*'), key: 'gitRevision' as const }] };
  expect(environmentsOfCommits(product([byRevision]), flows)).toEqual(['dev']);
  expect(environmentsOfCommits(product([{ name: 'fast' }]), flows)).toEqual([]);
});

test('whatever the commit is, the flow that is taken is one of the possible ones, and each of those can be taken', () => {
  const words = ['fix', 'hotfix', 'docs'];
  const selector = fc.record({
    key: fc.constantFrom('commitMessage' as const, 'gitRevision' as const),
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.subarray([...words, '*fix'], { minLength: 1 }),
  });
  const names = ['one', 'two', 'three', 'missing'];
  const entry = fc.record(
    { name: fc.constantFrom(...names), gitTriggerSelectors: fc.array(selector, { maxLength: 2 }) },
    { requiredKeys: ['name'] },
  );
  const known = names.slice(0, 3).map((name) =>
    fc
      .record(
        {
          triggerEnvironment: fc.constantFrom('dev', 'qa'),
          productSelector: fc.constantFrom({}, { matchLabels: { team: 'pay' } }),
        },
        { requiredKeys: ['triggerEnvironment'] },
      )
      .map((spec) => flow(name, spec)),
  );
  const reached = { several: 0, byMessage: 0 };
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 4 }),
      fc.tuple(...known),
      fc.constantFrom(undefined, ...words),
      fc.constantFrom(undefined, ...words),
      (entries, all, revision, message) => {
        const own = product(entries);
        const possible = possibleFlows(own, all);
        if (possible.length > 1) reached.several += 1;
        const commit = { message, revisions: revision === undefined ? [] : [revision] };
        for (const environment of ['dev', 'qa']) {
          const { flow: taken, ...answer } = selectFlow(own, environment, commit, all);
          if (!taken) continue;
          if ('entry' in answer && message !== undefined) reached.byMessage += 1;
          expect(possible).toContain(taken);
        }
      },
    ),
    { numRuns: 3_000, seed: 9 },
  );
  expect(reached.several).toBeGreaterThan(50);
  expect(reached.byMessage).toBeGreaterThan(50);
});
