import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { terminateRelease } from '../../src/commands/control-release.ts';
import { holdEnvironment, releaseEnvironment } from '../../src/commands/hold-environment.ts';
import { followReleases } from '../../src/commands/tell-commit.ts';
import { holdingNothing, inTransaction } from '../../src/connections.ts';
import { createDrivers } from '../../src/drivers/index.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import type { WantedStatus } from '../../src/drivers/forge/forge.ts';
import { StatusSender } from '../../src/jobs/status-sender.ts';
import { endStatuses, retryRefused, statusesOf, wantStatuses } from '../../src/store/commit-statuses.ts';
import type { WantedCommitStatus } from '../../src/store/commit-statuses.ts';
import { ENVIRONMENTS, openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { FakeForge } from '../support/fake-forge.ts';
import { PATIENCE } from '../support/patience.ts';

/** Senders are stepped by hand: no worker runs, and no round comes by itself. */

const REPOSITORY = 'https://git.example.com/acme/live.git';
let engine: TestEngine;
let forge: SlowForge;
let sender: StatusSender;

/** A host whose calls can be held up. */
class SlowForge extends FakeForge {
  held: (() => void)[] = [];
  holds = false;

  override async setStatus(...args: Parameters<FakeForge['setStatus']>): Promise<void> {
    if (this.holds) await new Promise<void>((resolve) => this.held.push(resolve));
    await super.setStatus(...args);
  }

  letGo(): void {
    this.holds = false;
    for (const each of this.held.splice(0)) each();
  }

  get sent(): string[] {
    return this.statuses.map(({ context, state }) => `${context} ${state}`);
  }
}

const withForge: typeof createDrivers = (settings, secrets) => ({
  ...createDrivers(settings, secrets),
  forge: () => Promise.resolve(forge),
});

beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: 't' }, {}, { createDrivers: withForge });
});
afterAll(async () => {
  await engine.close();
});
afterEach(async () => {
  forge.letGo();
  await sender.settled();
  await engine.app.pool.query('DELETE FROM commit_status');
});

function fresh(): void {
  forge = new SlowForge();
  sender = new StatusSender(engine.app);
}

const wanted = (more: Partial<WantedCommitStatus> = {}): WantedCommitStatus => ({
  repository: REPOSITORY,
  sha: 'a'.repeat(40),
  context: 'sluice/billing/eu',
  about: 'MERGE',
  releaseId: RELEASE,
  position: 1,
  state: 'SUCCESS',
  description: 'all gates of eu hold',
  url: 'http://sluice/releases/1',
  version: 1,
  ...more,
});
const RELEASE = randomUUID();
const want = (more: Partial<WantedCommitStatus> = {}): Promise<void> => wantStatuses(engine.app.pool, [wanted(more)]);
const red = (description = 'on hold'): Partial<WantedCommitStatus> => ({ state: 'PENDING', description, version: 2 });

async function round(): Promise<void> {
  await sender.round();
  if (!forge.holds) await sender.settled();
}

const shown = async () => (await statusesOf(engine.app.pool, [RELEASE])).get(RELEASE)![0]!;

