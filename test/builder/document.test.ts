import { expect, test } from 'vitest';
import {
  connectTargets,
  editDocument,
  foresee,
  newFlowText,
  openDocument,
  previewRemoval,
  problemsOf,
  rangeOf,
  selectionAt,
  type FlowDocument,
  type FlowEdit,
  type Known,
} from '../../web/app/src/builder/document/index.ts';

const known: Known = {
  environments: new Set(['dev', 'staging', 'us-east', 'eu', 'asia', 'asia-2']),
  groups: new Map([['regions', ['us-east', 'eu', 'asia']]]),
  workflows: new Set(['smoke-tests']),
};

const step = (environment: string) => ({ environment, dependsOn: [] });
const add = (names: string[], after: string[], before: string[] = []): FlowEdit => ({
  type: 'addSteps',
  steps: names.map(step),
  after,
  before,
});
const remove = (name: string, dependents: 'RECONNECT' | 'REMOVE', reconnectTo: string[] = []): FlowEdit => ({
  type: 'removeStep',
  step: name,
  dependents,
  reconnectTo,
});

/** Makes edits one by one; what was said of each, and the document. */
function build(from: FlowDocument, ...edits: FlowEdit[]): { document: FlowDocument; said: string[] } {
  let document = from;
  const said = edits.map((edit) => {
    const made = editDocument(document, [edit], known);
    document = made.document ?? document;
    return made.said;
  });
  return { document, said };
}

/** Lines that went, and lines that came. */
function diff(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
  ];
}

const TEXT = `# The way of Billing
apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
  name: main   # as it was always called
spec:
  onFailure: FINISH_RUNNING # written out

  triggerEnvironment: 'dev'
  steps:
    # First where nobody is hurt.
    - environment: staging
      dependsOn: [dev]
      soak: 60m
    - group: regions # the old world
      dependsOn:
        - "staging"   # and nothing else

    - environment: asia-2
      dependsOn: [regions]
`;

test('an edit that was worked out before it is made is what it would be, and is that of its document alone', () => {
  const removal = remove('asia-2', 'RECONNECT');
  const document = openDocument(TEXT);
  const fresh = editDocument(document, [removal], known);
  foresee(document, removal, known);
  const made = editDocument(document, [removal], known);
  expect(made).toEqual(fresh);
  expect(editDocument(document, [removal], known)).toBe(made);
  expect(editDocument(document, [{ ...removal }], known)).not.toBe(made);
  const edited = editDocument(document, [{ type: 'changeFlow', settings: { timeout: 7_200_000 } }], known).document!;
  expect(editDocument(edited, [removal], known).document!.text).toContain('timeout: 2h');
  const others: Known = { ...known, groups: new Map() };
  expect(editDocument(document, [removal], others)).not.toBe(made);
});

test('a flow is built from nothing, and each step is told', () => {
  const { document, said } = build(
    openDocument(newFlowText('main')),
    { type: 'setTriggerEnvironment', environment: 'dev' },
    add(['staging'], ['dev']),
    add(['us-east', 'eu', 'asia'], ['staging']),
    add(['asia-2'], ['us-east']),
    { type: 'connect', from: 'eu', to: 'asia-2' },
    {
      type: 'changeStep',
      step: 'eu',
      settings: { soak: 3_600_000, policy: { preAction: 'smoke-tests' }, hooks: { onStart: 'smoke-tests' } },
    },
    { type: 'changeFlow', settings: { timeout: 7_200_000 } },
    { type: 'renameFlow', to: 'billing' },
    { type: 'disconnect', from: 'us-east', to: 'asia-2' },
    remove('asia', 'REMOVE'),
  );
  expect(said).toEqual([
    'the flow begins in dev',
    'staging added after dev, 2 of 2',
    'us-east, eu and asia added after staging, 5 in all',
    'asia-2 added after us-east, 6 of 6',
    'asia-2 depends on eu',
    'soak of eu is 1h; pre-action of eu is smoke-tests; on start of eu is smoke-tests',
    'timeout of the flow is 2h',
    'the flow is called billing',
    'asia-2 no longer depends on us-east',
    'asia removed, 5 left',
  ]);
  expect(document.text).toBe(`apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
  name: billing
spec:
  triggerEnvironment: dev
  steps:
    - environment: staging
      dependsOn:
        - dev
    - environment: us-east
      dependsOn:
        - staging
    - environment: eu
      dependsOn:
        - staging
      policy:
        preAction: smoke-tests
      hooks:
        onStart: smoke-tests
      soak: 1h
    - environment: asia-2
      dependsOn:
        - eu
  timeout: 2h
`);
  expect(problemsOf(document, known)).toEqual([]);
});

