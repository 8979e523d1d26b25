import { afterEach, describe, expect, test } from 'vitest';
import { exportManifest, parseManifests } from '../../src/manifests/index.ts';
import {
  countChanges,
  diffOf,
  Draft,
  draftsOf,
  goOnFrom,
  leaveTyping,
  makeEdits,
  mergeInto,
  newFlowText,
  redo,
  resolveConflict,
  sidesOf,
  startSession,
  typeText,
  typingOfTheGone,
  undo,
  type Base,
  type DraftOwner,
  type DraftWorld,
  type FlowEdit,
  type Known,
  type Session,
} from '../../web/app/src/builder/document/index.ts';
import { processorTime } from '../support/processor-time.ts';

const known: Known = {
  environments: new Set(['dev', 'staging', 'eu', 'asia', 'us']),
  groups: new Map(),
  workflows: new Set(['smoke-tests']),
};

const TEXT = `apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
  name: main
spec:
  triggerEnvironment: dev
  steps:
    # First where nobody is hurt.
    - environment: staging
      dependsOn: [dev]
      soak: 1h
    - environment: eu # the old world
      dependsOn: [staging]
    - environment: asia
      dependsOn: [staging]
`;
const base: Base = { revision: 12, text: TEXT };

const soak = (step: string, hours: number | null): FlowEdit => ({
  type: 'changeStep',
  step,
  settings: { soak: hours === null ? null : hours * 3_600_000 },
});
const remove = (step: string): FlowEdit => ({ type: 'removeStep', step, dependents: 'RECONNECT', reconnectTo: [] });
const add = (name: string, after: string): FlowEdit => ({
  type: 'addSteps',
  steps: [{ environment: name, dependsOn: [] }],
  after: [after],
  before: [],
});

/** The session after edits, each by itself. */
function edited(session: Session, ...edits: FlowEdit[]): Session {
  return edits.reduce((now, edit) => {
    const { session: next, refusals } = makeEdits(now, [edit], known);
    expect(refusals).toEqual([]);
    return next;
  }, session);
}
const stepsOf = ({ document }: Session) =>
  document.flow!.spec.steps.map(({ environment, soak: time }) =>
    time ? `${environment} ${time / 3_600_000}h` : environment,
  );

test('200 edits by chart and by text are undone byte for byte, and redone', () => {
  const texts = [TEXT];
  let session = startSession(base);
  for (let at = 1; at <= 200; at += 1) {
    session =
      at % 3 === 0
        ? typeText(session, session.document.text.replace(/hurt.*/, `hurt, ${at}`), at * 10_000)
        : edited(session, soak(at % 2 === 0 ? 'eu' : 'asia', at));
    texts.push(session.document.text);
  }
  expect(session.past.length).toBe(200);
  for (const text of texts.toReversed().slice(1)) {
    const done = undo(session);
    session = done.session;
    expect(session.document.text).toBe(text);
  }
  expect(undo(session)).toMatchObject({ said: 'there is nothing to undo', session });
  for (const text of texts.slice(1)) {
    session = redo(session).session;
    expect(session.document.text).toBe(text);
  }
  expect(redo(session).said).toBe('there is nothing to redo');
});

test('changes are counted from what is saved, which may be in the middle of the history', () => {
  const one = edited(startSession(base), soak('eu', 1), soak('eu', 2));
  expect(countChanges(one)).toBe(2);
  const saved = { ...one, base: { revision: 13, text: one.document.text } };
  expect(countChanges(saved)).toBe(0);
  expect(countChanges(edited(saved, soak('asia', 1)))).toBe(1);
  const back = undo(undo(saved).session).session;
  expect([back.document.text, countChanges(back)]).toEqual([TEXT, 2]);
  expect(countChanges(redo(back).session)).toBe(1);
});

