import { expect, test } from 'vitest';
import type { ProductSpec, PromotionTemplateSpec, StoredDefinition } from '../../../src/core/definitions.ts';
import { templateFor } from '../../../src/core/trigger/template.ts';
import { metadata } from '../support/builders.ts';

const templateOf = (name: string, spec: Partial<PromotionTemplateSpec>) =>
  ({ kind: 'PromotionTemplate', metadata: metadata(name), spec }) as StoredDefinition<'PromotionTemplate'>;
const productOf = (spec: Partial<ProductSpec>) =>
  ({ kind: 'Product', metadata: metadata('billing'), spec }) as StoredDefinition<'Product'>;
const application = (labels: Record<string, string> = {}) =>
  ({
    kind: 'Application',
    metadata: { ...metadata('billing-eu'), labels },
    spec: { product: 'billing', environment: 'eu' },
  }) as StoredDefinition<'Application'>;
const of = (file: string) => ({ versionSource: { file, jsonPath: '$.v' } });
const fileOf = (template: PromotionTemplateSpec | undefined) => template?.versionSource?.file;

const byProduct = templateOf('by-product', {
  priority: 2,
  applicationSourceSelector: { matchLabels: { 'codefresh.io/product': 'billing' } },
  ...of('product.yaml'),
});
const byEnvironment = templateOf('by-environment', {
  priority: 1,
  applicationSourceSelector: { matchLabels: { 'codefresh.io/environment': 'eu' } },
  ...of('eu.yaml'),
});
const forNobody = templateOf('for-nobody', { ...of('none.yaml') });

test('a template selects applications by labels, their product and environment among them', () => {
  expect(fileOf(templateFor(productOf({}), application(), [byProduct, forNobody]))).toBe('product.yaml');
  expect(fileOf(templateFor(productOf({}), application(), [byProduct, byEnvironment]))).toBe('eu.yaml');
  expect(templateFor(productOf({}), application({ 'codefresh.io/product': 'loans' }), [byProduct])).toBeUndefined();
});

test('of several the smallest number counts, of equal ones the first by name, and nothing of the others', () => {
  const selector = { applicationSourceSelector: { matchLabels: { 'codefresh.io/product': 'billing' } } };
  const promotion = { 'values.yaml': { jsonPaths: ['$.tag'] } };
  const a = templateOf('a', { priority: 2, ...selector, ...of('a.yaml') });
  const b = templateOf('b', { priority: 2, ...selector, ...of('b.yaml'), promotion });
  for (const both of [
    [a, b],
    [b, a],
  ])
    expect(templateFor(productOf({}), application(), both)).toEqual({ priority: 2, ...selector, ...of('a.yaml') });
  const first = templateOf('z', { priority: -1, ...selector, ...of('z.yaml') });
  expect(fileOf(templateFor(productOf({}), application(), [a, b, first]))).toBe('z.yaml');
});

test('a template without a selector is for products that name it', () => {
  expect(templateFor(productOf({}), application(), [forNobody])).toBeUndefined();
  const named = productOf({ promotionTemplateRef: 'for-nobody' });
  expect(fileOf(templateFor(named, application(), [byProduct, forNobody]))).toBe('none.yaml');
});

test('beside a named template the own one counts, field by field', () => {
  const promotion = { 'values.yaml': { jsonPaths: ['$.tag'] } };
  const base = templateOf('base', { ...of('base.yaml'), promotion });
  const both = productOf({ promotionTemplateRef: 'base', promotionTemplate: of('own.yaml') });
  expect(templateFor(both, application(), [base, byProduct])).toEqual({ ...of('own.yaml'), promotion });
});
