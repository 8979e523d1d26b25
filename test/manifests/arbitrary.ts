import type { AnyDefinition, Kind, Specs } from '../../src/core/definitions.ts';
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
const names = fc.array(name, { maxLength: 3 });
const duration = fc.nat();
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'p')) as unknown);

const record = <T>(fields: { [K in keyof T]-?: fc.Arbitrary<Exclude<T[K], undefined>> }, requiredKeys: (keyof T)[]) =>
  fc.record(fields, {
    requiredKeys,
    noNullPrototype: true,
  }) as unknown as fc.Arbitrary<T>;

const expression = record<{ key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }>(
  { key, operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'), values: fc.array(text, { maxLength: 2 }) },
  ['key', 'operator'],
);
const selectorFields = { names, matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) };
const selector = record<NonNullable<Specs['PromotionFlow']['productSelector']>>(selectorFields, []);
const environmentKinds = fc.array(fc.constantFrom('NON_PRODUCTION' as const, 'PRODUCTION' as const), { maxLength: 2 });
const hooks = record<NonNullable<Specs['PromotionFlow']['hooks']>>(
  { onStart: name, onSuccess: name, onFail: name },
  [],
);
const policy = record<NonNullable<Specs['PromotionFlow']['steps'][number]['policy']>>(
  { preAction: name, action: fc.constantFrom('commit', 'pr', 'none'), postAction: name },
  [],
);
const published = record<Omit<Specs['PromotionTemplate'], 'onMissing' | 'whenAbsent'>>(
  {
    applicationSourceSelector: selector,
    priority: fc.integer(),
    versionSource: fc.record({ file: text, jsonPath: text }, { noNullPrototype: true }),
    promotion: fc.dictionary(
      key,
      fc.record({ jsonPaths: fc.array(text, { maxLength: 2 }) }, { noNullPrototype: true }),
      { maxKeys: 3, noNullPrototype: true },
    ),
  },
  [],
);
/** Mostly what both forms can say. */
const template: fc.Arbitrary<Specs['PromotionTemplate']> = fc.oneof(
  { weight: 4, arbitrary: published },
  {
    weight: 1,
    arbitrary: fc
      .tuple(published, fc.constantFrom('REFUSE', 'SKIP', 'ADD'), fc.constantFrom('WARN', 'REFUSE'))
      .map(([each, onMissing, whenAbsent]) => ({ ...each, onMissing, whenAbsent })),
  },
);
const approval = record<NonNullable<Specs['PromotionFlow']['steps'][number]['approval']>>(
  {
    rules: fc.array(
      record<NonNullable<Specs['PromotionFlow']['steps'][number]['approval']>['rules'][number]>(
        { name, count: fc.nat(3), users: names, groups: names, roles: names },
        ['count'],
      ),
      { maxLength: 2 },
    ),
    forbidInitiator: fc.boolean(),
    expiry: duration,
    onExpiry: fc.constantFrom('FAIL', 'WAIT'),
  },
  ['rules', 'forbidInitiator', 'expiry', 'onExpiry'],
);
type RollbackPolicy = NonNullable<Specs['PromotionFlow']['rollbackPolicies']>[number];
const rollbackPolicy = record<RollbackPolicy>(
  {
    when: record<RollbackPolicy['when']>(
      { environments: names, groups: names, causes: fc.constant(['FAILED' as const, 'MANUAL' as const]) },
      [],
    ),
    targets: fc.array(
      record<RollbackPolicy['targets'][number]>(
        {
          environments: names,
          group: name,
          siblings: fc.boolean(),
          downstream: fc.boolean(),
          condition: fc.constantFrom('SAME_VERSION', 'ALWAYS'),
          mode: fc.constantFrom('AUTOMATIC', 'APPROVAL'),
          approval,
        },
        ['condition', 'mode'],
      ),
      { maxLength: 2 },
    ),
    observeFor: duration,
    maxFailureAge: duration,
    maxParallel: fc.nat(),
    onTargetFailure: fc.constantFrom('STOP', 'CONTINUE'),
    budget: fc.nat(),
    markBad: record<RollbackPolicy['markBad']>(
      { scope: fc.constantFrom('NONE', 'ENVIRONMENT', 'GROUP', 'PRODUCT'), expiresAfter: duration },
      ['scope'],
    ),
  },
  ['when', 'targets', 'maxFailureAge', 'onTargetFailure', 'markBad'],
);
const plainStep = record<Specs['PromotionFlow']['steps'][number]>(
  {
    environment: name,
    group: name,
    workflow: name,
    name,
    dependsOn: names,
    dependsOnPolicy: fc.constant({ policy: 'ALL' as const }),
    policy,
    hooks,
    soak: duration,
    timeout: duration,
    approval,
  },
  ['environment', 'dependsOn'],
);
/** Without what only our own form can say, so that both forms are written. */
const ownKeys = ['group', 'workflow', 'name', 'dependsOnPolicy', 'soak', 'timeout', 'approval'] as const;
const publishedStep = plainStep.map(
  (step) =>
    Object.fromEntries(
      Object.entries(step).filter(([each]) => !ownKeys.includes(each as never)),
    ) as unknown as typeof step,
);

