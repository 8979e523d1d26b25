import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder, Repository } from '../drivers/repository.ts';
import { ENVIRONMENTS, openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

const folder = makeFolder();
let engine: TestEngine;
let repo: Repository;
const product = (template: object) =>
  engine.save('Product', 'billing', {
    promotionFlows: [],
    concurrency: 'QUEUE',
    queueLimit: 50,
    promotionTemplate: {
      promotion: { 'k.yaml': { jsonPaths: ['$.images[*].tag', '$.typo'] } },
      ...template,
    },
  });

beforeAll(async () => {
  const dev = 'images:\n  - {name: web, tag: v2}\n  - {name: api, tag: v2}\n';
  const other = 'images:\n  - {name: api, tag: v1}\n';
  const files = ENVIRONMENTS.map((name) => [`${name}/k.yaml`, name === 'dev' ? dev : other]);
  repo = new Repository(folder, 'billing', Object.fromEntries(files) as Record<string, string>);
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_DATA_DIR: folder.path('data') });
  await engine.startWorker();
  await engine.saveBilling('billing', {
    driver: (environment) => ({ type: 'git', repoURL: `file://${repo.url}`, branch: 'main', path: environment }),
  });
});
afterAll(async () => {
  await engine.close();
  folder.remove();
});

test('what the template says is frozen into the release, and what it finds and leaves out is told', async () => {
  await product({ onMissing: 'SKIP' });
  const id = await engine.trigger({ product: 'billing' });
  await product({});
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  expect(repo.read('eu/k.yaml')).toBe('images:\n  - {name: api, tag: v2}\n');
  const events = await engine.events(id);
  const warnings = ['file "dev/k.yaml" has nothing at $.typo: what stands there in the targets stays as it is'];
  expect(events[0]).toMatchObject({ type: 'ReleaseQueued', warnings });
  expect((await engine.app.releaseEngine.look(id, { fresh: true }))?.release.plan.warnings).toEqual(
    expect.arrayContaining(warnings),
  );
  const committed = events.filter((each) => each.type === 'ActionCommitted');
  expect(committed).toHaveLength(5);
  for (const each of committed) expect(each).toMatchObject({ skipped: [expect.stringMatching(/^k\.yaml: .*web/)] });
});

test('without a word of the template an entry that is not there is refused, by file and entry', async () => {
  await product({});
  const state = await engine.ended(await engine.trigger({ product: 'billing' }));
  expect(state.status).toBe('FAILED');
  expect(state.firstProblem?.message).toMatch(/staging\/k\.yaml.*web/);
});

test('whenAbsent: REFUSE makes no release', async () => {
  await product({ whenAbsent: 'REFUSE' });
  await expect(engine.trigger({ product: 'billing' })).rejects.toThrow('has nothing at $.typo');
});

test('a template that cannot work is refused when it is saved, with its place', async () => {
  await expect(product({ onMissing: 'MAYBE' })).rejects.toThrow(/"path":\["spec","promotionTemplate","onMissing"\]/);
  await expect(product({ promotion: { 'k.yaml': { jsonPaths: ['$.a['] } } })).rejects.toThrow(
    /"path":\["spec","promotionTemplate","promotion","k.yaml","jsonPaths",0\]/,
  );
  await expect(product({ promotion: { 'k.exe': { jsonPaths: ['$.a'] } } })).rejects.toThrow(
    /"path":\["spec","promotionTemplate","promotion","k.exe"\]/,
  );
});
