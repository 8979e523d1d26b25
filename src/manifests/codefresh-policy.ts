import type { PromotionPolicySpec } from '../core/definitions.ts';
import { promotionPolicy } from '../core/kinds/promotion-policy.ts';
import { fallbacksOf } from '../core/kinds/shape.ts';
import { defaulted, integer, list, object, oneOf, optional, required, text } from './codec.ts';
import type { Codec, Fields, Path } from './codec.ts';
import { alsoOurs } from './forms.ts';
import { fieldsOf } from './kinds.ts';

interface Selection {
  names?: string[];
  tags?: string[];
}
type Environments = Selection & { types?: ('PROD' | 'NON_PROD')[] };
interface Wire {
  priority: number;
  selector: { product: Selection; targetEnvironment: Environments };
  policy: Omit<PromotionPolicySpec['policy'], 'pullRequest'>;
}

const ours = promotionPolicy.fields;
const { product, targetEnvironment } = ours.selector.shape.fields;
const products: Fields<Selection> = { names: optional(list(text)), tags: optional(list(text)) };
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
  selector: defaulted(object(selector, alsoOurs(ours.selector.shape.fields, selector)), {
    product: {},
    targetEnvironment: {},
  }),
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
    const productTags = some(selected.product.tags);
    const targetEnvironmentTags = some(selected.targetEnvironment.tags);
    const kinds = some(selected.targetEnvironment.types)?.map((type) => HERE[type]);
    return {
      ...fallbacksOf(promotionPolicy),
      priority,
      selector: {
        product: { ...(names && { names }) },
        targetEnvironment: { ...(into && { names: into }), ...(kinds && { kinds }) },
        ...(productTags && { productTags }),
        ...(targetEnvironmentTags && { targetEnvironmentTags }),
      },
      policy,
    };
  },
  write({ priority, selector: { product: selected, targetEnvironment: into, ...tags }, policy }) {
    const types = into.kinds?.map((kind) => THERE[kind]);
    const there = {
      product: { names: selected.names, tags: tags.productTags },
      targetEnvironment: { names: into.names, types, tags: tags.targetEnvironmentTags },
    };
    return wire.write({ priority, selector: there, policy });
  },
};

/** Where in the published manifest a path of the selector stands. */
export function selectorThere([spec, selector, field, ...rest]: Path): Path {
  const tagged = /^(.*)Tags$/.exec(String(field))?.[1];
  if (tagged !== undefined) return [spec!, selector!, tagged, 'tags', ...rest];
  const path = [spec!, selector!, ...(field === undefined ? [] : [field]), ...rest];
  return path.map((part) => (part === 'kinds' ? 'types' : part));
}
