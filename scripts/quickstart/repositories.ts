import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { git, inWorkFolder } from './git.ts';

/** The sample's git repositories: real ones, bare, as a git host holds them. */

const FOLDERS = {
  'billing-nonprod.git': ['dev', 'staging'],
  'billing-prod.git': ['us-east', 'eu', 'asia', 'asia-2'],
};
type Repository = keyof typeof FOLDERS;

const FIRST = '1.0.0';

/** Makes the repositories, where they are not there from the last time. @returns the folder that holds them */
export async function prepareRepositories(dataDir: string): Promise<string> {
  const root = join(dataDir, 'repos');
  await mkdir(root, { recursive: true });
  for (const name of Object.keys(FOLDERS) as Repository[]) {
    if (!existsSync(join(root, name))) await createRepository(root, name);
  }
  return root;
}

/** As a file URL, what replaces ${REPO_BASE} in examples/billing. */
export const baseOf = (root: string): string => pathToFileURL(root).href.replace(/\/$/, '');

/** Where dev's branch stands. */
export async function headOfDev(dataDir: string): Promise<string> {
  return (await git(join(dataDir, 'repos', 'billing-nonprod.git'), 'rev-parse', 'main')).trim();
}

export interface Pushed {
  version: string;
  commit: string;
  subject: string;
}

/**
 * What a developer does: a commit in dev's folder, pushed to its repository.
 * @param remote the address of the repository, with the login of whoever pushes; the folder itself when absent
 */
export async function pushNextVersion(dataDir: string, remote?: string): Promise<Pushed> {
  const root = join(dataDir, 'repos');
  const live = (await versionIn(root, 'dev')) ?? FIRST;
  const version = nextMinor(live);
  const subject = `Billing ${version}: invoices by e-mail`;
  const commit = await inWorkFolder(root, async (work) => {
    const tree = join(work, 'tree');
    await git(work, 'clone', '--quiet', remote ?? join(root, 'billing-nonprod.git'), tree);
    for (const [file, pattern] of [
      ['Chart.yaml', /^(appVersion: )\S+/m],
      ['values.yaml', /^( {2}tag: )\S+/m],
    ] as const) {
      const path = join(tree, 'dev', file);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(pattern, `$1"${version}"`));
    }
    await commitAll(tree, subject);
    await git(tree, 'push', '--quiet', 'origin', 'main');
    return (await git(tree, 'rev-parse', 'HEAD')).trim();
  });
  return { version, commit, subject };
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
      // The commits of the branch itself, as Sluice tells of them: what a merge brought counts as the merge.
      const commit = await git(repository, 'log', '-1', '--first-parent', '--format=%H', 'main', '--', environment);
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
    await commitAll(tree, `Billing ${FIRST}`);
    await git(tree, 'push', '--quiet', bare, 'main');
    // Renamed when it is whole: an interrupted quickstart leaves no half repository behind.
    await rename(bare, join(root, name));
  });
}

async function commitAll(tree: string, message: string): Promise<void> {
  await git(tree, 'add', '--all');
  await git(tree, 'commit', '--quiet', '--message', message);
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
