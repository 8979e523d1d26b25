import { expect, test } from 'vitest';
import { editFlow } from '../../src/core/flow.ts';
import { stepName } from '../../src/core/flow/graph.ts';
import type { FlowStepSpec, PromotionFlowSpec } from '../../src/core/definitions.ts';
import type { FlowEdit as CoreEdit } from '../../src/core/kinds/flow-edit.ts';
import { parseManifests } from '../../src/manifests/index.ts';
import {
  editDocument,
  makeEdits,
  mergeInto,
  openDocument,
  redo,
  resolveConflict,
  startSession,
  typeText,
  undo,
  type Session,
} from '../../web/app/src/builder/document/index.ts';
import { fc } from '../core/property.ts';

/** FC_RUNS=1000 for a long search. */
const RUNS = { numRuns: Number(process.env['FC_RUNS']) || 40 };
/** In milliseconds, for that search and for a busy machine. */
const TIME = 120_000;

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const known = {
  environments: new Set(['dev', ...NAMES, 'x', 'y', 'z']),
  groups: new Map<string, string[]>(),
  workflows: new Set(['w']),
};

/** A part of a text that a person wrote: what stands there, and which field of which step it says. */
interface Block {
  step: string | null;
  field: string;
  text: string;
}

/** A flow as people write flows: in many styles, with remarks, blank lines, and defaults that are written out. */
interface Written {
  text: string;
  blocks: Block[];
}

const below = (limit: number) => fc.integer({ min: 0, max: limit - 1 });
const dice = fc.array(below(1000), { minLength: 60, maxLength: 60 });

function print(rolls: readonly number[], steps: number, crlf: boolean): Written {
  let at = 0;
  const roll = (limit: number): number => rolls[at++ % rolls.length]! % limit;
  const one = <T>(...of: T[]): T => of[roll(of.length)]!;
  const remark = (name: string): string => one('', '', ` # ${name}, says ${roll(90)}`);
  const blocks: Block[] = [];
  const flush = one(true, false);
  const margin = flush ? '  ' : '    ';
  const quoted = (name: string): string => one(name, name, `'${name}'`, `"${name}"`);
  const add = (step: string | null, field: string, text: string): void => void blocks.push({ step, field, text });
  const flowFields = [
    () => add(null, 'triggerEnvironment', `  triggerEnvironment: ${quoted('dev')}${remark('dev')}\n`),
    ...(one(true, false) ? [() => add(null, 'onFailure', `  onFailure: FINISH_RUNNING${remark('default')}\n`)] : []),
    ...(one(true, false)
      ? [() => add(null, 'timeout', `  timeout: ${one('90m', '1h30m', '"5400s"')}${remark('time')}\n`)]
      : []),
    ...(one(true, false)
      ? [() => add(null, 'description', `  description: |\n    Two lines: # no remark\n    of text\n`)]
      : []),
  ];
  if (one(true, false)) flowFields.reverse();
  flowFields.forEach((write) => write());
  if (one(true, false)) add('', '', '\n');
  add(null, '', `  steps:${remark('steps')}\n`);
  for (const [index, name] of NAMES.slice(0, steps).entries()) {
    const before = ['dev', ...NAMES.slice(0, index)];
    const needs = [...new Set([one(...before), one(...before)])];
    // A blank line belongs to nothing: it stays with what stands before it.
    if (one(false, false, true)) add('', '', '\n');
    const lead = one('', '', `${margin}# About ${name}: ${roll(99)}\n`);
    if (one(false, false, false, true)) {
      const rest = one('', ', soak: 60m', ', timeout: 1h');
      add(
        name,
        '*',
        `${lead}${margin}- {environment: ${name}, dependsOn: [${needs.join(', ')}]${rest}}${remark(name)}\n`,
      );
      continue;
    }
    add(name, '', `${lead}${margin}- environment: ${quoted(name)}${remark(name)}\n`);
    const inner = `${margin}  `;
    const list = one(
      ` [${needs.map(quoted).join(', ')}]${remark('needs')}\n`,
      `\n${needs.map((each) => `${inner}${flush ? '' : '  '}- ${quoted(each)}\n`).join('')}`,
    );
    add(name, 'dependsOn', `${inner}dependsOn:${list}`);
    if (one(true, false)) add(name, 'soak', `${inner}soak: ${one('60m', '1h', "'3600s'")}${remark('soak')}\n`);
    if (one(true, false))
      add(name, 'policy', `${inner}policy:\n${inner}  action: ${one('commit', 'pr')}${remark('how')}\n`);
    if (one(true, false)) add(name, 'hooks', `${inner}hooks: { onStart: w }${remark('hook')}\n`);
  }
  const head = `# A flow\napiVersion: sluice.dev/v1\nkind: PromotionFlow\nmetadata: {name: main}   # its name\nspec:\n`;
  const end = one('', '# The end\n');
  if (end !== '') add('', '', '\n');
  const eol = (text: string): string => (crlf ? text.replaceAll('\n', '\r\n') : text);
  const text = eol(head + blocks.map((each) => each.text).join('') + end);
  return {
    text,
    blocks: [...blocks, { step: null, field: '', text: end }].map((each) => ({ ...each, text: eol(each.text) })),
  };
}

