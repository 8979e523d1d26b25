import type {
  AnyDefinition,
  FlowStepSpec,
  Kind,
  Labels,
  Metadata,
  ProductSpec,
  PromotionFlowSpec,
  PromotionTemplateSpec,
} from '../core/definitions.ts';
import { product as ourProduct, promotionTemplate } from '../core/kinds/product.ts';
import { flowStep, promotionFlow } from '../core/kinds/promotion-flow.ts';
import { fallbacksOf } from '../core/kinds/shape.ts';
import { defaulted, integer, isMap, list, object, oneOf, optional, required, text } from './codec.ts';
import type { Fields, Report } from './codec.ts';
import { policyThere, selectorThere } from './codefresh-policy.ts';
import { alsoOurs, metadataFields, type Form } from './forms.ts';
import { fieldsOf } from './kinds.ts';

/** Manifests of this kind apply as they were published. Product.concurrency came with v1beta2; both versions take it. */
export const CODEFRESH_APIS = ['codefresh.io/v1beta1', 'codefresh.io/v1beta2'];
export const CODEFRESH_KINDS: readonly Kind[] = ['PromotionFlow', 'Product', 'PromotionTemplate', 'PromotionPolicy'];

/** Remembers how a definition was written, so that it is exported the same way. */
export const API_VERSION_ANNOTATION = 'sluice.dev/api-version';
const NAMESPACE_ANNOTATION = 'sluice.dev/namespace';
const MINUTE = 60_000;

const metadata = object<Metadata & { namespace?: string }>({ ...metadataFields, namespace: optional(text) });

const {
  onMissing: _onMissing,
  whenAbsent: _whenAbsent,
  whenGone: _whenGone,
  ...templateFields
} = fieldsOf(promotionTemplate);
const template = object<Omit<PromotionTemplateSpec, 'onMissing' | 'whenAbsent' | 'whenGone'>>(
  templateFields,
  alsoOurs(promotionTemplate.fields, templateFields),
);

interface WireStep extends Pick<FlowStepSpec, 'dependsOn' | 'policy' | 'hooks'> {
  environment: string | undefined;
}
const { dependsOn, policy, hooks } = fieldsOf(flowStep);
const stepFields: Fields<WireStep> = { environment: required(text), dependsOn, policy, hooks };

interface WireFlow extends Pick<PromotionFlowSpec, 'triggerEnvironment' | 'hooks'> {
  postTrigger?: string;
  steps: Pick<FlowStepSpec, 'environment' | 'dependsOn' | 'policy' | 'hooks'>[];
  promotionTimeoutLimit?: number;
}
const flowFields: Fields<WireFlow> = {
  triggerEnvironment: required(text),
  postTrigger: optional(text),
  steps: defaulted(list(object<WireStep>(stepFields, alsoOurs(flowStep.fields, stepFields))), []),
  hooks,
  promotionTimeoutLimit: optional(integer),
};
const flow = object<WireFlow>(flowFields, {
  ...alsoOurs(promotionFlow.fields, flowFields),
  timeout: 'here it is promotionTimeoutLimit, in minutes',
  triggerWorkflow: 'here it is postTrigger',
  description: 'here it is the annotation description',
  version: 'here it is the annotation version',
});

type WireProduct = Pick<ProductSpec, 'promotionTemplateRef' | 'promotionTemplate' | 'promotionFlows'> & {
  concurrency: 'queue' | 'terminate';
};
const { promotionTemplateRef, promotionFlows } = fieldsOf(ourProduct);
const productFields: Fields<WireProduct> = {
  promotionTemplateRef,
  promotionTemplate: optional(template),
  promotionFlows,
  concurrency: defaulted(oneOf('queue', 'terminate'), 'queue'),
};
const product = object<WireProduct>(productFields, {
  ...alsoOurs(ourProduct.fields, productFields),
  description: 'here it is the annotation description',
});

export const codefreshForm: Form = {
  read(wire, kind, report, warn) {
    const head = metadata.read(wire.metadata ?? {}, ['metadata'], report);
    const spec = readSpec(wire.spec ?? {}, kind, report, warn);
    if (!head || !spec) return undefined;
    const { namespace, ...rest } = head;
    const annotations: Labels = { ...rest.annotations, [API_VERSION_ANNOTATION]: String(wire.apiVersion) };
    if (namespace !== undefined) annotations[NAMESPACE_ANNOTATION] = namespace;
    const texts: { description?: string; version?: string } = {};
    for (const key of textsOf(kind)) {
      if (annotations[key] === undefined) continue;
      texts[key] = annotations[key];
      delete annotations[key];
    }
    return { kind, metadata: { ...rest, annotations }, spec: { ...texts, ...spec } } as AnyDefinition;
  },

  write(definition) {
    const {
      [API_VERSION_ANNOTATION]: apiVersion,
      [NAMESPACE_ANNOTATION]: namespace,
      ...annotations
    } = definition.metadata.annotations;
    const texts = definition.spec as { description?: string; version?: string };
    for (const key of textsOf(definition.kind)) {
      if (texts[key] !== undefined) annotations[key] = texts[key];
    }
    return {
      apiVersion: apiVersion ?? CODEFRESH_APIS[0]!,
      kind: definition.kind,
      metadata: metadata.write({ ...definition.metadata, namespace, annotations }),
      spec: writeSpec(definition),
    };
  },

  wirePath(path, wire) {
    const [head, field, ...rest] = path;
    if (head !== 'spec' || field === undefined) return path;
    if (field === 'description' || field === 'version') return ['metadata', 'annotations', field];
    if (field === 'selector') return selectorThere(path);
    const renamed = field === 'timeout' ? 'promotionTimeoutLimit' : field === 'triggerWorkflow' ? 'postTrigger' : field;
    const legacy = legacyProperties(isMap(wire) ? wire.spec : undefined);
    return legacy && Object.hasOwn(legacy, renamed)
      ? ['spec', 'properties', renamed, ...rest]
      : ['spec', renamed, ...rest];
  },
};

