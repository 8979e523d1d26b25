import { expect, test } from 'vitest';
import type { ProductSpec, PromotionTemplateSpec, StoredDefinition } from '../../../src/core/definitions.ts';
import { explainTemplate, templateFor } from '../../../src/core/trigger/template.ts';
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
  expect(fileOf(templateFor(productOf({}), application(), [byProduct, byEnvironment]))).toBe('product.yaml');
  expect(templateFor(productOf({}), application({ 'codefresh.io/product': 'loans' }), [byProduct])).toBeUndefined();
});

test('several are laid on top of each other by number, of equal ones by name, file by file and setting by setting', () => {
  const selector = { applicationSourceSelector: { matchLabels: { 'codefresh.io/product': 'billing' } } };
  const [tag, name] = [{ jsonPaths: ['$.tag'] }, { jsonPaths: ['$.name'] }];
  const a = templateOf('a', { priority: 2, ...selector, promotion: { 'values.yaml': name, 'a.yaml': tag } });
  const b = templateOf('b', { priority: 2, ...selector, ...of('b.yaml'), promotion: { 'values.yaml': tag } });
  const base = templateOf('z', { priority: -1, ...selector, ...of('z.yaml'), whenGone: 'DELETE' });
  const orders = [
    [a, b, base],
    [base, b, a],
  ];
  for (const each of orders) {
    expect(templateFor(productOf({}), application(), each)).toEqual({
      ...of('b.yaml'),
      whenGone: 'DELETE',
      promotion: { 'values.yaml': tag, 'a.yaml': tag },
    });
    expect(explainTemplate(productOf({}), application(), each)).toEqual([
      'application "billing-eu": of its templates "z" (priority -1) gives "whenGone"; "a" (priority 2) gives "a.yaml"; "b" (priority 2) gives "versionSource", "values.yaml"',
    ]);
  }
  expect(templateFor(productOf({}), application(), [base])).toEqual({ ...of('z.yaml'), whenGone: 'DELETE' });
  expect(explainTemplate(productOf({}), application(), [base])).toEqual([]);
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