test('what is typed without a pause is one change, and an edit ends it', () => {
  let session = startSession(base);
  for (const [at, letter] of ['x', 'y', 'z'].entries())
    session = typeText(session, session.document.text.replace(/hurt.(\w*)/, `hurt.$1${letter}`), 100 + at * 300);
  expect(session.past).toMatchObject([{ removed: '', inserted: 'xyz' }]);
  session = edited(typeText(session, session.document.text.replace('xyz', 'xy'), 5000), soak('eu', 2));
  expect(session.past.length).toBe(3);
  const back = undo(session);
  expect(back.said).toBe('undone: soak of eu is 2h');
  expect(undo(back.session)).toMatchObject({ said: 'undone: typing' });
});

test('what two people changed in different places is merged by step, with the comments of a person', () => {
  const mine = edited(startSession(base), soak('eu', 2), add('us', 'staging'));
  const theirs = edited(startSession(base), soak('staging', 3), remove('asia'));
  const saved = { revision: 13, text: theirs.document.text };
  const { session, said } = mergeInto(mine, saved);
  expect(said).toBe('merged with revision 13');
  expect(stepsOf(session)).toEqual(['staging 3h', 'eu 2h', 'us']);
  expect(session).toMatchObject({ base: saved, conflicts: [] });
  expect(session.document.text).toContain('    - environment: eu # the old world\n');
  expect(undo(session).session.document.text).toBe(mine.document.text);
});

test('what both changed is a conflict, named by step and field; nothing of either is lost', () => {
  const mine = edited(startSession(base), soak('staging', 2), soak('eu', 5));
  const theirs = edited(startSession(base), soak('staging', 3), remove('eu'));
  const { session, said } = mergeInto(mine, { revision: 13, text: theirs.document.text });
  expect(said).toBe('merged with revision 13, 2 conflicts');
  expect(stepsOf(session)).toEqual(['staging 2h', 'eu 5h', 'asia']);
  expect(session.conflicts).toMatchObject([
    {
      step: 'staging',
      field: 'soak',
      base: '1h',
      theirs: '3h',
      mine: '2h',
      message: 'soak of staging was 1h, is 3h there and 2h here',
    },
    { step: 'eu', field: '', theirs: null, message: 'eu was removed there and changed here' },
  ]);
  const one = resolveConflict(session, session.conflicts[0]!, 'THEIRS');
  expect(one.said).toBe('soak of staging is as it was saved there');
  const both = resolveConflict(one.session, one.session.conflicts[0]!, 'THEIRS').session;
  expect(stepsOf(both)).toEqual(['staging 3h', 'asia']);
  expect(both.conflicts).toEqual([]);
  const kept = resolveConflict(session, session.conflicts[1]!, 'MINE').session;
  expect(stepsOf(kept)).toEqual(['staging 2h', 'eu 5h', 'asia']);
});

test('comments that somebody else saved are in the merge, or are a conflict; what the server prints takes none of mine', () => {
  const mine = edited(startSession(base), soak('eu', 2), soak('staging', 2));
  const reworded = TEXT.replace('# First where nobody is hurt.', '# First where only we are.');
  const merged = mergeInto(mine, { revision: 13, text: reworded }).session;
  expect(merged.conflicts).toEqual([]);
  expect(stepsOf(merged)).toEqual(['staging 2h', 'eu 2h', 'asia']);
  expect(merged.document.text).toContain('# First where only we are.');
  expect(merged.base.text).toBe(reworded);

  const beside = mergeInto(mine, { revision: 13, text: TEXT.replace('soak: 1h', 'soak: 1h # for the night') }).session;
  expect(beside.conflicts).toMatchObject([{ field: 'comments', theirs: '# for the night' }]);
  expect(stepsOf(beside)).toEqual(['staging 2h', 'eu 2h', 'asia']);

  const unchanged = mergeInto(startSession(base), { revision: 13, text: reworded }).session;
  expect(unchanged.document.text).toBe(reworded);
  expect(countChanges(unchanged)).toBe(0);

  const printed = exportManifest(parseManifests(TEXT.replace('soak: 1h', 'soak: 4h')).definitions[0]!.definition);
  const kept = mergeInto(edited(startSession(base), soak('eu', 2)), { revision: 13, text: printed }).session;
  expect(kept.conflicts).toEqual([]);
  expect(stepsOf(kept)).toEqual(['staging 4h', 'eu 2h', 'asia']);
  expect(kept.document.text).toContain('# First where nobody is hurt.');
});

