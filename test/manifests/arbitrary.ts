import { KINDS } from '../../src/core/definitions.ts';
import type { AnyDefinition, FlowStepSpec, Kind } from '../../src/core/definitions.ts';
import { SPECS } from '../../src/core/kinds/index.ts';
import { wordsOf, type ObjectShape, type Shape } from '../../src/core/kinds/shape.ts';
import { fc } from '../core/property.ts';

/** Any text that a definition may hold, hostile to YAML: quotes, line breaks, things that look like something else. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    ' ',
    'yes',
    'null',
    '~',
    '1.0',
    '0x1f',
    '- a',
    'a: b',
    '#x',
    '"',
    "'",
    '|',
    '>\n',
    'a\nb\n',
    'a\r\nb',
    '\t',
    '---',
    '...',
    '&a',
    '*a',
    '!x',
    '<<',
    '${X}',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\ud800',
    '2024-01-01',
    '1e3',
  ),
);
const key = text.filter((each) => each !== '__proto__');
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
const labels = fc.dictionary(key, text, { maxKeys: 4, noNullPrototype: true });
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'p')) as unknown);
const plain = { noNullPrototype: true } as const;

/** Every value that a shape describes, wrong ones as well: a manifest is written and read whatever the checks think of it. */
function valueOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.is) {
    case 'text':
      return shape.rule === 'name' || shape.refers ? name : text;
    case 'integer':
      return fc.integer({ min: Math.max(shape.least, -9), max: Math.min(shape.most, 60) });
    case 'boolean':
      return fc.boolean();
    case 'duration':
      return fc.nat();
    case 'words':
      return fc.constantFrom(...wordsOf(shape));
    case 'list':
      return fc.array(valueOf(shape.of), { maxLength: 2 });
    case 'map':
      return fc.dictionary(key, valueOf(shape.of), { maxKeys: 3, ...plain });
    case 'json':
      return fc.dictionary(key, json, { maxKeys: 3, ...plain });
    case 'any':
      return json;
    case 'object':
      return objectOf(shape);
    case 'choice':
      return fc.oneof(
        ...Object.entries(shape.choices).map(([type, each]) =>
          objectOf(each.shape).map((fields) => ({ type, ...fields })),
        ),
      );
  }
}

function objectOf({ fields }: ObjectShape): fc.Arbitrary<object> {
  const values = Object.entries(fields).map(
    ([field, { presence, shape, fallback }]): [string, fc.Arbitrary<unknown>] => {
      const any = valueOf(shape);
      // A fallback is left out of the text: that has to come often enough to be seen.
      return [field, presence === 'defaulted' ? fc.oneof(any, fc.constant(structuredClone(fallback))) : any];
    },
  );
  const requiredKeys = Object.keys(fields).filter((field) => fields[field]!.presence !== 'optional');
  return fc.record(Object.fromEntries(values), { requiredKeys, ...plain });
}

/** Without what only our own form can say. */
// oxlint-disable-next-line typescript/no-explicit-any -- a spec of one kind or another
function published(kind: Kind, spec: any): object {
  const { onMissing: _missing, whenAbsent: _absent, whenGone: _gone, ...template } = spec;
  if (kind === 'PromotionTemplate') return template;
  if (kind === 'Product') {
    const { queueLimit: _limit, trigger: _trigger, promotionTemplate, ...product } = spec;
    const own = promotionTemplate && { promotionTemplate: published('PromotionTemplate', promotionTemplate) };
    return {
      ...product,
      ...own,
      concurrency: spec.concurrency === 'TERMINATE' ? 'TERMINATE' : 'QUEUE',
      queueLimit: 50,
    };
  }
  if (kind === 'PromotionPolicy') {
    const { priority, selector, policy } = spec;
    const { pullRequest: _pullRequest, ...settings } = policy;
    const { names, kinds } = selector.targetEnvironment;
    const { productTags, targetEnvironmentTags } = selector;
    const selected = defined({
      product: defined({ names: selector.product.names }),
      targetEnvironment: defined({ names, kinds }),
      productTags,
      targetEnvironmentTags,
    });
    return { priority, selector: selected, policy: settings, locked: [] };
  }
  if (kind !== 'PromotionFlow') return spec;
  const { description, version, triggerEnvironment, triggerWorkflow, hooks, timeout } = spec;
  const steps = spec.steps.map(({ environment = 'dev', dependsOn, policy, hooks: around }: FlowStepSpec) =>
    defined({ environment, dependsOn, policy, hooks: around }),
  );
  return defined({
    description,
    version,
    triggerEnvironment,
    triggerWorkflow,
    hooks,
    steps,
    timeout: timeout && (timeout % 1000) * 60_000,
    onFailure: 'FINISH_RUNNING',
  });
}

const defined = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const specOf = (kind: Kind): fc.Arbitrary<object> =>
  fc.tuple(objectOf(SPECS[kind]), fc.boolean()).map(([spec, bare]) => (bare ? published(kind, spec) : spec));

const apiVersion = fc.constantFrom(undefined, 'codefresh.io/v1beta1', 'codefresh.io/v1beta2', 'nonsense');

export const definition: fc.Arbitrary<AnyDefinition> = fc
  .constantFrom(...KINDS)
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      metadata: fc.record({ name, labels, annotations: labels }),
      spec: specOf(kind),
    }),
  )
  .chain((made) =>
    apiVersion.map((applied) => ({
      ...made,
      metadata: {
        ...made.metadata,
        annotations: applied
          ? { ...made.metadata.annotations, 'sluice.dev/api-version': applied }
          : made.metadata.annotations,
      },
    })),
  ) as unknown as fc.Arbitrary<AnyDefinition>;
