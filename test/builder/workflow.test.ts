import { expect, test } from 'vitest';
import {
  editWorkflow,
  newWorkflowText,
  openWorkflow,
  rangeOfSelection,
  redoWorkflow,
  startDraft,
  takeSaved,
  typeWorkflow,
  undoWorkflow,
  type WorkflowDraft,
  workflowSelectionAt,
} from '../../web/app/src/builder/workflow/document.ts';
import { previewOf, targetsOf, type WorkflowEdit } from '../../web/app/src/builder/workflow/edits.ts';
import { fc } from '../core/property.ts';

const TEXT = `# Before production
apiVersion: sluice.dev/v1
kind: PromotionWorkflow
metadata: { name: before-production } # by hand
spec:
  actions:
    - name: smoke
      type: http
      parameters: { url: "https://ci.example.com/smoke" }   # quick

    - name: settle
      type: wait
      dependsOn: [smoke]
      parameters:
        duration: 10m # long enough
    - { name: sign-off, type: approval, dependsOn: [settle], parameters: { question: 'Go?' } }
`;

const draft = (text = TEXT): WorkflowDraft => startDraft({ revision: 3, text });

function made(from: WorkflowDraft, ...edits: WorkflowEdit[]): WorkflowDraft {
  return edits.reduce((now, edit) => {
    const { draft: next, refusal } = editWorkflow(now, edit);
    expect(refusal).toBeUndefined();
    return next;
  }, from);
}

const wait = (name: string) => ({ name, type: 'wait' as const, parameters: { duration: '1m' } });
const after = ({ document }: WorkflowDraft): Record<string, string[]> =>
  Object.fromEntries(document.workflow!.spec.actions.map(({ name, dependsOn = [] }) => [name, dependsOn]));

test('an action comes after, before or side by side with another one, and only its own lines are written', () => {
  const added = made(
    draft(),
    { type: 'addAction', action: wait('cool'), place: 'after', of: 'settle' },
    { type: 'addAction', action: wait('warm'), place: 'before', of: 'settle' },
    { type: 'addAction', action: wait('both'), place: 'beside', of: 'settle' },
  );
  expect(after(added)).toEqual({
    smoke: [],
    warm: ['smoke'],
    settle: ['warm'],
    'sign-off': ['settle'],
    cool: ['settle'],
    both: ['warm'],
  });
  const lines = new Set(added.document.text.split('\n'));
  const changed = TEXT.split('\n').filter((line) => !lines.has(line));
  expect(changed).toEqual(['      dependsOn: [smoke]']);
  expect(added.document.problems).toEqual([]);
});

test('what follows an action that is removed is reconnected, or goes with it', () => {
  expect(previewOf(draft().document.workflow!.spec.actions, 'settle')).toEqual({
    dependents: ['sign-off'],
    removed: ['settle', 'sign-off'],
    reconnected: [{ from: 'smoke', to: 'sign-off' }],
  });
  const alone = made(draft(), { type: 'removeAction', action: 'settle', dependents: 'RECONNECT' });
  expect(after(alone)).toEqual({ smoke: [], 'sign-off': ['smoke'] });
  const all = made(draft(), { type: 'removeAction', action: 'smoke', dependents: 'REMOVE' });
  expect(after(all)).toEqual({});
  expect(all.document.problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('a workflow needs at least one action'),
  ]);
});

test('a name that changes is followed, one that is taken is refused, and so is a circle, with the reason', () => {
  const renamed = made(draft(), { type: 'renameAction', action: 'smoke', to: 'first' });
  expect(after(renamed)).toEqual({ first: [], settle: ['first'], 'sign-off': ['settle'] });
  expect(editWorkflow(draft(), { type: 'renameAction', action: 'smoke', to: 'settle' }).refusal).toBe(
    'there is an action "settle" already',
  );
  expect(Object.fromEntries(targetsOf(draft().document.workflow!.spec.actions, 'settle'))).toEqual({
    smoke: '"settle" waits for "smoke": both would wait for each other',
    settle: '"settle" cannot wait for itself',
    'sign-off': '"sign-off" waits for "settle" already',
  });
  const circle: WorkflowEdit = { type: 'setDependencies', action: 'smoke', dependsOn: ['sign-off'] };
  const { refusal, draft: same } = editWorkflow(draft(), circle);
  expect([refusal, same.document.text]).toEqual(['"sign-off" waits for "smoke": both would wait for each other', TEXT]);
});

