import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onOneBackend } from '../support/backends.ts';
import { ENVIRONMENTS, openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd, encoding: 'utf8' });

const values = (environment: string, tag: string): string =>
  `# ${environment}, by hand\nimage:\n  repository: registry.example.com/billing\n  tag: ${tag} # promoted\nreplicas: ${environment.length}\n`;

onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  let root: string;
  let bare: string;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sluice-billing-'));
    bare = join(root, 'billing.git');
    const work = join(root, 'work');
    git(root, 'init', '-q', '--bare', '-b', 'main', bare);
    git(root, 'clone', '-q', bare, work);
    for (const environment of ENVIRONMENTS) {
      mkdirSync(join(work, environment));
      writeFileSync(
        join(work, environment, 'values.yaml'),
        values(environment, environment === 'dev' ? '1.1.0' : '1.0.0'),
      );
    }
    git(work, 'add', '.');
    git(work, 'commit', '-qm', 'by hand');
    git(work, 'push', '-q', 'origin', 'HEAD:main');
    engine = await openTestEngine(backend, { SLUICE_DATA_DIR: join(root, 'data') });
    await engine.startWorker();
    await engine.saveBilling('billing', {
      driver: (environment) => ({ type: 'git', repoURL: `file://${bare}`, branch: 'main', path: environment }),
    });
    await engine.save('Product', 'billing', {
      promotionFlows: [],
      concurrency: 'QUEUE',
      queueLimit: 50,
      promotionTemplate: {
        versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
        promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
      },
    });
  });
  afterAll(async () => {
    await engine.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('a release commits the promoted values and nothing else, once per environment', async () => {
    const id = await engine.trigger({ product: 'billing' });
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    for (const environment of ENVIRONMENTS) {
      expect(git(bare, 'show', `main:${environment}/values.yaml`)).toBe(values(environment, '1.1.0'));
    }
    const changed = git(bare, 'log', '--format=', '--name-only', '--reverse', 'main~5..main').trim().split(/\n+/);
    expect(changed.slice(0, 1)).toEqual(['staging/values.yaml']);
    expect(changed.slice(1, 4).sort()).toEqual(['asia/values.yaml', 'eu/values.yaml', 'us-east/values.yaml']);
    expect(changed.slice(4)).toEqual(['asia-2/values.yaml']);
    const trailers = git(bare, 'log', '--format=%(trailers:key=Sluice-Release,valueonly)', 'main~5..main')
      .trim()
      .split(/\n+/);
    expect(trailers).toEqual(Array<string>(5).fill(id));
    const events = await engine.events(id);
    const commits = events.flatMap((each) => (each.type === 'ActionCommitted' ? [each.commit] : []));
    expect(commits.sort()).toEqual(git(bare, 'log', '--format=%H', 'main~5..main').trim().split('\n').sort());
    const { rows } = await engine.app.pool.query<{ commit_id: string }>(
      `SELECT commit_id FROM deployment WHERE release_id = $1 AND environment <> 'dev'`,
      [id],
    );
    expect(rows.map((row) => row.commit_id).sort()).toEqual(commits);
  });

  test('a version that is there already is promoted without an empty commit', async () => {
    const head = git(bare, 'rev-parse', 'main');
    const id = await engine.trigger({ product: 'billing' });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(git(bare, 'rev-parse', 'main')).toBe(head);
  });
});