test('texts that differ in tens of thousands of lines are merged by step in a moment, and their comments are a conflict', () => {
  const lines = (word: string): string => Array.from({ length: 30_000 }, (_, at) => `# ${word} ${at}\n`).join('');
  const mine = edited(startSession(base), soak('eu', 2));
  const theirs = `${lines('theirs')}${TEXT.replace('soak: 1h', 'soak: 3h')}`;
  const began = { ...mine, base: { revision: 12, text: `${lines('base')}${TEXT}` } };
  let session: Session = began;
  // Compared line by line without a bound it takes minutes.
  const spent = processorTime(() => {
    ({ session } = mergeInto(began, { revision: 13, text: theirs }));
  });
  expect(spent).toBeLessThan(10_000);
  expect(stepsOf(session)).toEqual(['staging 3h', 'eu 2h', 'asia']);
  expect(session.conflicts).toMatchObject([{ field: 'comments', message: expect.stringMatching(/^30000 comments/) }]);
});

test('a text that cannot be read is not merged, and stays', () => {
  const broken = typeText(startSession(base), TEXT.replace('[dev]', '[dev'), 0);
  const { session, said } = mergeInto(broken, { revision: 13, text: TEXT.replace('1h', '2h') });
  expect(session).toBe(broken);
  expect(said).toMatch(/^the text cannot be read in line/);
});

test('what stands in a field of a tab that is killed is left for the next one, of that draft and person alone, until it is forgotten', async () => {
  const { newTab } = browser();
  const [one, two, three] = [newTab(), newTab(), newTab()];
  const owner = { kind: 'PromotionFlow', name: 'flow', person: 'ada' } as const;
  const typing = (text: string, at: number) => ({ node: 'eu', field: 'soak', text, revision: 12, at });
  const left = (of: DraftOwner = owner) => typingOfTheGone(three, of);
  leaveTyping(one.words, owner, one.tabs.id, typing('1', 1));
  leaveTyping(one.words, owner, one.tabs.id, typing('10m', 2));
  leaveTyping(two.words, owner, two.tabs.id, typing('20m', 3));
  expect((await left()).typing).toBe(null);
  one.kill();
  expect((await left()).typing).toEqual(typing('10m', 2));
  // Taken in there, it is not offered.
  leaveTyping(two.words, owner, two.tabs.id, null);
  two.kill();
  expect((await left()).typing).toEqual(typing('10m', 2));
  for (const other of [{ name: 'flow-2' }, { person: 'ben' }, { kind: 'PromotionWorkflow' as const }])
    expect((await left({ ...owner, ...other })).typing).toBe(null);
  // What another version has left, or half of it, hides nothing, and goes as well.
  leaveTyping(two.words, owner, two.tabs.id, { ...typing('30m', 4), at: 'noon' as never });
  const keys = two.words.keys('sluice-');
  two.words.set(keys[0]!.replace(one.tabs.id, 'tab-0').replace(two.tabs.id, 'tab-0'), '{"node":');
  expect((await left()).typing).toEqual(typing('10m', 2));
  (await left()).forget();
  expect((await left()).typing).toBe(null);
  expect(two.words.keys('sluice-')).toEqual([]);
});

