import { structuredPatch } from 'diff';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editFlow } from '../../src/core/flow.ts';
import { stepName } from '../../src/core/flow/graph.ts';
import type { PromotionFlowSpec } from '../../src/core/definitions.ts';
import type { FlowEdit as CoreEdit } from '../../src/core/kinds/flow-edit.ts';
import { parseManifests } from '../../src/manifests/index.ts';
import {
  editDocument,
  openDocument,
  rangeOf,
  startSession,
  makeEdits,
  undo,
  type FlowEdit,
} from '../../web/app/src/builder/document/index.ts';

/** Files of other people besides: FLOWS_OF=FOLDER. */
const FOLDERS = ['examples', 'test/manifests/published', 'web/app/src/flows', process.env['FLOWS_OF'] ?? ''];
const FILES = FOLDERS.filter((folder) => folder !== '').flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file))
    .map((file) => join(folder, file))
    .filter((file) => /^kind: PromotionFlow$/m.test(readFileSync(file, 'utf8'))),
);

/** A flow with what people do in files: other documents around it, quotes, lists and maps in one line, remarks in every place. */
const BY_HAND = `# All of Billing
---
apiVersion: sluice.dev/v1
kind: Environment
metadata: {name: "dev"}   # where it begins
spec: {kind: NON_PRODUCTION}
---
# The way
apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
    name: 'by-hand'

spec:
    # First of all
    triggerEnvironment: "dev"


    steps:
    - environment: staging   # nobody is hurt
      dependsOn: [ dev ]
      soak: 60m
      policy: { preAction: 'checks' }

    # Everywhere
    - dependsOn:
        - staging
      group: 'regions'
    - {environment: asia-2, dependsOn: [regions]} # last
    description: >-
        Two lines
        of text
# The end`;

interface Text {
  called: string;
  text: string;
}

const IN_ALL_WAYS = ['by hand', 'examples/billing/04-flow.yaml'];
const TEXTS: Text[] = [
  { called: 'by hand', text: BY_HAND },
  ...FILES.map((file) => ({ called: file, text: readFileSync(file, 'utf8') })),
].flatMap(({ called, text }) => [
  { called, text },
  ...(IN_ALL_WAYS.includes(called)
    ? [
        { called: `${called} with the line ends of Windows`, text: text.replaceAll('\n', '\r\n') },
        { called: `${called} with another last line`, text: text.endsWith('\n') ? text.trimEnd() : `${text}\n\n` },
      ]
    : []),
]);

/** What one click does, in terms of a flow; undefined: it has no place for it. */
const CLICKS: [called: string, of: (spec: PromotionFlowSpec) => FlowEdit | undefined][] = [
  ['a soak', ({ steps }) => change(steps, { soak: 4_260_000 })],
  ['a timeout of a step', ({ steps }) => change(steps, { timeout: 4_260_000 })],
  ['a pre-action', ({ steps }) => change(steps, { policy: { preAction: 'clicked' } })],
  [
    'another action',
    ({ steps }) => change(steps, { policy: { action: steps[0]?.policy?.action === 'pr' ? 'commit' : 'pr' } }),
  ],
  ['a hook of a step', ({ steps }) => change(steps, { hooks: { onSuccess: 'clicked' } })],
  ['a hook of the flow', () => ({ type: 'changeFlow', settings: { hooks: { onFail: 'clicked' } } })],
  ['a timeout of the flow', () => ({ type: 'changeFlow', settings: { timeout: 4_260_000 } })],
  ['a description', () => ({ type: 'changeFlow', settings: { description: 'clicked' } })],
  [
    'what a failure does',
    ({ onFailure }) => ({
      type: 'changeFlow',
      settings: { onFailure: onFailure === 'STOP' ? 'FINISH_RUNNING' : 'STOP' },
    }),
  ],
  [
    'a step after another one',
    ({ steps }) => ({
      type: 'addSteps',
      steps: [{ environment: 'clicked', dependsOn: [] }],
      after: [stepName(steps.at(-1)!)],
      before: [],
    }),
  ],
  [
    'a step less',
    ({ steps }) => ({ type: 'removeStep', step: stepName(steps[0]!), dependents: 'RECONNECT', reconnectTo: [] }),
  ],
  ['another environment', ({ steps }) => ({ type: 'renameStep', step: stepName(steps[0]!), to: 'clicked' })],
  ['another trigger', () => ({ type: 'setTriggerEnvironment', environment: 'clicked' })],
  ['another name', () => ({ type: 'renameFlow', to: 'clicked' })],
];

const change = (steps: PromotionFlowSpec['steps'], settings: object): FlowEdit | undefined => {
  const step = steps.find(({ environment }) => environment);
  return step && { type: 'changeStep', step: stepName(step), settings };
};

const known = { environments: new Set<string>(), groups: new Map<string, string[]>(), workflows: new Set<string>() };