const written = fc.tuple(dice, fc.integer({ min: 2, max: 6 }), fc.boolean()).map((args) => print(...args));

const name = fc.constantFrom('dev', ...NAMES);
const fresh = fc.constantFrom('x', 'y', 'z');
const nothing = fc.constant<string[]>([]);
const edit: fc.Arbitrary<CoreEdit> = fc.oneof(
  fc.record({
    type: fc.constant('addSteps' as const),
    steps: fc.array(
      fresh.map((environment): FlowStepSpec => ({ environment, dependsOn: [] })),
      { minLength: 1, maxLength: 2 },
    ),
    after: fc.array(name, { minLength: 1, maxLength: 2 }),
    before: fc.oneof(nothing, fc.array(name, { maxLength: 1 })),
  }),
  fc.record({
    type: fc.constant('removeStep' as const),
    step: name,
    dependents: fc.constantFrom('RECONNECT' as const, 'REMOVE' as const),
    reconnectTo: nothing,
  }),
  fc.record({
    type: fc.constant('setDependencies' as const),
    step: fc.constantFrom('b', 'c'),
    dependsOn: fc.uniqueArray(fc.constantFrom('dev', 'a', 'f'), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('renameStep' as const), step: name, to: fresh }),
  fc.record({
    type: fc.constant('changeStep' as const),
    step: name,
    settings: fc.record(
      {
        soak: fc.constantFrom(null, 3_600_000, 60_000),
        timeout: fc.constantFrom(null, 120_000),
        policy: fc.constantFrom(null, { preAction: 'w' }, { action: 'commit' as const }, { preAction: null }),
        hooks: fc.constantFrom(null, { onStart: 'w' }, { onFail: 'w' }),
        approval: fc.constantFrom<FlowStepSpec['approval'] | null>(null, {
          rules: [],
          forbidInitiator: true,
          expiry: 86_400_000,
          onExpiry: 'FAIL',
        }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  }),
  fc.record({
    type: fc.constant('changeFlow' as const),
    settings: fc.record(
      {
        timeout: fc.constantFrom(null, 5_400_000, 60_000),
        triggerWorkflow: fc.constantFrom(null, 'w'),
        description: fc.constantFrom(null, 'short', 'a: b\n# c\n'),
        onFailure: fc.constantFrom('STOP' as const, 'FINISH_RUNNING' as const),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  }),
);

const specOf = (text: string): PromotionFlowSpec =>
  parseManifests(text).definitions.find(({ definition }) => definition.kind === 'PromotionFlow')!.definition
    .spec as PromotionFlowSpec;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const stepIn = ({ steps }: PromotionFlowSpec, of: string) => steps.find((step) => stepName(step) === of);

/** The blocks that an edit did not mean, which have to stand in the text as they stood, in their order. */
function untouched(
  { blocks }: Written,
  before: PromotionFlowSpec,
  after: PromotionFlowSpec,
  renamed: string | null,
): Block[] {
  return blocks.filter(({ step, field }) => {
    if (step === null)
      return field === '' ? after.steps.length > 0 : same(before[field as 'timeout'], after[field as 'timeout']);
    const [was, now] = [stepIn(before, step), stepIn(after, step)];
    if (!was || !now || step === renamed) return false;
    return field === '*' ? same(was, now) : field === '' || same(was[field as 'soak'], now[field as 'soak']);
  });
}

const reached = new Map<string, number>();
const count = (what: string): void => void reached.set(what, (reached.get(what) ?? 0) + 1);

test(
  'an edit by chart says what the core says, and every byte that it did not mean stays',
  () => {
    fc.assert(
      fc.property(written, fc.array(edit, { minLength: 1, maxLength: 4 }), (from, edits) => {
        let document = openDocument(from.text);
        expect(document).toMatchObject({ isCurrent: true, faults: [] });
        let { blocks } = from;
        for (const each of edits) {
          const before = specOf(document.text);
          const made = editDocument(document, [each], known);
          const wanted = editFlow(before, [each], known.groups);
          if (wanted.refusals) {
            count('refused');
            expect(made.refusals?.map(({ message }) => message)).toEqual(wanted.refusals.map(({ message }) => message));
            continue;
          }
          count(each.type);
          expect(made.refusals).toBe(undefined);
          const { text } = made.document!;
          expect(specOf(text)).toEqual(wanted.spec);
          blocks = untouched({ text, blocks }, before, wanted.spec, each.type === 'renameStep' ? each.step : null);
          let at = 0;
          for (const block of blocks) {
            const found = text.indexOf(block.text, at);
            expect(
              found,
              `${block.step} ${block.field} after ${JSON.stringify(each)}:\n${document.text}\n=>\n${text}`,
            ).toBeGreaterThan(-1);
            at = found + block.text.length;
            count('blocks');
          }
          expect(text.includes('\r')).toBe(from.text.includes('\r'));
          document = made.document!;
        }
      }),
      RUNS,
    );
    console.log(Object.fromEntries(reached));
    expect(
      Math.min(
        ...['addSteps', 'removeStep', 'setDependencies', 'renameStep', 'changeStep', 'changeFlow'].map(
          (each) => reached.get(each) ?? 0,
        ),
      ),
    ).toBeGreaterThan(0);
  },
  TIME,
);

test(
  'edits by chart and by text are undone and redone byte for byte, whatever the text becomes',
  () => {
    const typing = fc.record({
      at: below(400),
      removed: below(12),
      text: fc.constantFrom('', 'x', '\n', ': [', '"', '# no\n', '  - ', '}'),
    });
    fc.assert(
      fc.property(
        written,
        fc.array(fc.oneof(edit, typing), { minLength: 1, maxLength: 12 }),
        ({ text: begin }, changes) => {
          let session: Session = startSession({ revision: 1, text: begin });
          const texts = [begin];
          for (const [index, change] of changes.entries()) {
            const { text } = session.document;
            if ('type' in change) session = makeEdits(session, [change], known).session;
            else {
              const at = Math.min(change.at, text.length);
              session = typeText(
                session,
                text.slice(0, at) + change.text + text.slice(at + change.removed),
                index * 5000,
              );
            }
            if (session.document.text !== texts.at(-1)) texts.push(session.document.text);
            expect(session.document.flow).not.toBe(null);
          }
          const last = session.document;
          for (const text of texts.toReversed()) {
            expect(session.document.text).toBe(text);
            session = undo(session).session;
          }
          expect(session.document).toMatchObject({ text: begin, isCurrent: true });
          for (const text of texts) {
            expect(session.document.text).toBe(text);
            session = redo(session).session;
          }
          expect(session.document).toMatchObject({ text: last.text, isCurrent: last.isCurrent });
        },
      ),
      RUNS,
    );
  },
  TIME,
);

test(
  'a merge loses nothing: what one side changed is there, and what both changed is there or a conflict',
  () => {
    let conflicts = 0;
    fc.assert(
      fc.property(
        written,
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        ({ text }, here, there) => {
          const begin = startSession({ revision: 1, text });
          const edited = (edits: CoreEdit[]) =>
            edits.reduce((now, each) => makeEdits(now, [each], known).session, begin);
          const [mine, theirs] = [edited(here), edited(there)];
          const { session, said } = mergeInto(mine, { revision: 2, text: theirs.document.text });
          expect(session.base.revision, said).toBe(2);
          const [was, a, b, now] = [text, theirs.document.text, mine.document.text, session.document.text].map(
            specOf,
          ) as [PromotionFlowSpec, PromotionFlowSpec, PromotionFlowSpec, PromotionFlowSpec];
          conflicts += session.conflicts.length;
          const isTold = (step: string | null, field: string): boolean =>
            session.conflicts.some(
              (each) => each.step === step && (each.field === '' || each.field.split('.')[0] === field),
            );
          const names = new Set([was, a, b].flatMap(({ steps }) => steps.map(stepName)));
          for (const step of [null, ...names]) {
            const parts = [was, a, b, now].map((spec) =>
              step === null ? { ...spec, steps: undefined } : stepIn(spec, step),
            ) as Record<string, unknown>[];
            for (const field of new Set(parts.flatMap((each) => Object.keys(each ?? {})))) {
              const [before, other, own, merged] = parts.map((each) => each?.[field]);
              if (isTold(step, field)) expect(merged).toEqual(own);
              else if (same(before, other)) expect(merged).toEqual(own);
              else if (same(before, own)) expect(merged).toEqual(other);
              else if (!same(other, own)) {
                // Lists of names are sets, and settings of a policy are merged one by one: nothing that either brought may be missing.
                const brought = [other, own]
                  .flatMap((each) => leaves(each))
                  .filter((each) => !leaves(before).includes(each));
                expect(leaves(merged)).toEqual(expect.arrayContaining(brought));
              }
            }
          }
          const done = session.conflicts.reduce((at, each) => resolveConflict(at, each, 'MINE').session, session);
          expect(done.conflicts).toEqual([]);
          expect(undo(session).session.document.text).toBe(
            now === b ? undo(mine).session.document.text : undo(session).session.document.text,
          );
        },
      ),
      RUNS,
    );
    expect(conflicts).toBeGreaterThan(0);
  },
  TIME,
);

/** Each value with the way to it; an entry of a list by itself. */
const leaves = (value: unknown, way = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, each]) => leaves(each, Array.isArray(value) ? `${way}.` : `${way}.${key}`))
    : value === undefined
      ? []
      : [`${way}=${JSON.stringify(value)}`];