/** A browser: what its tabs share, and a switch that kills a tab between two of its steps. */
function browser() {
  const kept = new Map<string, string>();
  const left = new Map<string, string>();
  const open = new Set<string>();
  let ids = 0;
  /** In characters. */
  const room = { words: 1_000_000 };
  const tabs = new Map<object, (key: string) => void>();
  let last: Promise<unknown> = Promise.resolve();
  const newTab = (): DraftWorld & { kill: () => void; hold: () => () => void } => {
    const self = {};
    const id = `tab-${(ids += 1)}`;
    open.add(id);
    let isDead = false;
    let gate: Promise<void> = Promise.resolve();
    const alive = async (): Promise<void> => {
      await gate;
      if (isDead) await new Promise(() => {});
    };
    return {
      kill: () => {
        isDead = true;
        open.delete(id);
        tabs.delete(self);
      },
      hold: () => {
        let open = (): void => {};
        gate = new Promise((resolve) => (open = resolve));
        return open;
      },
      store: {
        get: async (key) => (await alive(), kept.has(key) ? (JSON.parse(kept.get(key)!) as unknown) : undefined),
        set: async (key, value) => (await alive(), void kept.set(key, JSON.stringify(value))),
        remove: async (key) => (await alive(), void kept.delete(key)),
        keys: async () => (await alive(), [...kept.keys()]),
      },
      words: {
        keys: (prefix) => [...left.keys()].filter((key) => key.startsWith(prefix)),
        get: (key) => left.get(key) ?? null,
        set: (key, value) => value.length < room.words && (left.set(key, value), true),
        remove: (key) => void left.delete(key),
      },
      tabs: {
        id,
        isGone: async (tab) => !open.has(tab),
        leave: () => void open.delete(id),
        alone: async (_, work) => {
          await gate;
          // A tab that was killed gives its locks back.
          const mine = last.then(() => (isDead ? (undefined as never) : work()));
          last = Promise.race([mine.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 50))]);
          return mine;
        },
        tell: (key) => [...tabs].forEach(([tab, told]) => tab !== self && told(key)),
        listen: (told) => (tabs.set(self, told), () => void tabs.delete(self)),
      },
      now: () => 1000 + kept.size,
    };
  };
  return { newTab, kept, left, room };
}

const opened: Draft[] = [];
afterEach(() => opened.splice(0).forEach((draft) => draft.close()));
const owner = { kind: 'PromotionFlow' as const, name: 'main', person: 'ana' };
async function open(world: DraftWorld, saved: Base = base, person = 'ana'): Promise<Draft> {
  const draft = await Draft.open(world, { ...owner, person }, saved, () => {});
  opened.push(draft);
  return draft;
}
const settled = async (...drafts: Draft[]): Promise<void> => {
  for (let round = 0; round < 5; round += 1) await Promise.all(drafts.map((each) => each.settled()));
};

test('a draft survives a reload and a killed tab, with its history, and a broken text with its last good flow', async () => {
  const { newTab } = browser();
  const first = newTab();
  const draft = await open(first);
  await draft.change(edited(draft.session, soak('eu', 2)));
  await draft.change(typeText(draft.session, draft.session.document.text.replace('[dev]', '[dev'), 9000));
  first.kill();
  const again = await open(newTab());
  expect(again.session.document).toMatchObject({ text: draft.session.document.text, isCurrent: false });
  expect(stepsOf(again.session)).toEqual(['staging 1h', 'eu 2h', 'asia']);
  expect(undo(undo(again.session).session).session.document.text).toBe(TEXT);
  const other = await open(newTab(), base, 'ben');
  expect(other.session.document.text).toBe(TEXT);
});