/** What stands in annotations there and in the spec here. */
function textsOf(kind: Kind): ('description' | 'version')[] {
  return kind === 'PromotionFlow' ? ['description', 'version'] : kind === 'Product' ? ['description'] : [];
}

function readSpec(spec: unknown, kind: Kind, report: Report, warn: (message: string) => void): object | undefined {
  if (kind === 'PromotionTemplate') {
    const read = template.read(spec, ['spec'], report);
    if (read && !read.applicationSourceSelector) {
      warn(
        'it has no applicationSourceSelector, so it is for products that name it in promotionTemplateRef, and no others',
      );
    }
    return read;
  }
  if (kind === 'Product') {
    const read = product.read(spec, ['spec'], report);
    if (!read) return undefined;
    if (read.promotionTemplate && read.promotionTemplateRef !== undefined) {
      warn(
        'it has promotionTemplate and promotionTemplateRef: what the first one sets counts, the rest comes from the second',
      );
    }
    const concurrency = read.concurrency === 'terminate' ? 'TERMINATE' : 'QUEUE';
    return { ...fallbacksOf(ourProduct), ...read, concurrency };
  }
  if (kind === 'PromotionPolicy') {
    const read = policyThere.read(spec, ['spec'], report);
    const { productTags, targetEnvironmentTags } = read?.selector ?? {};
    if (productTags ?? targetEnvironmentTags) {
      warn(
        'its tags are compared with the keys of labels: a product or environment has a tag when it has a label of that name',
      );
    }
    return read;
  }
  if (legacyProperties(spec)) {
    warn(
      'spec.properties is the form of before 2025; its fields are read as fields of spec, and an export writes them there',
    );
  }
  const read = readFlow(spec, report);
  if (!read) return undefined;
  const { postTrigger, promotionTimeoutLimit, ...rest } = read;
  const result: PromotionFlowSpec = { ...fallbacksOf(promotionFlow), ...rest };
  if (postTrigger !== undefined) result.triggerWorkflow = postTrigger;
  if (promotionTimeoutLimit !== undefined) result.timeout = promotionTimeoutLimit * MINUTE;
  return result;
}

/** Until 2025 everything was published under `spec.properties`; what stands beside it is read as well. */
function readFlow(spec: unknown, report: Report): WireFlow | undefined {
  const legacy = legacyProperties(spec);
  if (!legacy) return flow.read(spec, ['spec'], report);
  const { properties: _, ...beside } = spec as Record<string, unknown>;
  for (const key of Object.keys(legacy)) {
    if (Object.hasOwn(beside, key)) {
      report(['spec', key], `${key} stands in spec and in spec.properties; remove one of them`, 'key');
    }
  }
  return flow.read({ ...beside, ...legacy }, ['spec'], (path, message, at) => {
    const field = path[1];
    const inside = field === undefined || Object.hasOwn(legacy, field);
    report(inside ? ['spec', 'properties', ...path.slice(1)] : path, message, at);
  });
}

function legacyProperties(spec: unknown): Record<string, unknown> | undefined {
  return isMap(spec) && isMap(spec.properties) ? spec.properties : undefined;
}

/** Settings that this form does not have are dropped here; the export compares and takes our own form then. */
function writeSpec(definition: AnyDefinition): unknown {
  switch (definition.kind) {
    case 'PromotionTemplate':
      return template.write(definition.spec);
    case 'PromotionPolicy':
      return policyThere.write(definition.spec);
    case 'Product': {
      const concurrency = definition.spec.concurrency === 'TERMINATE' ? 'terminate' : 'queue';
      return product.write({ ...definition.spec, concurrency });
    }
    case 'PromotionFlow': {
      const { triggerWorkflow, timeout, ...rest } = definition.spec;
      return flow.write({
        ...rest,
        postTrigger: triggerWorkflow,
        promotionTimeoutLimit: timeout === undefined ? undefined : Math.trunc(timeout / MINUTE),
      });
    }
    default:
      throw new Error(`${definition.kind} has no form of ${CODEFRESH_APIS[0]}`);
  }
}
