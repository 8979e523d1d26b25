import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT } from '../../src/cli/exit.ts';
import { readRelease } from '../../src/cli/operations.ts';
import type { ReleaseShown } from '../../src/cli/release-shown.ts';
import { DEVELOPER } from './pull-request.ts';
import { headOfDev, pushNextVersion } from './repositories.ts';
import type { Stage } from './stage.ts';

/** Longer than the interval in which a repository is looked at, and what a busy machine adds to it. Milliseconds. */
const LIMIT = 60_000;

/** A developer pushes a commit to dev's repository; the release of it starts by itself. @returns that release */
export async function pushAndFind(stage: Stage): Promise<ReleaseShown> {
  const { client, dataDir, host, signal, say } = stage;
  await untilWatched(stage);
  const login = `//${DEVELOPER.account}:${DEVELOPER.password}@`;
  const remote = host && `${host.url.replace('//', login)}/acme/billing-nonprod.git`;
  const { version, commit, subject } = await pushNextVersion(dataDir, remote);
  const pushedAt = Date.now();
  say(`A developer pushes ${commit.slice(0, 9)} to dev's repository: "${subject}".`);
  const seconds = (): string => ((Date.now() - pushedAt) / 1000).toFixed(1);
  let noticed = false;
  for (; Date.now() < pushedAt + LIMIT; await sleep(200, undefined, { signal })) {
    const newest = await readRelease(client, 'billing', signal).catch(() => null);
    if (newest?.version === version) {
      say(`${newest.shortId} has started by itself, ${seconds()} s after the push.\n`);
      return newest;
    }
    if (noticed || (await newestCandidate(stage).catch(() => null)) !== commit) continue;
    noticed = true;
    say(
      `Sluice noticed it, ${seconds()} s after the push. A release waits 2 s for further pushes that belong to it (\`coalesce\` of the product).`,
    );
  }
  throw new CliError(EXIT.TIMEOUT, `No release of ${version} started by itself within ${LIMIT / 1000} s`);
}

/** @returns its commit */
async function newestCandidate({ client, signal }: Stage): Promise<string | null> {
  const document =
    'query($filter: CandidateFilterInput) { candidates(first: 1, filter: $filter) { nodes { commit } } }';
  const asked = { filter: { product: 'billing' } };
  const { candidates } = await client.ask<{ candidates: { nodes: { commit: string | null }[] } }>(
    document,
    asked,
    signal,
  );
  return candidates.nodes[0]?.commit ?? null;
}

interface Trigger {
  applicationName: string;
  head: string | null;
  error: string | null;
}

/** The first look at a repository is where changes count from: what was there before is no change. */
async function untilWatched({ client, dataDir, signal }: Stage): Promise<void> {
  const head = await headOfDev(dataDir);
  const document = 'query($product: String!) { triggers(product: $product) { applicationName head error } }';
  let error: string | null = null;
  for (const until = Date.now() + LIMIT; Date.now() < until; await sleep(200, undefined, { signal })) {
    const { triggers } = await client.ask<{ triggers: Trigger[] }>(document, { product: 'billing' }, signal);
    const dev = triggers.find((each) => each.applicationName === 'billing-dev');
    if (dev?.head === head) return;
    error = dev?.error ?? null;
  }
  throw new CliError(
    EXIT.TIMEOUT,
    `Sluice has not looked at dev's repository within ${LIMIT / 1000} s: ${error ?? ''}`,
  );
}
