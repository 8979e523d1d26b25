import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/cli/client.ts';
import { approveTarget, readRollback, reportRollout, showRollback } from '../../src/cli/commands/rollback.ts';
import { table } from '../../src/cli/output.ts';
import { watchRelease } from '../../src/cli/watch/watch.ts';
import { pushAndFind } from './push.ts';
import { liveCommits, trees } from './repositories.ts';
import type { Stage } from './stage.ts';

/**
 * A version that everybody likes until us-east does not: it goes back there, and in eu and asia where the same version is
 * live; asia-2 goes back when somebody agrees. git is the witness. @returns whether all of it was so
 */
export async function rollbackScenario(stage: Stage): Promise<boolean> {
  const { client, dataDir, signal, say } = stage;
  const good = await trees(dataDir);
  say('Now a version that will not do well in us-east.\n');
  const release = await pushAndFind(stage);
  const bad = release.version;
  if ((await watchRelease(client, release.id, { signal })) !== 0) return false;

  say(`\nBilling ${bad} is everywhere. The rollout in us-east fails under load, and a monitor reports it:`);
  const report = {
    product: 'billing',
    environment: 'us-east',
    version: bad,
    status: 'FAILED',
    message: 'pods crash under load',
  };
  const { rollback } = await reportRollout(client, report);
  if (!rollback) return false;
  say(`\n${showRollback(rollback, { format: 'table', width: process.stdout.columns })}\n`);
  const [code] = await Promise.all([
    watchRelease(client, rollback.uuid, { signal }),
    approveWhenProposed(client, rollback.uuid, signal),
  ]);
  if (signal.aborted) return false;
  return (await prove({ dataDir, say }, good)) && code === 0;
}

/** Somebody who looks at it for a moment, and agrees. */
async function approveWhenProposed(client: Client, rollbackId: string, signal: AbortSignal): Promise<void> {
  for (; !signal.aborted; await sleep(500)) {
    const rollback = await readRollback(client, rollbackId);
    if (!rollback || rollback.status === 'SUCCEEDED' || rollback.status === 'FAILED') return;
    const others = rollback.targets.filter((each) => each.decision === 'INCLUDED');
    const proposed = rollback.targets.find((each) => each.status === 'PROPOSED');
    if (!proposed || others.some((each) => each.status === 'ROLLING_BACK' || each.status === 'WAITING')) continue;
    await sleep(1_500);
    return approveTarget(client, rollbackId, proposed.environment);
  }
}

/** Where the bad version was taken back every file is what it was; dev and staging keep what they verified themselves. */
async function prove({ dataDir, say }: Pick<Stage, 'dataDir' | 'say'>, good: Record<string, string>): Promise<boolean> {
  const [now, live] = await Promise.all([trees(dataDir), liveCommits(dataDir)]);
  const taken = live.filter(({ environment }) => environment !== 'dev' && environment !== 'staging');
  const rows = taken.map((each) => ({ ...each, same: now[each.environment] === good[each.environment] }));
  say(
    `\n${table(rows, [
      ['ENVIRONMENT', ({ environment }) => environment],
      ['VERSION', ({ version }) => version],
      ['COMMIT', ({ commit }) => commit.slice(0, 12)],
      ['FILES', ({ same }) => (same ? 'byte for byte those of the last verified version' : 'DIFFERENT')],
    ])}\n`,
  );
  return rows.every(({ same }) => same);
}