describe('a commit status', () => {
  test('is sent once, and the same again changes nothing', async () => {
    fresh();
    await want();
    await round();
    await want();
    await round();
    expect(forge.sent).toEqual(['sluice/billing/eu SUCCESS']);
    expect(forge.statuses[0]).toMatchObject({ url: 'http://sluice/releases/1', description: 'all gates of eu hold' });
    expect(await shown()).toMatchObject({ appliedState: 'SUCCESS', dueAt: null, lastError: null });
  });

  test('what is wanted last is what is there at the end: green and red never cross', async () => {
    fresh();
    forge.holds = true;
    await want();
    await round();
    await want(red());
    // Another sender does not begin while the call is under way.
    const other = new StatusSender(engine.app);
    await other.round();
    await round();
    expect(forge.held).toHaveLength(1);
    forge.letGo();
    await sender.settled();
    expect(forge.sent).toEqual(['sluice/billing/eu SUCCESS', 'sluice/billing/eu PENDING']);
  });

  test('an older level does not come back', async () => {
    fresh();
    await want(red());
    await want({ version: 1 });
    await round();
    expect(forge.sent).toEqual(['sluice/billing/eu PENDING']);
  });

  test('that could not be set says why, and waits as long as the host says; a newer one does not', async () => {
    fresh();
    forge.faults.set('setStatus', new TransientError('the host has enough', { retryAfter: 60_000 }));
    await want();
    await round();
    expect(await shown()).toMatchObject({ attempts: 1, lastError: 'the host has enough', appliedState: null });
    await round();
    expect(forge.sent).toEqual([]);
    await want(red());
    await round();
    expect(forge.sent).toEqual(['sluice/billing/eu PENDING']);
    expect(await shown()).toMatchObject({ attempts: 0, lastError: null });
  });

  test.each([
    ['green', {}],
    ['red', red()],
  ])(
    '%s that its host refuses for good is given up after half an hour, says so, and is sent again by a new secret',
    async (_, level) => {
      fresh();
      const refused = new PermanentError('GitHub did not set the status (404): it is not there');
      const refusedAgain = async (): Promise<void> => {
        forge.faults.set('setStatus', refused);
        await engine.app.pool.query('UPDATE commit_status SET due_at = now() WHERE due_at IS NOT NULL');
        await round();
      };
      await want(level);
      await refusedAgain();
      expect(await shown()).toMatchObject({ attempts: 1, givenUp: false, dueAt: expect.any(Date) });
      await engine.app.pool.query(`UPDATE commit_status SET refused_since = now() - interval '31 minutes'`);
      // What passes is no refusal: the half hour begins anew.
      forge.faults.set('setStatus', new TransientError('502'));
      await engine.app.pool.query('UPDATE commit_status SET due_at = now()');
      await round();
      await refusedAgain();
      expect(await shown()).toMatchObject({ givenUp: false, dueAt: expect.any(Date) });
      await engine.app.pool.query(`UPDATE commit_status SET refused_since = now() - interval '31 minutes'`);
      await refusedAgain();
      expect(await shown()).toMatchObject({ givenUp: true, dueAt: null, lastError: refused.message });
      forge.faults.clear();
      await round();
      expect(forge.sent).toEqual([]);
      await retryRefused(engine.app.pool);
      await round();
      expect(forge.sent).toHaveLength(1);
      expect(await shown()).toMatchObject({ givenUp: false, dueAt: null, lastError: null });
    },
  );

  test('one that was given up is sent when it is to say something else, and not after the merge', async () => {
    fresh();
    await want();
    await engine.app.pool.query(`UPDATE commit_status SET due_at = NULL, refused_since = now(), last_error = '404'`);
    await want(red());
    await round();
    expect(forge.sent).toEqual(['sluice/billing/eu PENDING']);
    await engine.app.pool.query(`UPDATE commit_status SET due_at = NULL, refused_since = now(), last_error = '404'`);
    await endStatuses(engine.app.pool, { releaseId: RELEASE, position: 1 }, ['a'.repeat(40)]);
    await retryRefused(engine.app.pool);
    await round();
    expect(forge.sent).toHaveLength(1);
    expect((await shown()).givenUp).toBe(false);
  });

  test('trap 33: one that is set already is done, and not tried again', async () => {
    fresh();
    await want(red());
    await round();
    await engine.app.pool.query('UPDATE commit_status SET due_at = now()');
    await round();
    // The process died before it could record the call: the same status is set again.
    expect(forge.sent).toEqual(['sluice/billing/eu PENDING', 'sluice/billing/eu PENDING']);
    expect((await shown()).dueAt).toBeNull();
  });

  test('is not sent after the merge', async () => {
    fresh();
    await want();
    await endStatuses(engine.app.pool, { releaseId: RELEASE, position: 1 }, ['a'.repeat(40)]);
    await round();
    expect(forge.sent).toEqual([]);
  });

  test('one that is being written down holds up no other one', async () => {
    fresh();
    await want();
    await want({ context: 'sluice/billing/asia' });
    await inTransaction(engine.app.pool, 'BEGIN', async (client) => {
      await wantStatuses(client, [wanted(red())]);
      await holdingNothing(round);
      expect(forge.sent).toEqual(['sluice/billing/asia SUCCESS']);
    });
    await round();
    expect(forge.sent).toEqual(['sluice/billing/asia SUCCESS', 'sluice/billing/eu PENDING']);
  });

  test('red goes before green', async () => {
    fresh();
    const many = Array.from({ length: 40 }, (_, index) => wanted({ context: `c-${index}` }));
    await wantStatuses(engine.app.pool, many);
    await want({ ...red(), context: 'urgent' });
    const calls: boolean[] = [];
    forge.setStatus = async (_repository, _sha, status: WantedStatus, call) => {
      calls.push(call.urgent === true);
      expect(call.urgent).toBe(status.state !== 'SUCCESS');
    };
    await round();
    expect(calls[0]).toBe(true);
    expect(calls.length).toBeLessThanOrEqual(engine.app.limits.statuses);
  });
});

describe('on the commit of a release', () => {
  const about = { about: 'RELEASE' as const, position: null };

  test('there is one call each 10 s, whatever the products; a bad end does not wait', async () => {
    fresh();
    await want({ ...about, context: 'sluice/billing', state: 'PENDING', description: 'is on its way' });
    await want({ ...about, context: 'sluice/shop', state: 'PENDING', description: 'is on its way' });
    await round();
    await round();
    expect(forge.sent).toEqual(['sluice/billing PENDING']);
    await want({ ...about, context: 'sluice/billing', state: 'SUCCESS', description: 'arrived' });
    await round();
    expect(forge.sent).toHaveLength(1);
    await want({ ...about, context: 'sluice/shop', state: 'FAILURE', description: 'failed' });
    await round();
    expect(forge.sent).toEqual(['sluice/billing PENDING', 'sluice/shop FAILURE']);
    await engine.app.pool.query(`UPDATE commit_status SET called_at = now() - interval '11 seconds'`);
    await round();
    expect(forge.sent.at(-1)).toBe('sluice/billing SUCCESS');
  });
});