test.each<[string, FlowEdit, string[]]>([
  [
    'a setting',
    { type: 'changeStep', step: 'staging', settings: { soak: 7_200_000 } },
    ['-      soak: 60m', '+      soak: 2h'],
  ],
  ['one that is the same', { type: 'changeStep', step: 'staging', settings: { soak: 3_600_000 } }, []],
  ['a new setting', { type: 'changeStep', step: 'asia-2', settings: { soak: 60_000 } }, ['+      soak: 1m']],
  [
    'a rename, and all that names it',
    { type: 'renameStep', step: 'staging', to: 'test' },
    [
      '-    - environment: staging',
      '-        - "staging"   # and nothing else',
      '+    - environment: test',
      '+        - "test"   # and nothing else',
    ],
  ],
  [
    'a removal with reconnect',
    remove('staging', 'RECONNECT'),
    [
      '-    # First where nobody is hurt.',
      '-    - environment: staging',
      '-      dependsOn: [dev]',
      '-      soak: 60m',
      '-        - "staging"   # and nothing else',
      '+        - "dev"   # and nothing else',
    ],
  ],
  [
    'a second dependency',
    { type: 'connect', from: 'staging', to: 'asia-2' },
    ['-      dependsOn: [regions]', '+      dependsOn: [regions, staging]'],
  ],
  [
    'a field of the flow, where it belongs',
    { type: 'changeFlow', settings: { triggerWorkflow: 'smoke-tests' } },
    ['+  triggerWorkflow: smoke-tests'],
  ],
  [
    'the trigger',
    { type: 'setTriggerEnvironment', environment: 'lab' },
    [
      "-  triggerEnvironment: 'dev'",
      '-      dependsOn: [dev]',
      "+  triggerEnvironment: 'lab'",
      '+      dependsOn: [lab]',
    ],
  ],
])('of an edit only its own lines change: %s', (_, edit, lines) => {
  for (const eol of ['\n', '\r\n']) {
    const before = openDocument(TEXT.replaceAll('\n', eol));
    const { document } = build(before, edit);
    expect(diff(before.text, document.text)).toEqual(lines.map((line) => line + eol.slice(0, -1)));
  }
});

test('what a form leaves out has its default: an approval, and a rollback policy, are set and filled in step by step', () => {
  const flow = openDocument(TEXT);
  const rules = [{ rules: [] }, { rules: [], forbidInitiator: false }, { rules: [{}], forbidInitiator: false }];
  const policies = [{}, { targets: [{}] }, { targets: [{ siblings: true }] }];
  const { document, said } = build(
    flow,
    ...rules.map(
      (approval) => ({ type: 'changeStep', step: 'staging', settings: { approval } }) as unknown as FlowEdit,
    ),
    ...policies.map((each) => ({ type: 'changeFlow', settings: { rollbackPolicies: [each] } }) as unknown as FlowEdit),
  );
  expect(said).toEqual([
    ...rules.map(() => 'approval of staging changed'),
    ...policies.map(() => 'rollback policies of the flow changed'),
  ]);
  expect(document.flow!.spec.steps[0]!.approval).toEqual({
    rules: [{ count: 1 }],
    forbidInitiator: false,
    expiry: 86_400_000,
    onExpiry: 'FAIL',
  });
  expect(diff(TEXT, document.text)).toEqual([
    '+      approval:',
    '+        rules:',
    '+          - {}',
    '+        forbidInitiator: false',
    '+  rollbackPolicies:',
    '+    - targets:',
    '+        - siblings: true',
  ]);
});

test('a setting that lacks what it needs is refused where it is', () => {
  const settings = { rollbackPolicies: [{ markBad: {} }] } as never;
  const made = editDocument(openDocument(TEXT), [{ type: 'changeFlow', settings }], known);
  expect(made.refusals).toEqual([
    { message: 'the field scope is missing', at: { node: null, field: ['rollbackPolicies', 0, 'markBad'] } },
  ]);
});

test('other documents of the text stay, and an edit through an alias is refused with its place', () => {
  const more = `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: {name: eu, labels: {tier: "1"}}\nspec: {kind: PRODUCTION}\n`;
  const two = openDocument(`${more}---\n${TEXT}`);
  expect(build(two, add(['eu'], ['staging'])).document.text).toBe(
    `${more}---\n${build(openDocument(TEXT), add(['eu'], ['staging'])).document.text}`,
  );
  const alias = TEXT.replace('soak: 60m', 'soak: &long 60m').replace('[regions]', '[regions]\n      soak: *long');
  const { document, said } = build(openDocument(alias), remove('staging', 'RECONNECT'));
  expect(document.text).toBe(alias);
  expect(said).toEqual([
    'an alias repeats the anchor &long in line 14, which would go: write the value out where *long stands in line 21 first',
  ]);
  const own = build(openDocument(alias), { type: 'changeStep', step: 'asia-2', settings: { soak: 60_000 } });
  expect(diff(alias, own.document.text)).toEqual(['-      soak: *long', '+      soak: 1m']);
});

