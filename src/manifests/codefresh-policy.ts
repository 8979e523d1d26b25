import type { PromotionPolicySpec } from '../core/definitions.ts';
import { promotionPolicy } from '../core/kinds/promotion-policy.ts';
import { fallbacksOf } from '../core/kinds/shape.ts';
import { defaulted, integer, list, object, oneOf, optional, required, text } from './codec.ts';
import type { Codec, Fields } from './codec.ts';
import { alsoOurs, SLUICE_API } from './forms.ts';
import { fieldsOf } from './kinds.ts';

interface Selection {
  names?: string[];
  tags?: never[];
}
type Environments = Selection & { types?: ('PROD' | 'NON_PROD')[] };
interface Wire {
  priority: number;
  selector: { product: Selection; targetEnvironment: Environments };
  policy: Omit<PromotionPolicySpec['policy'], 'pullRequest'>;
}

/** Products and environments have no tags here; to drop some would widen what a policy is for. */
const noTags: Codec<never[]> = {
  read(value, path, report) {
    if (Array.isArray(value) && value.length === 0) return [];
    report(path, `there are no tags here: change apiVersion to ${SLUICE_API} and select by matchLabels`);
    return undefined;
  },
  write: (value) => value,
};

const ours = promotionPolicy.fields;
const { product, targetEnvironment } = ours.selector.shape.fields;
const products: Fields<Selection> = { names: optional(list(text)), tags: optional(noTags) };
const environments: Fields<Environments> = { ...products, types: optional(list(oneOf('PROD', 'NON_PROD'))) };
const selector: Fields<Wire['selector']> = {
  product: defaulted(object(products, alsoOurs(product.shape.fields, products)), {}),
  targetEnvironment: defaulted(
    object(environments, {
      ...alsoOurs(targetEnvironment.shape.fields, environments),
      kinds: 'here it is types, of PROD and NON_PROD',
    }),
    {},
  ),
};
const { pullRequest: _, ...settings } = fieldsOf(ours.policy.shape);
const fields: Fields<Wire> = {
  priority: required(integer),
  selector: defaulted(object(selector), { product: {}, targetEnvironment: {} }),
  policy: required(object(settings, alsoOurs(ours.policy.shape.fields, settings))),
};
const wire = object<Wire>(fields, alsoOurs(ours, fields));

const HERE = { PROD: 'PRODUCTION', NON_PROD: 'NON_PRODUCTION' } as const;
const THERE = { PRODUCTION: 'PROD', NON_PRODUCTION: 'NON_PROD' } as const;

/** There an empty list takes all. */
const some = <T>(values: T[] | undefined): T[] | undefined => (values?.length ? values : undefined);

/** A policy as Codefresh published it. What that has no words for is dropped when it is written. */
export const policyThere: Codec<PromotionPolicySpec> = {
  read(value, path, report) {
    const read = wire.read(value, path, report);
    // What is missing was reported.
    if (!read?.selector?.product || !read.selector.targetEnvironment) return undefined;
    const { priority, selector: selected, policy } = read;
    const names = some(selected.product.names);
    const into = some(selected.targetEnvironment.names);
    const kinds = some(selected.targetEnvironment.types)?.map((type) => HERE[type]);
    return {
      ...fallbacksOf(promotionPolicy),
      priority,
      selector: {
        product: { ...(names && { names }) },
        targetEnvironment: { ...(into && { names: into }), ...(kinds && { kinds }) },
      },
      policy,
    };
  },
  write({ priority, selector: { product: selected, targetEnvironment: into }, policy }) {
    const types = into.kinds?.map((kind) => THERE[kind]);
    const there = { product: { names: selected.names }, targetEnvironment: { names: into.names, types } };
    return wire.write({ priority, selector: there, policy });
  },
};
