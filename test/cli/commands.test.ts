import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { openServed, type Served, sluice } from './served.ts';

let served: Served;
let folder: string;

beforeAll(async () => {
  // Slow enough to be caught at work, and fails where a test wants it to.
  served = await openServed({ driver: () => ({ type: 'simulate', duration: 100 }) });
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
});

afterAll(async () => {
  await served?.close();
  await rm(folder, { recursive: true, force: true });
});

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
const environment = (name: string): string =>
  `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata:\n  name: ${name}\nspec:\n  kind: PRODUCTION\n`;

describe('apply', () => {
  test('takes several files at once, and says what became of each definition', async () => {
    const files = [await file('a.yaml', environment('mars')), await file('b.yaml', environment('venus'))];
    const first = await served.sluice('apply', '-f', ...files);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(/Environment +mars +1 +created\n.*venus +1 +created/i);
    expect((await served.sluice('apply', '-f', ...files)).out).toMatch(/mars +1 +unchanged/);
  });

  test('a dry run shows the difference and changes nothing', async () => {
    const { code, out } = await served.sluice('apply', '--dry-run', '-f', await file('c.yaml', environment('pluto')));
    expect(code).toBe(0);
    expect(out).toMatch(/\+ {2}name: pluto/);
    expect(await served.sluice('get', 'environment', 'pluto')).toMatchObject({ code: 1 });
  });

  test('an error stands at its line and column of the file that it is in, and nothing is applied', async () => {
    const good = await file('good.yaml', environment('saturn'));
    const bad = await file(
      'bad.yaml',
      `# two lines\n# of comment\n${environment('neptune').replace('PRODUCTION', 'NOWHERE')}`,
    );
    const { code, out, err } = await served.sluice('apply', '-f', good, bad);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(new RegExp(`^${bad}:8:9: .*NOWHERE`));
    expect((await served.sluice('get', 'env', 'saturn')).code).toBe(1);
    const twice = await file('twice.yaml', environment('saturn'));
    expect((await served.sluice('apply', '-f', good, twice)).err).toContain(`twice, first in ${good}:4; remove one`);
  });

  test('a file that is applied alone, then with others, then as Windows has it, makes one revision', async () => {
    const spec = 'spec:\n  actions:\n    - { type: wait, name: w, parameters: { duration: 1s } }\n';
    const text = `---\n# As I write\napiVersion: sluice.dev/v1\nkind: PromotionWorkflow\nmetadata: { name: moon }\n${spec}`;
    const other = await file('other.yaml', environment('mars'));
    const alone = await file('moon.yaml', text);
    const windows = await file('windows.yaml', `\ufeff${text.replaceAll('\n', '\r\n')}`);
    for (const files of [[alone], [other, alone], [alone, other], [other, windows], [windows]]) {
      const { out, err } = await served.sluice('apply', '-f', ...files);
      expect([err, out]).toEqual(['', expect.stringMatching(/moon +1 /)]);
    }
    expect((await served.sluice('diff', '-f', other, windows)).code).toBe(0);
  });

  test('of a folder its own files are taken, and with --recursive those of its folders', async () => {
    const deep = join(folder, 'config', 'environments');
    await mkdir(deep, { recursive: true });
    await mkdir(join(folder, 'config', '.git'));
    for (const name of ['config/ceres', 'config/environments/vesta', 'config/.git/eris'])
      await file(`${name}.yaml`, environment(name.split('/').at(-1)!));
    const shallow = await served.sluice('apply', '-f', join(folder, 'config'), '--dry-run', '-o', 'name');
    expect(shallow.out.trim()).toBe('Environment/ceres');
    const all = await served.sluice('apply', '-R', '-f', join(folder, 'config'), '--dry-run', '-o', 'name');
    expect(all.out.trim().split('\n')).toEqual(['Environment/ceres', 'Environment/vesta']);
  });

  test('a file that is not there is named', async () => {
    const answer = await served.sluice('apply', '-f', join(folder, 'none.yaml'));
    expect(answer).toEqual({ code: 2, out: '', err: `There is no file or folder ${join(folder, 'none.yaml')}\n` });
  });

  test('what is accepted and will not work is a warning beside the answer', async () => {
    const group = `apiVersion: sluice.dev/v1\nkind: EnvironmentGroup\nmetadata: { name: typo }\nspec: { environments: { names: [us-est] }, gate: { policy: ALL } }\n`;
    const { code, out, err } = await served.sluice('apply', '-f', await file('typo.yaml', group));
    expect({ code, err }).toEqual({
      code: 0,
      err: 'Warning: EnvironmentGroup "typo" names "us-est", and there is no such Environment; did you mean "us-east"?\n',
    });
    expect(out).toMatch(/typo +1 +created/);
  });

  test('one fault is told once, and not by all that name the faulty definition', async () => {
    const flow = `apiVersion: sluice.dev/v1\nkind: PromotionFlow\nmetadata: { name: broken }\nspec: { triggerEnvironment: dev, steps: [{ environment: nowhere, dependsOn: [dev] }] }\n`;
    const product = `---\napiVersion: sluice.dev/v1\nkind: Product\nmetadata: { name: shop }\nspec: { promotionFlows: [{ name: broken }] }\n`;
    const application = `---\napiVersion: sluice.dev/v1\nkind: Application\nmetadata: { name: shop-dev }\nspec: { product: shop, environment: dev, driver: { type: simulate }, health: { type: none } }\n`;
    const { code, err } = await served.sluice('apply', '-f', await file('fault.yaml', flow + product + application));
    expect(code).toBe(1);
    expect(err.trim().split('\n')).toEqual([expect.stringContaining('nowhere')]);
  });

  test('what has the labels and is in no file any more is deleted with the rest, as diff says before', async () => {
    const labelled = (name: string): string => environment(name).replace('spec', '  labels: { app: planets }\nspec');
    const group = `---\napiVersion: sluice.dev/v1\nkind: EnvironmentGroup\nmetadata: { name: inner, labels: { app: planets } }\nspec: { environments: { names: [io, europa] }, gate: { policy: ALL } }\n`;
    await served.sluice('apply', '-f', await file('p.yaml', `${labelled('io')}---\n${labelled('europa')}${group}`));
    const less = ['-f', await file('less.yaml', labelled('io')), '--prune', 'app=planets'];
    const diff = await served.sluice('diff', ...less);
    expect(diff).toMatchObject({ code: 7, err: '' });
    expect(diff.out).toMatch(
      /--- EnvironmentGroup\/inner\tcurrent\n\+\+\+ \/dev\/null[^]*--- Environment\/europa\tcurrent/,
    );
    const { code, out } = await served.sluice('apply', ...less);
    expect(code).toBe(0);
    expect(out).toMatch(/io +1 +unchanged[^]*inner +2 +deleted[^]*europa +2 +deleted/);
    expect(await served.sluice('diff', ...less)).toEqual({ code: 0, out: '', err: '' });
    const unlabelled = ['-f', await file('other.yaml', environment('ganymede')), '--prune', 'app=moons'];
    expect((await served.sluice('apply', ...unlabelled)).err).toMatch(/"ganymede" lacks the label app=moons/);
  });

  test('what others still name is not pruned, nothing is then; no manifests prune nothing', async () => {
    const labelled = `${environment('titan').replace('spec', '  labels: { app: saturn }\nspec')}---\n${environment('rhea').replace('spec', '  labels: { app: saturn }\nspec')}`;
    const application = `apiVersion: sluice.dev/v1\nkind: Application\nmetadata: { name: billing-titan }\nspec: { product: billing, environment: titan, driver: { type: simulate }, health: { type: none } }\n`;
    await served.sluice('apply', '-f', await file('s.yaml', `${labelled}---\n${application}`));
    const rest = ['--prune', 'app=saturn', '-f', await file('rest.yaml', environment('dione'))];
    const { code, err } = await served.sluice('apply', ...rest);
    expect(code).toBe(1);
    expect(err).toMatch(/is to be deleted, but Environment "titan" is used by Application "billing-titan"/);
    expect((await served.sluice('get', 'environment', 'rhea')).code).toBe(0);
    expect((await served.sluice('get', 'environment', 'dione')).code).toBe(1);
    const nothing = await served.sluice('apply', '-f', await file('none.yaml', '# nothing\n'), '--prune', 'app=saturn');
    expect(nothing).toMatchObject({ code: 1, err: expect.stringMatching(/there are no manifests/) });
    await served.sluice('delete', 'application', 'billing-titan');
  });
});