describe('a tab that ends before the store has what was typed', () => {
  const typed = (session: Session, words: string, at: number): Session =>
    typeText(session, session.document.text.replace(/hurt.*/, words), at);

  test('has left it all the same, with what can be undone', async () => {
    const { newTab, left, kept } = browser();
    const world = newTab();
    const draft = await open(world);
    await draft.change(edited(draft.session, soak('eu', 2)));
    expect([draft.isKept, left.size]).toEqual([true, 0]);
    world.hold();
    void draft.change(typed(draft.session, 'hurt by it', 1000));
    void draft.change(typed(draft.session, 'hurt by it, ever', 1100));
    expect(draft.isKept).toBe(true);
    world.kill();
    const again = await open(newTab());
    expect(again.session.document.text).toBe(draft.session.document.text);
    expect(again.session.past).toEqual(draft.session.past);
    await settled(again);
    expect([left.size, kept.size, again.isKept]).toEqual([0, 1, true]);
    expect((await open(newTab())).session.document.text).toBe(draft.session.document.text);
  });

  test('at its first key, is among the drafts, and is gone when it is discarded', async () => {
    const { newTab, left, kept } = browser();
    const world = newTab();
    const draft = await open(world);
    world.hold();
    void draft.change(edited(draft.session, soak('eu', 2)));
    world.kill();
    const next = newTab();
    expect(await draftsOf(next, 'PromotionFlow', 'ana')).toMatchObject([{ name: 'main', base: { revision: 12 } }]);
    expect(await draftsOf(next, 'PromotionFlow', 'ben')).toEqual([]);
    const again = await open(next);
    expect(stepsOf(again.session)).toEqual(['staging 1h', 'eu 2h', 'asia']);
    await again.discard(base);
    expect([left.size, kept.size]).toEqual([0, 0]);
  });

  test.each([
    ['is no JSON', 'nonsense'],
    ['is of another version', JSON.stringify({ version: 9, documents: [] })],
    ['has no history', JSON.stringify({ base, text: TEXT, count: 1, at: 1 })],
    [
      'is made from nothing',
      JSON.stringify({ base: {}, text: '', past: [], future: [], conflicts: [], count: 1, at: 1 }),
    ],
    ['is nothing', 'null'],
  ])('or something that %s: drafts are opened and kept all the same', async (_name, value) => {
    const { newTab, left, kept } = browser();
    left.set('sluice-draft/ana/main/another', value);
    if (value.startsWith('{')) for (const key of ['draft/ana/main/12', 'typed/ana/main']) kept.set(key, value);
    const world = newTab();
    expect(await draftsOf(world, 'PromotionFlow', 'ana')).toEqual([]);
    const draft = await open(world);
    expect(draft.session.document.text).toBe(TEXT);
    await draft.change(edited(draft.session, soak('eu', 2)));
    expect(draft.isKept).toBe(true);
    world.kill();
    expect(stepsOf((await open(newTab())).session)).toEqual(['staging 1h', 'eu 2h', 'asia']);
    expect(await draftsOf(newTab(), 'PromotionFlow', 'ana')).toMatchObject([{ name: 'main' }]);
  });

  test.each([
    ['changes', { past: [{ at: 1, removed: '' }] }],
    ['undone changes', { future: [null] }],
    ['conflicts', { conflicts: [null] }],
  ])('or a text whose %s cannot be read: the text is there all the same', async (_name, broken) => {
    const { newTab, kept } = browser();
    const text = `${TEXT}  hurt: [`;
    const value = { base, text, past: [], future: [], conflicts: [], count: 1, at: 1, ...broken };
    kept.set('draft/ana/main/12', JSON.stringify(value));
    const { session } = await open(newTab());
    expect(session.document.text).toBe(text);
    expect([undo(session).said, redo(session).said]).toEqual(['there is nothing to undo', 'there is nothing to redo']);
    expect(session.conflicts).toEqual([]);
  });

  test('while the store took an earlier part of it, loses nothing', async () => {
    const { newTab } = browser();
    const world = newTab();
    const draft = await open(world);
    const written = draft.change(typed(draft.session, 'hurt by', 1000));
    const later = typed(draft.session, 'hurt by it, ever', 1100);
    const told: Promise<void>[] = [];
    // Typed while the first part is under way, and never written.
    const { store } = world;
    world.store = {
      ...store,
      set: async (key, value) => {
        await store.set(key, value);
        world.hold();
        told.push(draft.change(later));
        world.kill();
      },
    };
    void written;
    await expect.poll(() => told.length).toBe(1);
    const again = await open(newTab());
    expect(again.session.document.text).toBe(later.document.text);
    expect(again.session.conflicts).toEqual([]);
    expect(undo(again.session).session.document.text).toBe(TEXT);
  });

  test('beside one that goes on is merged when the draft is opened again', async () => {
    const { newTab } = browser();
    const [left, right] = [newTab(), newTab()];
    const [one, two] = [await open(left), await open(right)];
    left.hold();
    void one.change(edited(one.session, add('us', 'eu')));
    left.kill();
    await two.change(edited(two.session, soak('staging', 3)));
    const again = await open(newTab());
    expect(stepsOf(again.session)).toEqual(['staging 3h', 'eu', 'asia', 'us']);
    await settled(two, again);
    expect(stepsOf(two.session)).toEqual(stepsOf(again.session));
  });

  test('is told from one that is only slow: that one writes it itself', async () => {
    const { newTab, left } = browser();
    const slow = newTab();
    const draft = await open(slow);
    const goOn = slow.hold();
    void draft.change(edited(draft.session, soak('eu', 2)));
    const beside = await open(newTab());
    expect(beside.session.document.text).toBe(TEXT);
    goOn();
    await settled(draft, beside);
    expect(stepsOf(beside.session)).toEqual(['staging 1h', 'eu 2h', 'asia']);
    expect(left.size).toBe(0);
  });

  test('is not trusted where there is no room: what is not kept is told until it is', async () => {
    const { newTab, left, room } = browser();
    const world = newTab();
    const draft = await open(world);
    room.words = 0;
    const goOn = world.hold();
    const written = draft.change(edited(draft.session, soak('eu', 2)));
    expect([draft.isKept, left.size]).toEqual([false, 0]);
    goOn();
    await written;
    expect(draft.isKept).toBe(true);
  });
});

