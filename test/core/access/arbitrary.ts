import { fc } from '../property.ts';
import { type Grant, type HeldGrant, ROLES } from '../../../src/core/access/index.ts';
import type { EnvironmentSelector } from '../../../src/core/definitions.ts';
import type { Selectable } from '../../../src/core/selectors.ts';

// Few words, so that they meet.
const name = fc.constantFrom('eu', 'eu-1', 'eu-2', 'us', 'us-1', 'dev');
const pattern = fc.oneof(name, fc.constantFrom('*', 'eu*', 'eu-*', '*-1', '*u*', 'u*-*', 'eu-*1'));
const key = fc.constantFrom('tier', 'team');
const value = fc.constantFrom('gold', 'iron');
const labels = fc.dictionary(key, value, { maxKeys: 2 });
const kind = fc.constantFrom('PRODUCTION', 'NON_PRODUCTION');

const operator = fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist');
const expression = fc.record({ key, operator, values: fc.uniqueArray(value, { maxLength: 2 }) });

export const selector = fc.record(
  {
    names: fc.array(pattern, { maxLength: 3 }),
    kinds: fc.uniqueArray(kind, { minLength: 1 }),
    matchLabels: labels,
    matchExpressions: fc.array(expression, { maxLength: 2 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<EnvironmentSelector>;

export const subject: fc.Arbitrary<Selectable> = fc.record({ name, labels, kind });

export const grant: fc.Arbitrary<Grant> = fc.record({
  role: fc.constantFrom(...ROLES),
  products: selector,
  environments: selector,
});

/** One that counts only within others, as those of a person's token do. */
export const held: fc.Arbitrary<HeldGrant> = fc
  .tuple(grant, fc.option(fc.array(grant, { maxLength: 3 }), { nil: undefined }))
  .map(([own, within]) => ({ ...own, ...(within && { within }) }));

/** Two selectors, the second one often a narrower form of the first: by chance alone that is rare. */
export const pair: fc.Arbitrary<[EnvironmentSelector, EnvironmentSelector]> = fc
  .tuple(selector, selector, fc.boolean())
  .map(([outer, more, narrower]) => [outer, narrower ? narrowed(outer, more) : more]);

function narrowed(outer: EnvironmentSelector, more: EnvironmentSelector): EnvironmentSelector {
  return {
    ...outer,
    ...(outer.names
      ? { names: outer.names.map((each) => each.replace('*', '*-1')) }
      : more.names && { names: more.names }),
    ...(more.matchLabels && { matchLabels: { ...more.matchLabels, ...outer.matchLabels } }),
    ...(more.matchExpressions && { matchExpressions: [...(outer.matchExpressions ?? []), ...more.matchExpressions] }),
  };
}

/** What somebody has, and a grant to hand on. */
export const handing: fc.Arbitrary<{ own: Grant[]; handed: Grant }> = fc
  .tuple(fc.constantFrom(...ROLES), fc.constantFrom(...ROLES), pair, pair, fc.array(grant, { maxLength: 3 }))
  .map(([role, least, [products, fewerProducts], [environments, fewerEnvironments], others]) => ({
    own: [{ role, products, environments }, ...others],
    handed: { role: least, products: fewerProducts, environments: fewerEnvironments },
  }));
