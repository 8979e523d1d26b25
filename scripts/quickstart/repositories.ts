import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** The sample's git repositories: real ones, bare, as a git host holds them. */

const FOLDERS = {
  'billing-nonprod.git': ['dev', 'staging'],
  'billing-prod.git': ['us-east', 'eu', 'asia', 'asia-2'],
};
type Repository = keyof typeof FOLDERS;

const FIRST = '1.0.0';
const SECOND = '1.1.0';

export interface SampleRepositories {
  /** Replaces ${REPO_BASE} in examples/billing. */
  base: string;
  /** What dev holds and the others do not have yet. */
  version: string;
}

/** Makes the repositories, or, when they are there from the last time, brings a newer version to dev. */
export async function prepareRepositories(dataDir: string): Promise<SampleRepositories> {
  const root = join(dataDir, 'repos');
  await mkdir(root, { recursive: true });
  for (const name of Object.keys(FOLDERS) as Repository[]) {
    if (!existsSync(join(root, name))) await createRepository(root, name);
  }
  const live = (await versionIn(root, 'dev')) ?? FIRST;
  const version = live === FIRST ? SECOND : nextMinor(live);
  await changeInDev(root, version);
  return { base: pathToFileURL(root).href.replace(/\/$/, ''), version };
}

/** Brings the next version to dev. @returns its name */
export async function prepareNextVersion(dataDir: string): Promise<string> {
  const root = join(dataDir, 'repos');
  const version = nextMinor((await versionIn(root, 'dev')) ?? FIRST);
  await changeInDev(root, version);
  return version;
}

/** Environment → the name that git gives to everything in its folder: the same name is the same files, byte for byte. */
export async function trees(dataDir: string): Promise<Record<string, string>> {
  const environments = Object.values(FOLDERS).flat();
  const found = environments.map(async (environment) => {
    const tree = await git(join(dataDir, 'repos', repositoryOf(environment)), 'rev-parse', `main:${environment}`);
    return [environment, tree.trim()] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

export interface LiveCommit {
  environment: string;
  version: string;
  commit: string;
}

/** What git itself says about each environment. */
export async function liveCommits(dataDir: string): Promise<LiveCommit[]> {
  const root = join(dataDir, 'repos');
  const environments = Object.values(FOLDERS).flat();
  return Promise.all(
    environments.map(async (environment) => {
      const repository = join(root, repositoryOf(environment));
      const commit = await git(repository, 'log', '-1', '--format=%H', 'main', '--', environment);
      return { environment, version: (await versionIn(root, environment)) ?? '?', commit: commit.trim() };
    }),
  );
}

const repositoryOf = (environment: string): Repository =>
  FOLDERS['billing-nonprod.git'].includes(environment) ? 'billing-nonprod.git' : 'billing-prod.git';

async function versionIn(root: string, environment: string): Promise<string | undefined> {
  const chart = await git(join(root, repositoryOf(environment)), 'show', `main:${environment}/Chart.yaml`);
  return /^appVersion: "?([^"\s]+)"?/m.exec(chart)?.[1];
}

function nextMinor(version: string): string {
  const [major, minor] = version.split('.').map(Number);
  return `${major}.${(minor ?? 0) + 1}.0`;
}

async function createRepository(root: string, name: Repository): Promise<void> {
  await inWorkFolder(root, async (work) => {
    const bare = join(work, 'bare.git');
    const tree = join(work, 'tree');
    await git(work, 'init', '--quiet', '--bare', '--initial-branch=main', bare);
    await git(work, 'init', '--quiet', '--initial-branch=main', tree);
    for (const environment of FOLDERS[name]) {
      await mkdir(join(tree, environment));
      await writeFile(join(tree, environment, 'Chart.yaml'), chartOf(environment));
      await writeFile(join(tree, environment, 'values.yaml'), valuesOf(environment));
    }
    await commit(tree, `Billing ${FIRST}`);
    await git(tree, 'push', '--quiet', bare, 'main');
    // Renamed when it is whole: an interrupted quickstart leaves no half repository behind.
    await rename(bare, join(root, name));
  });
}

async function changeInDev(root: string, version: string): Promise<void> {
  await inWorkFolder(root, async (work) => {
    const tree = join(work, 'tree');
    await git(work, 'clone', '--quiet', join(root, 'billing-nonprod.git'), tree);
    for (const [file, pattern] of [
      ['Chart.yaml', /^(appVersion: )\S+/m],
      ['values.yaml', /^( {2}tag: )\S+/m],
    ] as const) {
      const path = join(tree, 'dev', file);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(pattern, `$1"${version}"`));
    }
    await commit(tree, `Billing ${version}: invoices by e-mail`);
    await git(tree, 'push', '--quiet', 'origin', 'main');
  });
}

async function inWorkFolder(root: string, use: (folder: string) => Promise<void>): Promise<void> {
  const work = await mkdtemp(join(root, '.work-'));
  try {
    await use(work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function commit(tree: string, message: string): Promise<void> {
  await git(tree, 'add', '--all');
  await git(tree, 'commit', '--quiet', '--message', message);
}

const PERSON = { NAME: 'Ada Developer', EMAIL: 'ada@billing.example' };

/** Whatever this machine's git is set up to do (hooks, signing, another branch name), the sample is the same. */
async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: PERSON.NAME,
      GIT_AUTHOR_EMAIL: PERSON.EMAIL,
      GIT_COMMITTER_NAME: PERSON.NAME,
      GIT_COMMITTER_EMAIL: PERSON.EMAIL,
    },
  });
  return stdout;
}

const chartOf = (environment: string): string => `# The chart of Billing in ${environment}.
apiVersion: v2
name: billing
description: Invoices and payments
# The version of the chart, not of what it deploys.
version: 0.4.2
# Which Billing this is. Sluice promotes this line and leaves the others alone.
appVersion: "${FIRST}"
`;

const valuesOf = (environment: string): string => `# Values of ${environment}. Comments and order survive a promotion.
image:
  repository: registry.billing.example/billing
  tag: "${FIRST}"   # promoted

# Belongs to ${environment} alone, and is never promoted.
replicas: ${environment === 'dev' ? 1 : environment === 'staging' ? 2 : 4}
ingress:
  host: billing.${environment}.example
resources:
  requests: { cpu: 100m, memory: 128Mi }
`;