test('two tabs share one draft: each shows what the other did, and what both did at once is merged', async () => {
  const { newTab } = browser();
  const [left, right] = [newTab(), newTab()];
  const [one, two] = [await open(left), await open(right)];
  await one.change(edited(one.session, soak('eu', 2)));
  await settled(one, two);
  expect(two.session.document.text).toBe(one.session.document.text);
  const [a, b] = [left.hold(), right.hold()];
  void one.change(edited(one.session, add('us', 'eu')));
  void two.change(typeText(two.session, two.session.document.text.replace('is hurt', 'is hurt at all'), 5000));
  a();
  b();
  await settled(one, two);
  expect(one.session.document.text).toBe(two.session.document.text);
  expect(stepsOf(two.session)).toEqual(['staging 1h', 'eu 2h', 'asia', 'us']);
  expect(two.session.document.text).toContain('# First where nobody is hurt at all.');
});

test('one setting that two tabs change at once is a conflict in both, and not lost', async () => {
  const { newTab } = browser();
  const [left, right] = [newTab(), newTab()];
  const [one, two] = [await open(left), await open(right)];
  const [a, b] = [left.hold(), right.hold()];
  void one.change(edited(one.session, soak('eu', 2)));
  void two.change(edited(two.session, soak('eu', 3)));
  a();
  b();
  await settled(one, two);
  expect(one.session.document.text).toBe(two.session.document.text);
  expect(one.session.conflicts).toMatchObject([{ step: 'eu', field: 'soak' }]);
  expect(two.session.conflicts).toEqual(one.session.conflicts);
  const [conflict] = one.session.conflicts;
  expect(new Set([conflict!.theirs, conflict!.mine])).toEqual(new Set(['2h', '3h']));
});

