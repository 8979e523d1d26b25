import { expect, test } from 'vitest';
import {
  beginSession,
  mergeInto,
  newText,
  openWorkflow,
  problemsOf,
  rangeOf,
  redo,
  resolveConflict,
  selectionAt,
  type Session,
  sidesOf,
  typeText,
  undo,
  type WorkflowDocument,
} from '../../web/app/src/builder/document/index.ts';
import { editWorkflow } from '../../web/app/src/builder/workflow/document.ts';
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

type Workflow = Session<WorkflowDocument>;
const draft = (text = TEXT): Workflow => beginSession<WorkflowDocument>('PromotionWorkflow', { revision: 3, text });
const problems = ({ document }: Workflow) => problemsOf(document, null);

function made(from: Workflow, ...edits: WorkflowEdit[]): Workflow {
  return edits.reduce((now, edit) => {
    const { session, refusals } = editWorkflow(now, [edit]);
    expect(refusals).toEqual([]);
    return session;
  }, from);
}

/** Why an edit is not made; the session is the same then. */
function refusalOf(from: Workflow, edit: WorkflowEdit): string | undefined {
  const { session, refusals } = editWorkflow(from, [edit]);
  if (refusals.length > 0) expect(session).toBe(from);
  return refusals[0]?.message;
}

const wait = (name: string) => ({ name, type: 'wait' as const, parameters: { duration: '1m' } });
const after = ({ document }: Workflow): Record<string, string[]> =>
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
  expect(problems(added)).toEqual([]);
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
  expect(problems(all).map(({ message }) => message)).toEqual([
    expect.stringContaining('a workflow needs at least one action'),
  ]);
});

test('a name that changes is followed, one that is taken is refused, and so is a circle, with the reason', () => {
  const renamed = made(draft(), { type: 'renameAction', action: 'smoke', to: 'first' });
  expect(after(renamed)).toEqual({ first: [], settle: ['first'], 'sign-off': ['settle'] });
  expect(refusalOf(draft(), { type: 'renameAction', action: 'smoke', to: 'settle' })).toBe(
    'there is an action "settle" already',
  );
  expect(Object.fromEntries(targetsOf(draft().document.workflow!.spec.actions, 'settle'))).toEqual({
    smoke: '"settle" waits for "smoke": both would wait for each other',
    settle: '"settle" cannot wait for itself',
    'sign-off': '"sign-off" waits for "settle" already',
  });
  const circle: WorkflowEdit = { type: 'setDependencies', action: 'smoke', dependsOn: ['sign-off'] };
  expect(refusalOf(draft(), circle)).toBe('"sign-off" waits for "smoke": both would wait for each other');
});

test('settings are written in place, problems stand at their action, and a broken text keeps the last good graph', () => {
  const longer = made(draft(), {
    type: 'changeAction',
    action: 'settle',
    settings: { parameters: { duration: '20m' } },
  });
  expect(longer.document.text).toBe(TEXT.replace('duration: 10m', 'duration: 20m'));
  const wrong = made(draft(), { type: 'changeAction', action: 'settle', settings: { parameters: {} } });
  expect(problems(wrong).map(({ at, message }) => [at.node, at.field, message])).toEqual([
    ['settle', ['parameters', 'duration'], expect.stringContaining('needs the parameter duration')],
  ]);
  const { document } = draft();
  const range = rangeOf(document, { node: 'settle', field: ['parameters', 'duration'] })!;
  expect(TEXT.slice(range.start, range.end)).toContain('duration: 10m');
  expect(selectionAt(document, TEXT.indexOf('10m'))).toEqual({
    node: 'settle',
    field: ['parameters', 'duration'],
  });
  const broken = typeText(draft(), TEXT.replace('actions:', 'actions: ['), 0);
  expect([broken.document.isCurrent, broken.document.workflow?.spec.actions.length]).toEqual([false, 3]);
  expect(problems(broken).length).toBeGreaterThan(0);
  expect(refusalOf(broken, { type: 'renameWorkflow', to: 'x' })).toContain('the text cannot be read in line');
  expect(undo(broken).session.document.text).toBe(TEXT);
});

