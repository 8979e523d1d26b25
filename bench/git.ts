import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { GitDriverSpec } from '../src/core/definitions.ts';
import type { PinnedContent } from '../src/drivers/driver.ts';
import { createGitDriver } from '../src/drivers/git/driver.ts';
import { NetworkGuard } from '../src/drivers/network/guard.ts';
import { foreign } from '../src/foreign/index.ts';
import type { Figure } from './figure.ts';
import { median, rounded } from './stats.ts';

/** Promotions that are ready at one time, and how many there are in a round. */
interface Shape {
  name: string;
  repositories: number;
  /** In each of them. */
  lanes: number;
  /** Of each lane. */
  promotions: number;
  /** In each repository, besides those of the lanes. */
  files: number;
}

const SHAPES: Shape[] = [
  { name: 'one repository', repositories: 1, lanes: 100, promotions: 4, files: 0 },
  { name: 'one repository, one at a time', repositories: 1, lanes: 1, promotions: 60, files: 0 },
  { name: '50 repositories', repositories: 50, lanes: 1, promotions: 6, files: 0 },
  { name: 'one repository with 20,000 files', repositories: 1, lanes: 100, promotions: 4, files: 20_000 },
];

/**
 * Promotions of two values per second into bare repositories on this disk, by the git driver and by bare git: that makes the same commit of
 * a file that is put together already (`git fast-import`) and pushes it (`git push`), and looks at nothing. Into one repository bare git
 * pushes one commit after the other, as only one of two can win.
 */
export async function measureGit(rounds: number, signal: AbortSignal): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of SHAPES) {
    const [own, floor]: [Measure[], Measure[]] = [[], []];
    for (let round = 0; round < rounds && !signal.aborted; round += 1) {
      floor.push(await inFolder((folder) => measureFloor(folder, shape)));
      own.push(await inFolder((folder) => measureDriver(folder, shape)));
    }
    const add = (unit: string, reading: (measure: Measure) => number): void => {
      const [value, bare] = [median(own.map(reading)), median(floor.map(reading))];
      const compared = { value: rounded(value), floor: rounded(bare), ratio: rounded(value / bare) };
      console.error(`git, ${shape.name}: ${compared.value} ${unit}, bare git ${compared.floor}`);
      figures.push({ name: `git, ${shape.name}`, backend: null, unit, ...compared });
    };
    if (own.length === 0) continue;
    add('promotions/s', ({ perSecond }) => perSecond);
    add('git processes per promotion', ({ processes }) => processes);
  }
  await foreign.close();
  return figures;
}

interface Measure {
  perSecond: number;
  /** Begun by this process; git begins more by itself. */
  processes: number;
}

async function inFolder(work: (folder: string) => Promise<Measure>): Promise<Measure> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-git-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All lanes at once, each with one promotion after the other. */
async function timed(shape: Shape, one: (repository: number, lane: number, turn: number) => Promise<void>) {
  let processes = 0;
  const count = (): void => void (processes += 1);
  const lane = async (repository: number, number: number): Promise<void> => {
    for (let turn = 0; turn < shape.promotions; turn += 1) await one(repository, number, turn);
  };
  subscribe('child_process', count);
  const began = performance.now();
  await Promise.all(
    indexes(shape.repositories).flatMap((repository) => indexes(shape.lanes).map((each) => lane(repository, each))),
  );
  const seconds = (performance.now() - began) / 1_000;
  unsubscribe('child_process', count);
  const all = shape.repositories * shape.lanes * shape.promotions;
  return { perSecond: all / seconds, processes: processes / all };
}