test('an export is what apply takes, in one stream or a file for each, and changes nothing', async () => {
  const { code, out } = await served.sluice('export');
  expect(code).toBe(0);
  const again = await served.sluice('apply', '-f', await file('all.yaml', out));
  expect(again.code).toBe(0);
  expect(again.out).not.toMatch(/created|updated/);
  const to = join(folder, 'exported');
  expect((await served.sluice('export', '--to', to)).out).toMatch(/^Wrote \d+ manifests/);
  expect(await served.sluice('diff', '-f', to)).toMatchObject({ code: 0, out: '' });
});

test('a freeze keeps promotions out everywhere until it is lifted', async () => {
  expect((await served.sluice('unfreeze')).err).toMatch(/Nothing is frozen/);
  // Half a minute ago: the window of a freeze begins before it, so the server would take it.
  const over = new Date(Date.now() - 30_000).toISOString();
  expect(await served.sluice('freeze', '--until', over, '--reason', 'too late')).toMatchObject({
    code: 2,
    err: expect.stringContaining(`--until is ${over}, which is over: name a later time`),
  });
  const { code, out } = await served.sluice('freeze', '--until', '4h', '--reason', 'end of the year');
  expect(code).toBe(0);
  const [, name = ''] = /sluice unfreeze (freeze-\d+)/.exec(out) ?? [];
  await served.sluice('release', 'billing', '--version', '8.8.8');
  const waits = await served.sluice('get', 'release', 'billing');
  expect(waits.out).toMatch(new RegExp(`window ${name}|"${name}"`));
  // Whoever waits reads why, and status says it at a glance.
  expect(waits.out).toContain(': end of the year (sluice windows override');
  expect((await served.sluice('status')).out).toMatch(/^Frozen until \S+Z: everywhere: end of the year$/m);
  expect(await served.sluice('unfreeze', 'freeze-1')).toMatchObject({ code: 1 });
  expect((await served.sluice('unfreeze')).out).toBe(`Lifted ${name}\n`);
  expect((await served.sluice('get', 'windows', '-o', 'name')).out).not.toContain(name);
  await served.sluice('terminate', 'billing', '--wait');
});