test('a new workflow is empty, and is built by edits alone', () => {
  const text = newText('PromotionWorkflow', 'smoke');
  expect(openWorkflow(text).workflow).toEqual({ name: 'smoke', spec: { actions: [] } });
  const built = made(
    beginSession<WorkflowDocument>('PromotionWorkflow', { revision: null, text }),
    { type: 'addAction', action: wait('unit'), place: 'after', of: null },
    { type: 'addAction', action: wait('load'), place: 'beside', of: 'unit' },
    { type: 'addAction', action: wait('report'), place: 'after', of: 'load' },
    { type: 'setDependencies', action: 'report', dependsOn: ['load', 'unit'] },
    { type: 'renameWorkflow', to: 'checks' },
    { type: 'changeWorkflow', description: 'Before each change' },
  );
  expect(after(built)).toEqual({ unit: [], load: [], report: ['load', 'unit'] });
  expect(built.document.workflow!.name).toBe('checks');
  expect(problems(built)).toEqual([]);
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
        const { session, refusals } = editWorkflow(now, [edit]);
        if (refusals.length > 0) expect(session).toBe(now);
        else count += 1;
        now = session;
        expect(now.document.isCurrent).toBe(true);
        const wrong = problems(now).map(({ message }) => message);
        // Of names that are not there a person is told; circles never come about.
        expect(wrong.filter((each) => /wait for each other|depends on itself/.test(each))).toEqual([]);
        expect(now.document.text).toContain('# Before production');
      }
      const end = now.document.text;
      while (now.past.length > 0) now = undo(now).session;
      expect(now.document.text).toBe(TEXT);
      while (now.future.length > 0) now = redo(now).session;
      expect(now.document.text).toBe(end);
    }),
    { numRuns: 300 },
  );
  expect(count).toBeGreaterThan(100);
});

const lasts = (action: string, duration: string): WorkflowEdit => ({
  type: 'changeAction',
  action,
  settings: { parameters: { duration } },
});

test('what somebody else saved is merged by action; what both changed is a conflict that keeps both', () => {
  const mine = made(
    draft(),
    { type: 'addAction', action: wait('cool'), place: 'after', of: 'settle' },
    lasts('settle', '15m'),
    { type: 'renameAction', action: 'smoke', to: 'first' },
  );
  const theirs = { revision: 4, text: TEXT.replace('10m', '20m').replace("'Go?'", "'Ready?'") };
  expect(sidesOf(mine, theirs)!.map(({ step, field, isBoth }) => [step, field, isBoth])).toEqual([
    ['smoke', '', false],
    ['settle', 'dependsOn', false],
    ['settle', 'parameters.duration', true],
    ['sign-off', 'parameters.question', false],
    ['first', '', false],
    ['cool', '', false],
  ]);
  const { session, said } = mergeInto(mine, theirs);
  expect([session.base, said]).toEqual([theirs, 'merged with revision 4, 1 conflict']);
  expect(after(session)).toEqual({ first: [], settle: ['first'], 'sign-off': ['settle'], cool: ['settle'] });
  expect(session.document.text).toContain("question: 'Ready?'");
  expect(session.document.text).toContain('# Before production');
  const [conflict] = session.conflicts;
  expect(conflict!.message).toBe('parameters.duration of settle was 10m, is 20m there and 15m here');
  const decided = resolveConflict(session, conflict!, 'THEIRS').session;
  expect([decided.conflicts, decided.document.text.includes('duration: 20m # long enough')]).toEqual([[], true]);
  expect(undo(undo(decided).session).session.document.text).toBe(mine.document.text);
});

test('a merge loses nothing: an action that one side changed is as it made it, and one that both changed is a conflict', () => {
  const reached = { merged: 0, conflicts: 0 };
  const edits = fc.array(
    fc.oneof(
      anyEdit,
      fc.tuple(nameIn, fc.constantFrom('2m', '3m')).map(([name, time]) => lasts(name, time)),
    ),
    {
      maxLength: 5,
    },
  );
  const edited = (from: readonly WorkflowEdit[]): Workflow =>
    from.reduce((now, each) => editWorkflow(now, [each]).session, draft());
  const actions = ({ document }: Pick<Workflow, 'document'>) =>
    new Map(document.workflow!.spec.actions.map((each) => [each.name, JSON.stringify(each)]));
  fc.assert(
    fc.property(edits, edits, (here, there) => {
      const [mine, theirs] = [edited(here), edited(there)];
      const { session } = mergeInto(mine, { revision: 4, text: theirs.document.text });
      expect(session.base.revision).toBe(4);
      const [was, a, b, now] = [draft(), theirs, mine, session].map(actions) as [
        Map<string, string>,
        Map<string, string>,
        Map<string, string>,
        Map<string, string>,
      ];
      reached.conflicts += session.conflicts.length;
      for (const name of new Set([...was.keys(), ...a.keys(), ...b.keys()])) {
        const [before, other, own, merged] = [was, a, b, now].map((each) => each.get(name));
        if (before === other) expect(merged).toBe(own);
        else if (before === own) expect(merged).toBe(other);
        else if (other !== own && (other === undefined || own === undefined))
          expect(session.conflicts.map(({ step }) => step)).toContain(name);
        if (before !== other && before === own) reached.merged += 1;
      }
      const decided = session.conflicts.reduce((at, each) => resolveConflict(at, each, 'MINE').session, session);
      expect([decided.conflicts, decided.document.text]).toEqual([[], session.document.text]);
    }),
    { numRuns: 100 },
  );
  expect(Math.min(reached.merged, reached.conflicts)).toBeGreaterThan(3);
});