async function measureDriver(folder: string, shape: Shape): Promise<Measure> {
  const driver = createGitDriver({
    cacheDir: join(folder, 'cache'),
    authorName: 'Sluice',
    authorEmail: 'sluice@example.com',
    signingKeys: async () => ['the key of the bench'],
    guard: new NetworkGuard([]),
    protocols: ['file'],
  });
  const never = new AbortController().signal;
  const began = Date.now();
  const targets = indexes(shape.repositories).map((each) => bareAt(folder, each));
  const at = (repository: number, path: string): GitDriverSpec => ({
    type: 'git',
    repoURL: pathToFileURL(targets[repository]!).href,
    branch: 'main',
    path,
  });
  const template = { promotion: { 'values.yaml': { jsonPaths: ['$.image.tag', '$.replicas'] } } };
  const contents: PinnedContent[] = [];
  for (const [index, each] of targets.entries()) {
    await make(each, shape, 1);
    if (index === 0) contents.push(await driver.pin(at(0, 'dev'), template, {}, never));
    if (index === 0) await git(each, ['fast-import', '--quiet'], commitOf('dev', valuesOf(2), await headOf(each)));
    if (index === 0) contents.push(await driver.pin(at(0, 'dev'), template, {}, never));
    // Local copies are there, as they are after the first promotion.
    else await driver.revision(at(index, 'dev'), {}, never);
  }
  const live = { contents: async () => contents, otherwise: 'TELL' as const };
  const measured = await timed(shape, async (repository, lane, turn) => {
    const { changed } = await driver.apply(at(repository, `lane-${lane}`), contents[(turn + 1) % 2]!, {
      key: `${repository}.${lane}.${turn}`,
      releaseId: `release-${repository}-${turn}`,
      product: 'billing',
      environment: `lane-${lane}`,
      application: `billing-${lane}`,
      attempt: 1,
      tries: 0,
      signal: new AbortController().signal,
      since: began,
      stillMine: async () => true,
      live,
    });
    if (!changed) throw new Error(`promotion ${turn} of lane ${lane} changed nothing`);
  });
  await driver.close();
  return measured;
}

async function measureFloor(folder: string, shape: Shape): Promise<Measure> {
  const copies: string[] = [];
  for (const index of indexes(shape.repositories)) {
    await make(bareAt(folder, index), shape, 1);
    copies.push(join(folder, `copy-${index}.git`));
    await git(folder, ['clone', '--quiet', '--bare', bareAt(folder, index), copies[index]!]);
  }
  const turns = copies.map(() => Promise.resolve());
  return timed(shape, (repository, lane, turn) => {
    const dir = copies[repository]!;
    const before = turns[repository]!;
    const own = before.then(async () => {
      const stream = commitOf(`lane-${lane}`, valuesOf(2 - (turn % 2)), 'refs/heads/main^0');
      await git(dir, ['fast-import', '--quiet'], stream);
      await git(dir, ['push', '--quiet', bareAt(folder, repository), 'main']);
    });
    turns[repository] = own;
    return own;
  });
}

const indexes = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const bareAt = (folder: string, index: number): string => join(folder, `bare-${index}.git`);
const headOf = async (dir: string): Promise<string> => (await git(dir, ['rev-parse', 'main'])).trim();

const valuesOf = (version: number): string =>
  `# Values of billing\nimage:\n  repository: registry.test/billing\n  tag: "${version}.0.0"\nreplicas: ${version}\n`;

/** A stream for `git fast-import`: one file of a folder. */
function commitOf(folder: string, text: string, from: string): string {
  const message = `Promote billing to ${folder}\n`;
  return (
    `commit refs/heads/main\ncommitter Sluice <sluice@example.com> ${Math.floor(Date.now() / 1000)} +0000\n` +
    `data ${message.length}\n${message}\nfrom ${from}\nM 100644 inline ${folder}/values.yaml\ndata ${text.length}\n${text}\n`
  );
}

/** A bare repository with a file for each lane, one to promote from, and as many others as the shape says. */
async function make(dir: string, { lanes, files }: Shape, version: number): Promise<void> {
  await git('/', ['init', '--quiet', '--bare', '--initial-branch=main', dir]);
  const paths = ['dev', ...indexes(lanes).map((each) => `lane-${each}`)].map((each): [string, string] => [
    `${each}/values.yaml`,
    valuesOf(version),
  ]);
  const others = indexes(files).map((each): [string, string] => [
    `team-${each % 200}/file-${each}.yaml`,
    `n: ${each}\n`,
  ]);
  const written = [...paths, ...others].map(
    ([path, text]) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`,
  );
  const head = 'commit refs/heads/main\ncommitter Ada <ada@example.com> 1750000000 +0000\ndata 5\nFirst\n';
  await git(dir, ['fast-import', '--quiet'], `${head}${written.join('')}\n`);
}

/** Answers what it said. @throws when it fails */
async function git(dir: string, args: string[], input = ''): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_COUNT: '1',
  };
  const quiet = { GIT_CONFIG_KEY_0: 'gc.auto', GIT_CONFIG_VALUE_0: '0' };
  const child = spawn('git', args, { cwd: dir, env: { ...env, ...quiet }, stdio: 'pipe' });
  let [said, wrong] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (wrong += chunk.toString()));
  // A git that needs no input closes it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`git ${args[0]} failed: ${wrong}`);
  return said;
}