describe('get', () => {
  test.each([
    'products',
    'applications',
    'environments',
    'groups',
    'flows',
    'workflows',
    'templates',
    'windows',
    'releases',
    'deployments',
    'approvals',
    'holds',
    'bad-versions',
    'rollbacks',
    'secrets',
    'tokens',
    'grants',
    'webhooks',
    'audit',
  ])('shows %s as a table, JSON, YAML and names', async (kind) => {
    for (const format of ['table', 'json', 'yaml', 'name']) {
      expect(await served.sluice('get', kind, '-o', format)).toMatchObject({ code: 0, err: '' });
    }
  });

  test('of a product that is not there says so, and not that nothing is live', async () => {
    const { code, err } = await served.sluice('get', 'deployments', '--product', 'nope');
    expect({ code, err }).toEqual({ code: 1, err: "There is no product 'nope'. See: sluice get products\n" });
  });

  test('YAML is the manifest, which apply takes as it is', async () => {
    const { out } = await served.sluice('get', 'flow', 'to-production', '-o', 'yaml');
    expect((await served.sluice('apply', '-f', await file('flow.yaml', out))).out).toMatch(
      /to-production +1 +unchanged/,
    );
  });

  test('of a window says its times in a line', async () => {
    const spec = (times: string): string =>
      `apiVersion: sluice.dev/v1\nkind: ReleaseWindow\nmetadata: { name: NAME }\nspec: { kind: DENY, timeZone: UTC, ${times}, selector: { environments: { names: [none] } } }\n`;
    const forms = [
      'cron: "0 22 * * *", duration: 8h',
      'rrule: FREQ=DAILY, start: "2026-01-05T22:00", end: "06:00"',
      'from: "2026-12-24T18:00", to: "2026-12-27T06:00"',
    ];
    const text = forms.map((form, index) => spec(form).replace('NAME', `w-${index}`)).join('---\n');
    expect(await served.sluice('apply', '-f', await file('windows.yaml', text))).toMatchObject({ code: 0 });
    const { out } = await served.sluice('get', 'windows');
    expect(out).toMatch(/NAME +KIND +TIMES +TIME ZONE +HOLDS +REVISION +CHANGED/);
    expect(out).toMatch(/w-0 +DENY +0 22 \* \* \* for 8h +UTC +PROMOTE +1 /);
    expect(out).toMatch(/w-1 +DENY +FREQ=DAILY from 2026-01-05T22:00 to 06:00 +UTC/);
    expect(out).toMatch(/w-2 +DENY +2026-12-24T18:00 to 2026-12-27T06:00 +UTC/);
    expect((await served.sluice('get', 'release-window', 'w-2', '-o', 'yaml')).out).toContain('kind: ReleaseWindow');
  });

  test('a kind that does not exist is answered with those that do', async () => {
    const { code, err } = await served.sluice('get', 'gizmos');
    expect(code).toBe(2);
    expect(err).toContain('There are: products, applications');
  });
});