test('settings are written in place, problems stand at their action, and a broken text keeps the last good graph', () => {
  const longer = made(draft(), {
    type: 'changeAction',
    action: 'settle',
    settings: { parameters: { duration: '20m' } },
  });
  expect(longer.document.text).toBe(TEXT.replace('duration: 10m', 'duration: 20m'));
  const wrong = made(draft(), { type: 'changeAction', action: 'settle', settings: { parameters: {} } });
  expect(wrong.document.problems.map(({ at, message }) => [at.action, at.field, message])).toEqual([
    ['settle', ['parameters', 'duration'], expect.stringContaining('needs the parameter duration')],
  ]);
  const { document } = draft();
  const range = rangeOfSelection(document, { action: 'settle', field: ['parameters', 'duration'] })!;
  expect(TEXT.slice(range.start, range.end)).toContain('duration: 10m');
  expect(workflowSelectionAt(document, TEXT.indexOf('10m'))).toEqual({
    action: 'settle',
    field: ['parameters', 'duration'],
  });
  const broken = typeWorkflow(draft(), TEXT.replace('actions:', 'actions: ['), 0);
  expect([broken.document.isCurrent, broken.document.workflow?.spec.actions.length]).toEqual([false, 3]);
  expect(broken.document.problems.length).toBeGreaterThan(0);
  expect(editWorkflow(broken, { type: 'renameWorkflow', to: 'x' }).refusal).toContain(
    'the text cannot be read in line',
  );
  expect(undoWorkflow(broken).draft.document.text).toBe(TEXT);
});

test('a new workflow is empty, and is built by edits alone', () => {
  const text = newWorkflowText('smoke');
  expect(openWorkflow(text).workflow).toEqual({ name: 'smoke', spec: { actions: [] } });
  const built = made(
    startDraft({ revision: null, text }),
    { type: 'addAction', action: wait('unit'), place: 'after', of: null },
    { type: 'addAction', action: wait('load'), place: 'beside', of: 'unit' },
    { type: 'addAction', action: wait('report'), place: 'after', of: 'load' },
    { type: 'setDependencies', action: 'report', dependsOn: ['load', 'unit'] },
    { type: 'renameWorkflow', to: 'checks' },
    { type: 'changeWorkflow', description: 'Before each change' },
  );
  expect(after(built)).toEqual({ unit: [], load: [], report: ['load', 'unit'] });
  expect(built.document.workflow!.name).toBe('checks');
  expect(built.document.problems).toEqual([]);
});

const NAMES = ['smoke', 'settle', 'sign-off', 'n1', 'n2', 'n3'];
const nameIn = fc.constantFrom(...NAMES);
const anyEdit: fc.Arbitrary<WorkflowEdit> = fc.oneof(
  fc.record({
    type: fc.constant('addAction' as const),
    action: nameIn.map(wait),
    place: fc.constantFrom('after' as const, 'before' as const, 'beside' as const),
    of: nameIn,
  }),
  fc.record({
    type: fc.constant('removeAction' as const),
    action: nameIn,
    dependents: fc.constantFrom('RECONNECT' as const, 'REMOVE' as const),
  }),
  fc.record({ type: fc.constant('renameAction' as const), action: nameIn, to: nameIn }),
  fc.record({
    type: fc.constant('setDependencies' as const),
    action: nameIn,
    dependsOn: fc.uniqueArray(nameIn, { maxLength: 3 }),
  }),
);

test('random edits make no circle and leave comments where they were; undone one by one, the text is the same to the byte', () => {
  let count = 0;
  fc.assert(
    fc.property(fc.array(anyEdit, { maxLength: 12 }), (edits) => {
      let now = draft();
      for (const edit of edits) {
        const { draft: next, refusal } = editWorkflow(now, edit);
        if (refusal !== undefined) expect(next).toBe(now);
        else count += 1;
        now = next;
        expect(now.document.isCurrent).toBe(true);
        const wrong = now.document.problems.map(({ message }) => message);
        // Of names that are not there a person is told; circles never come about.
        expect(wrong.filter((each) => /wait for each other|depends on itself/.test(each))).toEqual([]);
        expect(now.document.text).toContain('# Before production');
      }
      const end = now.document.text;
      while (now.past.length > 0) now = undoWorkflow(now).draft;
      expect(now.document.text).toBe(TEXT);
      while (now.future.length > 0) now = redoWorkflow(now).draft;
      expect(now.document.text).toBe(end);
    }),
    { numRuns: 300 },
  );
  expect(count).toBeGreaterThan(100);
});

test('what somebody else saved takes the place of the draft, and undo brings the draft back', () => {
  const mine = made(draft(), { type: 'addAction', action: wait('cool'), place: 'after', of: 'settle' });
  const saved = { revision: 4, text: TEXT.replace('10m', '20m') };
  const taken = takeSaved(mine, saved);
  expect([taken.document.text, taken.base]).toEqual([saved.text, saved]);
  const { draft: back, said } = undoWorkflow(taken);
  expect([back.document.text, back.base, said]).toEqual([mine.document.text, saved, 'undone: taking revision 4']);
});
