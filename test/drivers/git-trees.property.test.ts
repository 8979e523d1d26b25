import fc from 'fast-check';
import { mkdirSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { isPattern } from '../../src/core/file-pattern.ts';
import type { PinnedContent } from '../../src/drivers/driver.ts';
import { PermanentError } from '../../src/drivers/driver.ts';
import { parseAddress } from '../../src/drivers/git/address.ts';
import { changesAndSkipped } from '../../src/drivers/git/changes.ts';
import { CACHE_LIMITS } from '../../src/drivers/git/cache.ts';
import { driftFrom } from '../../src/drivers/git/drift.ts';
import { Mirror } from '../../src/drivers/git/mirror.ts';
import { Places } from '../../src/drivers/git/mutex.ts';
import { pinContent } from '../../src/drivers/git/pin.ts';
import { previewAt } from '../../src/drivers/git/preview.ts';
import { preparePromotion } from '../../src/drivers/git/promote.ts';
import { LOOPBACK } from '../../src/drivers/network/allowed.ts';
import { NetworkGuard } from '../../src/drivers/network/guard.ts';
import { Dice } from './edit/dice.ts';
import { Reached } from './edit/play.ts';
import { means } from './pattern-oracle.ts';
import { contextOf, makeFolder, Repository, SIGNING_KEY } from './repository.ts';

/**
 * For any trees, with links, submodules and names that only an attacker writes, and for any template: a promotion changes files of the
 * application's folder that the template means and nothing else, the plan shows exactly that, what it wrote is there already, and a
 * rollback gives the folder back as it was.
 *
 * `SLUICE_TREE_RUNS=5000` searches longer, `SLUICE_TREE_SEED=…` elsewhere; what was reached is printed.
 */
const numRuns = Number(process.env.SLUICE_TREE_RUNS ?? 80);
const seed = Number(process.env.SLUICE_TREE_SEED ?? 42);
const MUST = [
  'refused: symbolic link',
  'refused: submodule',
  'refused: where case does not count',
  'refused: must stay inside',
  'written',
  'added',
  'changed',
  'removed',
  'values',
  'skipped',
  'held already',
  'with links',
  'with submodules',
  'rolled back',
  'brought back',
];

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;

/** Path → mode and content: text of a file or a link, commit of a submodule. */
type Tree = Map<string, { mode: string; text: string }>;

const NAMES = ['a', 'b', 'c.yaml', 'v.yaml', 'd', 'e', '.env', 'A'];
const HOSTILE = ['..', '.', '.git', 'a\\b', '.GIT', 'C.yaml'];
const LINKS = ['a', '../shared', '../shared/a', '../../out', '/etc/passwd', '..', 'd', '../eu-2', 'nowhere'];
const PATTERNS = ['**', '*', 'd/', '*/a', '**/a', 'd/**', 'e/*', '**/.env', 'd/e/', '*.yaml', '**/*.yaml', '**/v.yaml'];

const commitId = '1'.repeat(40);

function treeBelow(dice: Dice, root: string, into: Tree, depth = 0): void {
  for (let count = dice.roll(5) + (depth === 0 ? 1 : 0); count > 0; count -= 1) {
    const name = dice.once(45) ? dice.pick(HOSTILE) : dice.pick(NAMES);
    const path = `${root}/${name}`;
    if ([...into.keys()].some((each) => each === path || each.startsWith(`${path}/`) || path.startsWith(`${each}/`)))
      continue;
    if (depth < 3 && ['d', 'e'].includes(name) && !dice.once(6)) treeBelow(dice, path, into, depth + 1);
    else if (dice.once(24)) into.set(path, { mode: '120000', text: dice.pick(LINKS) });
    else if (dice.once(60)) into.set(path, { mode: '160000', text: commitId });
    else into.set(path, { mode: dice.once(8) ? '100755' : '100644', text: textFor(dice, name) });
  }
}

const textFor = (dice: Dice, name: string): string =>
  name.endsWith('.yaml') ? `tag: ${dice.roll(3)}\nmine: ${dice.roll(3)}\n` : `${dice.roll(3)}\n`;

function templateOf(dice: Dice): PromotionTemplateSpec {
  const promotion: NonNullable<PromotionTemplateSpec['promotion']> = {};
  for (let count = dice.roll(4); count > 0; count -= 1) {
    const key = dice.once(4) ? dice.pick(['a', 'v.yaml', 'c.yaml']) : dice.pick(PATTERNS);
    const values = key.endsWith('.yaml') && !dice.once(4);
    promotion[key] = {
      ...(values && { jsonPaths: ['$.tag'] }),
      ...(isPattern(key) && dice.once(3) && { except: [dice.pick([...PATTERNS, ...NAMES])] }),
    };
  }
  return {
    ...(Object.keys(promotion).length > 0 && { promotion }),
    whenGone: dice.once(2) ? 'DELETE' : 'KEEP',
    onMissing: dice.once(2) ? 'SKIP' : 'REFUSE',
  };
}

/** Whether a template promotes a file whole, by values, or not at all: said once more, in other words. */
function said({ promotion = { '**': {} } }: PromotionTemplateSpec, file: string): 'whole' | 'values' | undefined {
  const named = promotion[file];
  if (named) return named.jsonPaths ? 'values' : 'whole';
  const fits = Object.entries(promotion).filter(
    ([key, { except = [] }]) => isPattern(key) && means(key, file) && !except.some((each) => means(each, file)),
  );
  if (fits.length === 0) return undefined;
  return fits.some(([, { jsonPaths }]) => jsonPaths) ? 'values' : 'whole';
}

async function open(): Promise<Mirror> {
  const repo = new Repository(folder, 'trees', { x: '' });
  const fetching = { firsts: new Places(1), closing: never };
  const times = { remoteMs: 60_000, fetchMs: 60_000, localMs: 60_000, inTurnMs: 60_000 };
  const guard = new NetworkGuard(LOOPBACK);
  mkdirSync(folder.path('cache'));
  const address = parseAddress(repo.url, ['file']);
  const mirror = new Mirror(
    folder.path('cache'),
    address,
    undefined,
    guard,
    times,
    CACHE_LIMITS,
    systemClock,
    fetching,
  );
  await mirror.fetchHead('main', 'here', never);
  return mirror;
}

/** Objects as they are asked for: git itself would refuse some of these names. */
async function commitOf(mirror: Mirror, tree: Tree, parent?: string): Promise<string> {
  const write = async (prefix: string): Promise<string> => {
    const entries = new Map<string, { mode: string; id: string }>();
    for (const [path, { mode, text }] of tree) {
      if (!path.startsWith(prefix)) continue;
      const [name = '', ...rest] = path.slice(prefix.length).split('/');
      if (entries.has(name)) continue;
      if (rest.length > 0) entries.set(name, { mode: '40000', id: await write(`${prefix}${name}/`) });
      else
        entries.set(name, { mode, id: mode === '160000' ? text : await mirror.write('blob', Buffer.from(text), 40) });
    }
    const sorted = [...entries].toSorted(([a, x], [b, y]) =>
      (x.mode === '40000' ? `${a}/` : a) < (y.mode === '40000' ? `${b}/` : b) ? -1 : 1,
    );
    const bytes = sorted.flatMap(([name, { mode, id }]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
    return mirror.write('tree', Buffer.concat(bytes), 40);
  };
  const who = 'Ada <ada@example.com> 1700000000 +0000';
  const head = parent === undefined ? '' : `parent ${parent}\n`;
  const text = `tree ${await write('')}\n${head}author ${who}\ncommitter ${who}\n\nTree\n`;
  return mirror.write('commit', Buffer.from(text), 40);
}

/** Path → mode and id, of everything at a commit. */
async function listed(mirror: Mirror, commit: string): Promise<Map<string, string>> {
  const lines = (await mirror.ask(['ls-tree', '-r', '-z', '--full-tree', commit], never)).toString('utf8').split('\0');
  return new Map(lines.filter(Boolean).map((line) => [line.split('\t')[1]!, line.split('\t')[0]!]));
}

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .toSorted();
}

const target: GitDriverSpec = { type: 'git', repoURL: 'file:///x', branch: 'main', path: 'eu' };
const tools = {
  style: async () => ({ name: 'Sluice', email: 'sluice@example.com' }),
  signingKeys: async () => [SIGNING_KEY],
};

/** Undefined: it was refused. */
async function unlessRefused<T>(reached: Reached, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    reached.count('refused');
    for (const why of ['symbolic link', 'submodule', 'where case does not count', 'must stay inside'])
      if (error.message.includes(why)) reached.count(`refused: ${why}`);
    return undefined;
  }
}

/** A promotion, with all that is claimed of one; the commit at which the target holds the content. */
async function promote(
  mirror: Mirror,
  head: string,
  template: PromotionTemplateSpec,
  content: PinnedContent,
  key: string,
  reached: Reached,
): Promise<string | undefined> {
  const promotion = { where: 'eu', target, folder: 'eu', content, context: contextOf(key) };
  const made = await unlessRefused(reached, () => preparePromotion(mirror, head, promotion, tools));
  if (!made) return undefined;
  const shown = await previewAt(mirror, head, await changesAndSkipped(mirror, head, 'eu', content, never), never);
  const after = made.commit ?? head;
  const [was, is] = [await listed(mirror, head), await listed(mirror, after)];
  const changed = differences(was, is);
  expect(changed).toEqual(shown.files.map((each) => each.path).toSorted());
  for (const path of changed) {
    expect(path).toMatch(/^eu\//);
    const file = path.slice(3);
    const how = said(template, file);
    expect([path, how]).not.toEqual([path, undefined]);
    for (const each of [was.get(path), is.get(path)]) if (each) expect(each).toMatch(/^100/);
    if (!is.has(path)) {
      expect([template.whenGone, how, Object.hasOwn(content.files, file)]).toEqual(['DELETE', 'whole', false]);
      reached.count('removed');
    } else reached.count(was.has(path) ? 'changed' : 'added');
    if (how === 'values') reached.count('values');
  }
  reached.count(changed.length > 0 ? 'written' : 'held already');
  if (made.effect.skipped) reached.count('skipped');
  if ([...is].some(([path, each]) => path.startsWith('eu/') && each.startsWith('120000'))) reached.count('with links');
  if ([...is].some(([path, each]) => path.startsWith('eu/') && each.startsWith('16'))) reached.count('with submodules');
  expect(await driftFrom(mirror, after, 'eu', [content], never)).toBeNull();
  const again = await preparePromotion(mirror, after, promotion, tools);
  expect([again.commit, again.effect.commit]).toEqual([undefined, made.commit ?? again.effect.commit]);
  if (template.whenGone !== 'DELETE') return after;
  for (const [path, each] of is) {
    if (!path.startsWith('eu/') || !each.startsWith('100') || said(template, path.slice(3)) !== 'whole') continue;
    expect(Object.keys(content.files)).toContain(path.slice(3));
  }
  return after;
}

async function play(mirror: Mirror, dice: Dice, reached: Reached): Promise<void> {
  const trees = [0, 1].map(() => {
    const tree: Tree = new Map();
    for (const root of ['dev', 'shared', ...(dice.once(8) ? ['EU'] : []), 'eu-2']) treeBelow(dice, root, tree);
    // Most of what one environment has the other has as well.
    for (const [path, { mode }] of tree)
      if (path.startsWith('dev/') && mode.startsWith('100') && !dice.once(4))
        tree.set(`eu/${path.slice(4)}`, { mode, text: textFor(dice, path) });
    treeBelow(dice, 'eu', tree);
    return tree;
  });
  const [first, second] = trees as [Tree, Tree];
  const head = await commitOf(mirror, first);
  const template = templateOf(dice);
  const source = { ...target, path: 'dev' };
  const pin = (commit: string, how: PromotionTemplateSpec) =>
    unlessRefused(reached, () => pinContent(mirror, commit, source, how, undefined, never));
  const good = await pin(head, template);
  const live = good && (await promote(mirror, head, template, good, 'one', reached));
  if (!live) return;
  // Another version, of another template maybe.
  const then = dice.once(3) ? templateOf(dice) : template;
  const bad = await pin(await commitOf(mirror, second), then);
  const broken = bad && (await promote(mirror, live, then, bad, 'two', reached));
  if (!broken) return;
  const isNew = (file: string): boolean => !Object.hasOwn(good.files, file);
  const ofKind = (kind: string): string[] =>
    Object.keys(bad.files).filter((file) => isNew(file) && bad.files[file]!.kind === kind);
  const undo = {
    commit: live,
    files: ofKind('whole'),
    edited: ofKind('values'),
    ...(bad.removes && { removed: [bad.removes] }),
  };
  const context = contextOf('back', { rollback: { takesBack: 'bad', reason: 'bad', undo } });
  const back = { where: 'eu', target, folder: 'eu', content: good, context };
  const made = await preparePromotion(mirror, broken, back, tools);
  const [were, are] = [await listed(mirror, live), await listed(mirror, made.commit ?? broken)];
  expect(differences(were, are)).toEqual([]);
  reached.count('rolled back');
  const missing = await listed(mirror, broken);
  if ([...were.keys()].some((path) => !missing.has(path))) reached.count('brought back');
}

test(
  'a promotion of any tree by any template changes what the template means in its folder, and a rollback gives it back',
  async () => {
    const mirror = await open();
    const reached = new Reached();
    const tape = fc.array(fc.nat(), { minLength: 150, maxLength: 400, size: 'max' });
    await fc.assert(
      fc.asyncProperty(tape, async (numbers) => {
        reached.count('cases');
        await play(mirror, new Dice(numbers), reached);
      }),
      { numRuns, seed, endOnFailure: numRuns > 100, includeErrorInReport: true },
    );
    await mirror.close();
    console.info(reached.toString());
    for (const what of MUST) expect(reached.get(what), what).toBeGreaterThan(0);
  },
  120_000 + numRuns * 1_000,
);