const publishedFlow = record<Specs['PromotionFlow']>(
  {
    description: text,
    version: text,
    triggerEnvironment: name,
    triggerWorkflow: name,
    productSelector: fc.constant({}),
    steps: fc.array(publishedStep, { maxLength: 4 }),
    hooks,
    maxAge: duration,
    timeout: fc.nat(1000).map((minutes) => minutes * 60_000),
    onFailure: fc.constant('FINISH_RUNNING'),
    rollbackPolicies: fc.constant([]),
  },
  ['triggerEnvironment', 'steps', 'onFailure'],
).map(({ productSelector: _, rollbackPolicies: _none, maxAge: _age, ...spec }): Specs['PromotionFlow'] => spec);

const specs: { [K in Kind]: fc.Arbitrary<Specs[K]> } = {
  Environment: record<Specs['Environment']>(
    { kind: fc.constantFrom('NON_PRODUCTION', 'PRODUCTION'), description: text },
    ['kind'],
  ),
  EnvironmentGroup: record<Specs['EnvironmentGroup']>(
    {
      description: text,
      environments: record(
        {
          ...selectorFields,
          kinds: environmentKinds,
        },
        [],
      ),
      gate: record(
        {
          policy: fc.constantFrom('ALL', 'ANY', 'AT_LEAST'),
          count: fc.nat(),
          percent: fc.nat(),
          soak: duration,
          freshness: duration,
          unknownTimeout: duration,
        },
        ['policy'],
      ),
      maxParallel: fc.nat(),
      maxFailures: fc.nat(3),
    },
    ['environments', 'gate', 'maxFailures'],
  ),
  PromotionTemplate: template,
  PromotionWorkflow: record<Specs['PromotionWorkflow']>(
    {
      description: text,
      actions: fc.array(
        record<Specs['PromotionWorkflow']['actions'][number]>(
          {
            name,
            type: fc.constantFrom('simulate', 'http'),
            dependsOn: names,
            parameters: fc.dictionary(key, json, { maxKeys: 3, noNullPrototype: true }),
            timeout: duration,
            retry: fc.record({ limit: fc.nat(9), backoff: duration, maxDelay: duration }, { noNullPrototype: true }),
          },
          ['name', 'type', 'parameters'],
        ),
        { maxLength: 3 },
      ),
    },
    ['actions'],
  ),
  PromotionFlow: fc.oneof(
    record<Specs['PromotionFlow']>(
      {
        description: text,
        version: text,
        triggerEnvironment: name,
        triggerWorkflow: name,
        productSelector: selector,
        steps: fc.array(plainStep, { maxLength: 4 }),
        hooks,
        timeout: duration,
        maxAge: duration,
        onFailure: fc.constantFrom('FINISH_RUNNING', 'CONTINUE', 'STOP'),
        rollbackPolicies: fc.array(rollbackPolicy, { maxLength: 2 }),
      },
      ['triggerEnvironment', 'steps', 'onFailure'],
    ),
    publishedFlow,
  ),
  Product: record<Specs['Product']>(
    {
      description: text,
      promotionTemplateRef: name,
      promotionTemplate: template,
      promotionFlows: fc.array(
        record<Specs['Product']['promotionFlows'][number]>(
          {
            name,
            gitTriggerSelectors: fc.array(
              fc.record(
                {
                  key: fc.constantFrom('commitMessage' as const, 'gitRevision' as const),
                  operator: fc.constantFrom('In' as const, 'NotIn' as const),
                  values: fc.array(text, { maxLength: 2 }),
                },
                { noNullPrototype: true },
              ),
              { maxLength: 2 },
            ),
          },
          ['name'],
        ),
        { maxLength: 3 },
      ),
      concurrency: fc.constantFrom('QUEUE', 'TERMINATE', 'SUPERSEDE', 'PIPELINE'),
      queueLimit: fc.constantFrom(50, 50, 7),
    },
    ['promotionFlows', 'concurrency', 'queueLimit'],
  ),
  Application: record<Specs['Application']>(
    {
      description: text,
      product: name,
      environment: name,
      component: name,
      driver: fc.oneof(
        fc.record(
          { type: fc.constant('git' as const), repoURL: text, branch: text, path: text },
          { noNullPrototype: true },
        ),
        record<{ type: 'simulate'; duration?: number; failures?: number; failure?: 'FAILED' | 'TRANSIENT' }>(
          {
            type: fc.constant('simulate' as const),
            duration,
            failures: fc.integer({ min: -1, max: 9 }),
            failure: fc.constantFrom('FAILED', 'TRANSIENT'),
          },
          ['type'],
        ),
      ),
      health: fc.oneof<fc.Arbitrary<Specs['Application']['health']>[]>(
        fc.constant({ type: 'none' }),
        fc.constant({ type: 'report' }),
        fc.record(
          {
            type: fc.constant('http' as const),
            url: text,
            headers: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
            interval: duration,
            grace: duration,
            failureThreshold: fc.integer({ min: 1, max: 1_000 }),
            timeout: duration,
          },
          { requiredKeys: ['type', 'url'], noNullPrototype: true },
        ),
        fc.record(
          {
            type: fc.constant('simulate' as const),
            sequence: fc.array(fc.constantFrom('HEALTHY' as const, 'DEGRADED' as const)),
            interval: duration,
            grace: duration,
            failureThreshold: fc.integer({ min: 1, max: 1_000 }),
          },
          { requiredKeys: ['type'], noNullPrototype: true },
        ),
      ),
      sync: fc.oneof<fc.Arbitrary<NonNullable<Specs['Application']['sync']>>[]>(
        fc.constant({ type: 'none' }),
        fc.record(
          {
            type: fc.constant('http' as const),
            url: text,
            jsonPath: text,
            headers: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
            interval: duration,
            timeout: duration,
            limit: duration,
          },
          { requiredKeys: ['type', 'url'], noNullPrototype: true },
        ),
        fc.record(
          { type: fc.constant('report' as const), limit: duration },
          { requiredKeys: ['type'], noNullPrototype: true },
        ),
        fc.record(
          { type: fc.constant('simulate' as const), after: duration, never: fc.array(text), limit: duration },
          { requiredKeys: ['type'], noNullPrototype: true },
        ),
      ),
      namespace: name,
      runtime: text,
    },
    ['product', 'environment', 'driver', 'health'],
  ),
  ReleaseWindow: record<Specs['ReleaseWindow']>(
    {
      description: text,
      kind: fc.constantFrom('ALLOW', 'DENY'),
      timeZone: text,
      cron: text,
      rrule: text,
      start: text,
      from: text,
      to: text,
      duration,
      end: text,
      selector: record<Specs['ReleaseWindow']['selector']>(
        { environments: record({ ...selectorFields, kinds: environmentKinds }, []), groups: names, products: selector },
        ['environments', 'products'],
      ),
      holds: fc.array(fc.constantFrom('PROMOTE' as const, 'ROLLBACK' as const, 'APPROVE' as const), { maxLength: 3 }),
      onClose: fc.constantFrom('FINISH', 'PAUSE'),
      jitter: duration,
      runway: fc.boolean(),
    },
    ['kind', 'timeZone', 'selector', 'holds', 'onClose', 'runway'],
  ),
};

const apiVersion = fc.constantFrom(undefined, 'codefresh.io/v1beta1', 'codefresh.io/v1beta2', 'nonsense');

export const definition: fc.Arbitrary<AnyDefinition> = fc
  .constantFrom(...(Object.keys(specs) as Kind[]))
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      metadata: fc.record({ name, labels, annotations: labels }),
      spec: specs[kind] as fc.Arbitrary<object>,
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