test('while the text cannot be read, the last good flow stays, with the place of the problem', () => {
  const good = openDocument(TEXT);
  const broken = openDocument(TEXT.replace('dependsOn: [dev]', 'dependsOn: [dev'), good);
  expect(broken).toMatchObject({ isCurrent: false, flow: good.flow });
  expect(broken.faults[0]).toMatchObject({ severity: 'ERROR' });
  const refused = editDocument(broken, [add(['eu'], ['staging'])], known);
  expect(refused.said).toMatch(/^the text cannot be read in line 1\d: .*\. Mend it or undo, then edit$/);
  const wrong = openDocument(TEXT.replace('soak: 60m', 'soak: 60'), good);
  expect(wrong).toMatchObject({ isCurrent: false, flow: good.flow });
  expect(wrong.faults).toMatchObject([
    { line: 14, column: 13, path: ['spec', 'steps', 0, 'soak'], at: { node: 'staging', field: ['soak'] } },
  ]);
  expect(wrong.text.slice(wrong.faults[0]!.range.start, wrong.faults[0]!.range.end)).toBe('60');
});

test('a problem stands on its node, its field and its line, and an unknown name can be made', () => {
  const document = openDocument(TEXT.replace('environment: asia-2', 'environment: mars'));
  const [problem, ...more] = problemsOf(document, known);
  expect(more).toEqual([]);
  expect(problem).toMatchObject({
    message: 'environment "mars" does not exist; create it or name another one.',
    at: { node: 'mars', field: ['environment'] },
    line: 19,
    unknown: { kind: 'Environment', name: 'mars' },
  });
  expect(document.text.slice(problem!.range.start, problem!.range.end)).toBe('environment: mars');
  const server = {
    userErrors: [{ message: problem!.message, flowPath: ['spec', 'steps', '2', 'environment'] }],
    warnings: [{ message: 'no window is ever open', flowPath: ['spec', 'steps', '0'] }],
  };
  expect(problemsOf(document, known, server)).toMatchObject([
    { message: problem!.message },
    { severity: 'WARNING', message: 'no window is ever open', at: { node: 'staging', field: [] }, line: 12 },
  ]);
  expect(problemsOf(openDocument(newFlowText('a')), known).map(({ message }) => message)).toEqual([
    'spec: the field triggerEnvironment is missing',
    'the flow has no target: add a step that promotes an environment after ""',
  ]);
});

test('a selection has its part of the text, and each place of the text its selection', () => {
  const document = openDocument(TEXT);
  const written = (node: string | null, ...field: (string | number)[]): string | undefined => {
    const range = rangeOf(document, { node, field });
    return range ? document.text.slice(range.start, range.end) : undefined;
  };
  expect(written('staging')).toBe('- environment: staging\n      dependsOn: [dev]\n      soak: 60m');
  expect(written('regions', 'dependsOn', 0)).toBe('- "staging"');
  expect(written('staging', 'soak')).toBe('soak: 60m');
  expect(written('dev')).toBe("triggerEnvironment: 'dev'");
  expect(written(null, 'metadata', 'name')).toBe('name: main');
  expect(written('nowhere')).toBe(undefined);
  const at = (part: string) => selectionAt(document, document.text.indexOf(part) + 2);
  expect(at('soak: 60m')).toEqual({ node: 'staging', field: ['soak'] });
  expect(at('[regions]')).toEqual({ node: 'asia-2', field: ['dependsOn', 0] });
  expect(at("'dev'")).toEqual({ node: 'dev', field: ['triggerEnvironment'] });
  expect(at('main')).toEqual({ node: null, field: ['metadata', 'name'] });
  expect(at('FINISH')).toEqual({ node: null, field: ['onFailure'] });
});

test('what a removal and an edge would do is known before', () => {
  const document = openDocument(TEXT);
  expect(previewRemoval(document, known, 'staging')).toEqual({
    dependents: ['regions'],
    reconnectTo: ['dev'],
    reconnected: [{ from: 'dev', to: 'regions' }],
    removed: ['staging', 'regions', 'asia-2'],
  });
  expect(previewRemoval(document, known, 'asia-2')).toMatchObject({ dependents: [], removed: ['asia-2'] });
  expect(previewRemoval(document, known, 'dev')).toBe(null);
  expect(connectTargets(document, known, 'regions')).toEqual([
    { name: 'dev', reason: 'the flow begins in "dev", which waits for nothing' },
    { name: 'staging', reason: '"regions" waits for "staging": both would wait for each other' },
    { name: 'regions', reason: '"regions" cannot wait for itself' },
    { name: 'asia-2', reason: '"asia-2" waits for "regions" already' },
  ]);
});