const flowOf = (text: string) =>
  parseManifests(text).definitions.find(({ definition }) => definition.kind === 'PromotionFlow')!.definition;

/** As `git diff` tells it: lines that went, and lines that came. */
function changes(before: string, after: string): { gone: string[]; come: string[] } {
  const [from, to] = [before, after].map((text) => (text.endsWith('\n') ? text : `${text}\n`)) as [string, string];
  const { hunks } = structuredPatch('', '', from, to, undefined, undefined, { context: 0 });
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const of = (sign: string) => lines.filter((line) => line.startsWith(sign)).map((line) => line.slice(1));
  return { gone: of('-'), come: of('+') };
}

const remarks = (text: string): string[] =>
  [...text.matchAll(/(?:^|\s)(#.*)$/gm)].map(([, remark]) => remark!.trimEnd());

test.each(CLICKS)('one click changes its own lines and no other, in every file: %s', (_, click) => {
  for (const { called, text } of TEXTS) {
    const { name, spec } = openDocument(text).flow!;
    const edit = click(spec);
    if (!edit) continue;
    const made = editDocument(openDocument(text), [edit], known);
    const where = `${called}: ${made.said}`;
    expect(made.refusals, where).toBe(undefined);
    const now = made.document!.text;
    const { gone, come } = changes(text, now);
    const told = `${where}\n- ${gone.join('\n- ')}\n+ ${come.join('\n+ ')}`;

    // It says what the click means, and nothing else.
    const core: CoreEdit | null =
      edit.type === 'setTriggerEnvironment'
        ? { type: 'renameStep', step: spec.triggerEnvironment, to: edit.environment }
        : edit.type === 'renameFlow' || edit.type === 'connect' || edit.type === 'disconnect'
          ? null
          : edit;
    expect(flowOf(now), told).toMatchObject({
      metadata: { name: edit.type === 'renameFlow' ? edit.to : name },
      spec: core ? editFlow(spec, [core]).spec : spec,
    });

    // What the form of others cannot say is written in ours, which is said.
    const isInForm = /^apiVersion: *(.*)$/m.exec(text)![1] === /^apiVersion: *(.*)$/m.exec(now)![1];
    expect(
      ('notes' in made ? made.notes : []).some((note) => note.endsWith('from here on')),
      told,
    ).toBe(!isInForm);
    if (!isInForm) continue;
    const named = edit.type === 'renameStep' || edit.type === 'setTriggerEnvironment' || edit.type === 'renameFlow';
    if (named) {
      // Each line is the same line with another name.
      const old = edit.type === 'renameStep' ? edit.step : edit.type === 'renameFlow' ? name : spec.triggerEnvironment;
      expect(
        come.map((line) => line.replace('clicked', old)),
        told,
      ).toEqual(gone);
    } else if (edit.type === 'removeStep') {
      const { start, end } = rangeOf(openDocument(text), { node: edit.step, field: [] })!;
      const first = text.lastIndexOf('\n', start) + 1;
      const behind = text.indexOf('\n', end - 1) + 1;
      const others = changes(text.slice(0, first) + text.slice(behind), now);
      // Of the others only those that named it, and the remark above it goes with it.
      expect(others.come.length, told).toBeLessThanOrEqual(others.gone.length);
      expect(
        others.gone.filter((line) => !line.includes(edit.step) && !/^\s*(#.*)?$/.test(line)),
        told,
      ).toEqual([]);
    } else {
      // One value is written in another way, at most; what is new is a line for each of its keys.
      const mostGone = called.startsWith('by hand') && edit.type === 'changeFlow' ? 2 : 1;
      expect(gone.length, told).toBeLessThanOrEqual(mostGone);
      expect(come.length, told).toBeLessThanOrEqual(edit.type === 'addSteps' ? 3 : 2);
    }
    // Remarks stay, each in its place; with a step goes what stands in its own lines and above them.
    const left = remarks(now);
    const lost = remarks(text).filter((each) => !left.includes(each));
    if (edit.type === 'removeStep') expect(lost.length, told).toBeLessThan(3);
    else expect(lost, told).toEqual([]);
    expect(now.replaceAll('\r\n', '').includes('\r'), told).toBe(false);
    expect(/[^\r]\n/.test(now), told).toBe(/[^\r]\n/.test(text));
    expect(/\n*$/.exec(now)![0], told).toBe(/\n*$/.exec(text)![0]);

    const session = startSession({ revision: 1, text });
    expect(undo(makeEdits(session, [edit], known).session).session.document.text, told).toBe(text);
  }
});

test('there are files of both forms, and of several documents', () => {
  const texts = TEXTS.map(({ text }) => text);
  expect(FILES.length).toBeGreaterThan(6);
  expect(texts.filter((text) => text.includes('codefresh.io/')).length).toBeGreaterThan(3);
  expect(texts.filter((text) => /^---/m.test(text)).length).toBeGreaterThan(1);
});