test('delete takes definitions by kind and name, and refuses what is in use', async () => {
  await served.sluice('apply', '-f', await file('gone.yaml', environment('gone')));
  expect(await served.sluice('delete', 'env', 'gone')).toMatchObject({ code: 0, out: 'Deleted environment gone\n' });
  expect((await served.sluice('get', 'env', 'gone')).code).toBe(1);
  const refused = await served.sluice('delete', 'environment', 'staging');
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toContain('staging');
});

test('status says who is asking, what is on its way, and what keeps releases out', async () => {
  const nothing = await served.sluice('status');
  expect(nothing).toMatchObject({ code: 0, err: '' });
  expect(nothing.out).toContain(`${served.url}, where callers need not say who they are\n`);
  expect(nothing.out).toContain('No release is on its way.');
  await served.sluice('hold', 'asia-2', '--reason', 'audit');
  const { out } = await served.sluice('status', 'billing');
  expect(out).toContain('On hold: asia-2, all products: audit');
  await served.sluice('unhold', 'asia-2');
  expect((await served.sluice('status', 'nope')).code).toBe(1);
});

describe('a release', () => {
  test('is triggered, waited for and reported: a line per event, exit code 0', async () => {
    const { code, out, err } = await served.sluice('release', 'billing', '--version', '1.0', '--wait');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/billing 1.0 is released through to-production\n/);
    expect(out).toMatch(/the release SUCCEEDED\n$/);
  });

  test('is named by product and number wherever a release is named', async () => {
    const { out } = await served.sluice('get', 'releases');
    const [shortId = ''] = /^billing#\d+/m.exec(out) ?? [];
    expect(shortId).not.toBe('');
    expect((await served.sluice('get', 'release', shortId)).out).toContain(`${shortId} `);
    expect((await served.sluice('watch', shortId)).code).toBe(0);
    expect((await served.sluice('terminate', shortId)).err).toContain('it has already ended: SUCCEEDED');
    expect((await served.sluice('approve', shortId, 'staging')).err).toBe('staging needs no approval\n');
    expect((await served.sluice('get', 'releases', '--status', 'failed')).out).toBe('No such releases.\n');
    expect((await served.sluice('get', 'release', 'billing#999999')).code).toBe(1);
  });

  test('the same idempotency key is the same release', async () => {
    const args = ['release', 'billing', '--version', '1.1', '--idempotency-key', 'k', '-o', 'name'];
    const first = await served.sluice(...args);
    expect(first.out).toMatch(/^release\//);
    expect(await served.sluice(...args)).toEqual(first);
    await served.sluice('watch', first.out.trim());
  });

  test('in JSON each event is a line, with gapless numbers', async () => {
    const { code, out } = await served.sluice('watch', 'billing', '--json');
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: number; type: string });
    expect(code).toBe(0);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.type).toBe('ReleaseSucceeded');
  });

  test('one that is terminated ends with exit code 5, and can be retried', async () => {
    const { out } = await served.sluice('release', 'billing', '--version', '1.2', '-o', 'name');
    const ended = await served.sluice('terminate', out.trim(), '--reason', 'changed our minds', '--wait');
    expect(ended).toMatchObject({ code: 5 });
    expect(ended.out).toContain('changed our minds');
    expect((await served.sluice('retry', out.trim(), '--wait')).code).toBe(0);
  });

  test.each(['1ms', '3ms', '10ms', '30ms'])(
    'a watch that ends after %s ends with exit code 6, and without a stack',
    async (limit) => {
      const { out } = await served.sluice('release', 'billing', '--version', '1.25', '-o', 'name');
      const { code, err } = await served.sluice('watch', out.trim(), '--timeout', limit);
      expect({ code, err }).toEqual({ code: 6, err: expect.stringMatching(/^Not ended in time: the release is /) });
      await served.sluice('watch', out.trim());
    },
  );

  test('waiting has a limit: exit code 6, and what it waits for', async () => {
    const driver = (at: string) => ({ type: 'simulate' as const, duration: at === 'staging' ? 2_000 : 0 });
    await served.engine.saveBilling('slow', { driver });
    const { code, err } = await served.sluice('release', 'slow', '--version', '1.3', '--wait', '--timeout', '150ms');
    expect(code).toBe(6);
    expect(err).toContain('the release is RUNNING and goes on');
    await served.sluice('watch', 'latest');
  });

  test('watching outlives a restart of the server, and hears every event once', async () => {
    const { out } = await served.sluice('release', 'billing', '--version', '1.4', '-o', 'name');
    let lines = '';
    let hear = (): void => undefined;
    const heard = new Promise<void>((resolve) => (hear = resolve));
    const writer = { write: (text: string) => ((lines += text), hear()) };
    const complaints = { write: () => undefined };
    const surroundings = { env: { SLUICE_SERVER: served.url }, out: writer, err: complaints };
    const watching = runCli(['watch', out.trim(), '--json'], surroundings);
    await heard;
    await served.restart(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const code = await watching;
    const numbers = lines
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { sequence: number }).sequence);
    expect(code).toBe(0);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test('an unknown product is refused in the words of the server', async () => {
    const { code, err } = await served.sluice('release', 'bilings');
    expect(code).toBe(1);
    expect(err).toContain('bilings');
  });
});

test('a server that is not there is exit code 3, and says how to name another', async () => {
  const { code, err } = await sluice({ SLUICE_SERVER: 'http://127.0.0.1:9' }, 'get', 'products');
  expect(code).toBe(3);
  expect(err).toMatch(/No Sluice server at http:\/\/127\.0\.0\.1:9: .*SLUICE_SERVER/);
});

test('schema prints what the repository holds', async () => {
  const { code, out } = await served.sluice('schema');
  expect(code).toBe(0);
  expect(out).toContain('type Release implements Node');
});