describe('the commit that a release brings', () => {
  let root: string;
  let commit: string;
  let released: TestEngine;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sluice-statuses-'));
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
        cwd: root,
        encoding: 'utf8',
      });
    git('init', '-q', '-b', 'main', 'live');
    for (const each of ENVIRONMENTS) {
      mkdirSync(join(root, 'live', each));
      writeFileSync(join(root, 'live', each, 'values.yaml'), `tag: ${each === 'dev' ? 2 : 1}\n`);
    }
    git('-C', 'live', 'add', '.');
    git('-C', 'live', 'commit', '-qm', 'by hand');
    git('-C', 'live', 'config', 'receive.denyCurrentBranch', 'ignore');
    commit = git('-C', 'live', 'rev-parse', 'HEAD').trim();
    fresh();
    const settings = {
      SLUICE_DATA_DIR: join(root, 'data'),
      SLUICE_PUBLIC_URL: 'https://sluice.example.com',
      SLUICE_GIT_PROTOCOLS: 'file',
    };
    released = await openTestEngine({ name: 'postgres', queuePrefix: 't' }, settings, { createDrivers: withForge });
    await released.saveBilling('billing', {
      driver: (environment) => ({ type: 'git', repoURL: `file://${root}/live`, branch: 'main', path: environment }),
    });
  });
  afterAll(async () => {
    await released.close();
    rmSync(root, { recursive: true, force: true });
  });

  const reached = async (id: string, state: string) => {
    for (const until = Date.now() + PATIENCE; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const found = (await statusesOf(released.app.pool, [id])).get(id)?.find((each) => each.state === state);
      if (found) return found;
      if (Date.now() > until)
        throw new Error(`not ${state}: ${JSON.stringify([...(await statusesOf(released.app.pool, [id]))])}`);
    }
  };

  test('says how it goes, with a link to it, and never fails it', async () => {
    await released.startWorker();
    forge.faults.set('setStatus', new PermanentError('no permission to set commit statuses'));
    const id = await released.trigger({ product: 'billing' });
    expect((await released.ended(id)).status).toBe('SUCCEEDED');
    const found = await reached(id, 'SUCCESS');
    expect(found).toMatchObject({
      context: 'sluice/billing',
      repository: `file://${root}/live`,
      sha: commit,
      description: expect.stringContaining('has arrived everywhere') as string,
      url: `https://sluice.example.com/releases/${id}`,
    });
    // The newer release of the same commit has the word.
    await released.app.pool.query(`UPDATE commit_status SET called_at = now() - interval '1 hour', due_at = now()`);
    const next = await released.trigger({ product: 'billing', commit });
    await released.ended(next);
    await reached(next, 'SUCCESS');
    expect((await statusesOf(released.app.pool, [id])).size).toBe(0);
  });

  /** A release that was terminated, and whose commit is told nothing more. */
  async function over(): Promise<string> {
    const { app } = released;
    await holdEnvironment(app, { environment: 'staging', reason: 'fair week' }, 'ada');
    const id = await released.trigger({ product: 'billing' });
    await released.reached(id, ({ promotions }) => promotions[1]?.status === 'WAITING');
    await terminateRelease(app, { releaseId: id, reason: 'not today' }, 'ada');
    await reached(id, 'FAILURE');
    const followed = `SELECT FROM commit_status WHERE release_id = $1 AND follows`;
    await expect.poll(async () => (await app.pool.query(followed, [id])).rowCount).toBe(0);
    await releaseEnvironment(app, { environment: 'staging' }, 'ada');
    return id;
  }

  const retry = (id: string) => released.app.releaseEngine.tell(id, { kind: 'retry', by: 'ada' });

  test('says how it goes on after a retry, also when the server that retried it died right after that', async () => {
    const id = await over();
    await retry(id);
    await reached(id, 'SUCCESS');
  });

  test('says nothing that was read before a retry and is written after it', async () => {
    const id = await over();
    const { app } = released;
    await app.pool.query('UPDATE commit_status SET follows = true WHERE release_id = $1', [id]);
    const query = async (text: string, values?: unknown[]): Promise<unknown> => {
      if (text.startsWith('INSERT INTO commit_status')) {
        await retry(id);
        await reached(id, 'PENDING');
      }
      return app.pool.query(text, values);
    };
    await followReleases({ ...app, pool: Object.assign(Object.create(app.pool), { query }) as typeof app.pool });
    await reached(id, 'SUCCESS');
  });
});