test('somebody else saved: the draft stays on its base until it is merged, and is one draft again', async () => {
  const { newTab, kept } = browser();
  const draft = await open(newTab());
  await draft.change(edited(draft.session, soak('eu', 2)));
  const saved = { revision: 13, text: TEXT.replace('soak: 1h', 'soak: 4h') };
  const later = await open(newTab(), saved);
  expect(later.session.base.revision).toBe(12);
  await later.change(mergeInto(later.session, saved).session);
  await settled(draft, later);
  expect(stepsOf(later.session)).toEqual(['staging 4h', 'eu 2h', 'asia']);
  expect([...kept.keys()]).toEqual(['draft/ana/main/13']);
  expect(draft.session).toMatchObject({ base: saved, document: { text: later.session.document.text } });
  const next = await open(newTab(), saved);
  expect(next.session).toMatchObject({ base: saved, document: { text: later.session.document.text } });
});

test('a saved draft is gone, and its text comes back as it was typed while the saved flow says the same', async () => {
  const { newTab, kept } = browser();
  const world = newTab();
  const [draft, beside] = [await open(world), await open(newTab())];
  await draft.change(edited(draft.session, soak('eu', 2)));
  await settled(draft, beside);
  const typed = draft.session.document.text;
  await draft.saved({ revision: 13, text: typed });
  await settled(beside);
  expect(beside.session).toMatchObject({ base: { revision: 13, text: typed }, document: { text: typed } });
  expect([...kept.keys()]).toEqual(['typed/ana/main']);
  expect(await draftsOf(world, 'PromotionFlow', 'ana')).toEqual([]);
  const printed = typed.replaceAll(/ *#.*/g, '').replace(/\n\s*\n/g, '\n');
  expect((await open(newTab(), { revision: 13, text: printed })).session.document.text).toBe(typed);
  const other = { revision: 13, text: printed.replace('2h', '5h') };
  expect((await open(newTab(), other)).session.document.text).toBe(other.text);
});

test('what changes while it is saved, here or in another tab, is a draft of what was saved', async () => {
  const { newTab, kept } = browser();
  const [left, right] = [newTab(), newTab()];
  const [one, two] = [await open(left), await open(right)];
  await one.change(edited(one.session, soak('eu', 2)));
  await settled(one, two);
  const sent = one.session.document.text;
  // Both before the answer of the server is there.
  const late = one.change(edited(one.session, soak('asia', 3)));
  const go = left.hold();
  void two.change(edited(two.session, soak('staging', 5)));
  const saving = one.saved({ revision: 13, text: sent });
  await settled(two);
  go();
  await Promise.all([late, saving]);
  await settled(one, two);
  expect([...kept.keys()].sort()).toEqual(['draft/ana/main/13', 'typed/ana/main']);
  expect(one.session.base).toEqual({ revision: 13, text: sent });
  expect(stepsOf(one.session)).toEqual(['staging 5h', 'eu 2h', 'asia 3h']);
  expect(two.session.document.text).toBe(one.session.document.text);
});

test('what is discarded is, from there on, what was saved as it was typed', async () => {
  const { newTab } = browser();
  const draft = await open(newTab());
  await draft.change(edited(draft.session, soak('eu', 2)));
  const typed = draft.session.document.text;
  await draft.saved({ revision: 13, text: typed });
  await draft.change(edited(draft.session, remove('asia')));
  const printed = typed.replaceAll(/ *#.*/g, '').replace(/\n\s*\n/g, '\n');
  expect((await draft.discard({ revision: 13, text: printed })).document.text).toBe(typed);
});

test('other tabs are told in words what one of them did', async () => {
  const { newTab } = browser();
  const told: string[] = [];
  const one = await open(newTab());
  const two = await Draft.open(newTab(), owner, base, (_, said) => told.push(said));
  opened.push(two);
  await one.change(edited(one.session, soak('eu', 2)));
  await settled(one, two);
  await one.saved({ revision: 13, text: one.session.document.text });
  await settled(one, two);
  await one.change(edited(one.session, soak('eu', 3)));
  await settled(one, two);
  await one.discard(one.session.base);
  await settled(one, two);
  expect(told).toEqual([
    'another tab changed the draft',
    'another tab went on to revision 13',
    'another tab changed the draft',
    'another tab discarded the draft',
  ]);
});

test('what both sides changed is compared by step and setting, with what it was', () => {
  const mine = edited(startSession(base), soak('staging', 2), soak('eu', 5));
  const theirs = edited(startSession(base), soak('staging', 3), remove('asia'), add('us', 'eu'));
  expect(sidesOf(mine, theirs.document)).toEqual([
    { step: 'staging', field: 'soak', base: '1h', theirs: '3h', mine: '2h', isBoth: true },
    { step: 'eu', field: 'soak', base: null, theirs: null, mine: '5h', isBoth: false },
    {
      step: 'asia',
      field: '',
      base: 'environment: asia\ndependsOn:\n  - staging',
      theirs: null,
      mine: 'environment: asia\ndependsOn:\n  - staging',
      isBoth: false,
    },
    { step: 'us', field: '', base: null, theirs: 'environment: us\ndependsOn:\n  - eu', mine: null, isBoth: false },
  ]);
  expect(sidesOf(startSession(base), { text: TEXT })).toEqual([]);
  expect(sidesOf(startSession(base), { text: 'spec: [' })).toBe(null);
});

test('a merge that leaves no change of mine is what is saved; a restored revision is one step of undo away from the draft', () => {
  const theirs = edited(startSession(base), soak('staging', 3));
  const { session } = mergeInto(startSession(base), { revision: 13, text: theirs.document.text });
  expect(countChanges(session)).toBe(0);
  expect(session.base.revision).toBe(13);
  const mine = edited(startSession(base), soak('eu', 5));
  const restored = goOnFrom(mine, { revision: 14, text: TEXT }, 'revision 2 is restored as revision 14');
  expect(countChanges(restored)).toBe(0);
  const back = undo(restored);
  expect(back).toMatchObject({
    said: 'undone: revision 2 is restored as revision 14',
    session: { base: { revision: 14 } },
  });
  expect(back.session.document.text).toBe(mine.document.text);
});

test('what a proposal would change is shown with its comments, also when it changes nothing else', () => {
  const printed = { revision: 1, text: exportManifest(parseManifests(TEXT).definitions[0]!.definition) };
  const session = startSession(printed);
  const changesIn = (now: Session): string[] =>
    diffOf(now)!
      .split('\n')
      .filter((line) => /^[+-] *[^+-]/.test(line) && !/^(---|\+\+\+)/.test(line));
  expect(changesIn(session)).toEqual([]);
  const remarked = typeText(session, printed.text.replace('spec:\n', 'spec: # of the shop\n'), 1000);
  expect(changesIn(remarked)).toEqual(['-spec:', '+spec: # of the shop']);
  expect(changesIn(edited(remarked, soak('eu', 2)))).toEqual(['-spec:', '+spec: # of the shop', '+      soak: 2h']);
  expect(changesIn(edited(session, soak('eu', 2)))).toEqual(['+      soak: 2h']);
});

test('what is discarded is gone in all tabs', async () => {
  const { newTab, kept } = browser();
  const [one, two] = [await open(newTab()), await open(newTab())];
  await one.change(edited(one.session, soak('eu', 2)));
  await settled(one, two);
  expect(two.session.document.text).not.toBe(TEXT);
  await two.discard(base);
  await settled(one, two);
  expect([one.session.document.text, two.session.document.text, kept.size]).toEqual([TEXT, TEXT, 0]);
  const fresh = await Draft.open(
    newTab(),
    { ...owner, name: 'new' },
    { revision: null, text: newFlowText('') },
    () => {},
  );
  expect(fresh.session.document.flow?.name).toBe('');
  fresh.close();
});
