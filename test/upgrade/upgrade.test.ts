import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { runServer } from '../../src/main.ts';
import type { RunningServer } from '../../src/main.ts';
import { OLD_ENCRYPTION_KEY, oldDatabase } from './old.ts';
import type { OldDatabase } from './old.ts';

// A server of f0cae10 was killed while ten releases were on their way; today's server takes its database over. One story, told in
// order through the published API.

let old: OldDatabase;
let server: RunningServer;
beforeAll(async () => {
  old = await oldDatabase();
  const config = loadConfig({
    DATABASE_URL: old.url,
    SLUICE_ENCRYPTION_KEY: OLD_ENCRYPTION_KEY,
    SLUICE_GIT_PROTOCOLS: 'file',
    SLUICE_SWEEP_INTERVAL_MS: '300',
    // Its tokens are there; what they open is another test's.
    SLUICE_AUTH: 'off',
    LOG_LEVEL: 'error',
    PORT: '0',
  });
  server = await runServer(config, createLog({ level: config.logLevel }));
});
afterAll(async () => {
  await server?.close();
  await old?.drop();
});

// oxlint-disable-next-line typescript/no-explicit-any
async function ask(query: string, variables: Record<string, unknown> = {}): Promise<any> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

interface Shown {
  id: string;
  status: string;
  promotions: { name: string; status: string; waitingFor: { message: string }[] }[];
}

/** A product's releases, the oldest first. */
async function releasesOf(product: string): Promise<Shown[]> {
  const { releases } = await ask(
    'query($product: String!) { releases(first: 20, filter: { product: $product }) { nodes { id status promotions { name status problem { message } waitingFor { message } } } } }',
    { product },
  );
  return (releases.nodes as Shown[]).toReversed();
}

async function until(product: string, position: number, holds: (release: Shown) => boolean): Promise<Shown> {
  for (const deadline = Date.now() + 40_000; ;) {
    const release = (await releasesOf(product))[position] as Shown;
    if (holds(release)) return release;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(release)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const at = (release: Shown, name: string): string | undefined =>
  release.promotions.find((each) => each.name === name)?.status;

const files = (environment: string): string =>
  execFileSync('git', ['-C', `${old.repositories}/shop.git`, 'show', `main:${environment}/values.yaml`], {
    encoding: 'utf8',
  });

test('what would be refused today is kept, and listed with its place and the cure', async () => {
  const { findings } = await ask('{ findings { kind name path message } }');
  const lines = (findings as { kind: string; name: string; path: string[]; message: string }[]).map(
    ({ kind, name, path, message }) => `${kind} ${name} ${path.join('.')}: ${message}`,
  );
  expect(lines).toEqual([
    expect.stringMatching(
      /^PromotionTemplate odd-template spec\.promotion\.values\.yaml\.jsonPaths\.0: .*"\$\.image\.tag\^"/,
    ),
    expect.stringMatching(
      /^PromotionTemplate odd-template spec\.promotion\.values\.yaml\.jsonPaths\.1: .*no JSON path/,
    ),
    expect.stringMatching(
      /^PromotionTemplate odd-template spec\.promotion\.values\.yaml\.jsonPaths\.2: .*more than one/,
    ),
    expect.stringMatching(/^PromotionTemplate odd-template spec\.promotion\.variables\.tfvars: .*cannot be promoted/),
    expect.stringMatching(/^PromotionWorkflow long-test spec\.actions\.0\.parameters\.duration: .*write 20000ms/),
    expect.stringMatching(/^PromotionFlow hasty-flow spec\.timeout: .*30ms.*write 30s/),
    expect.stringMatching(/^ReleaseWindow blink spec\.duration: .*8ms.*write 8s, 8m or 8h/),
    expect.stringMatching(/^ReleaseWindow second-mondays spec\.rrule: .*2MO/),
    expect.stringMatching(/^Secret deploy-hook hosts: .*sent to 127\.0\.0\.1 alone.*set it again with its hosts/),
    expect.stringMatching(/^Release shop#3 : .*before keys of commits were signed/),
    expect.stringMatching(/^Release shop#4 : /),
  ]);
}, 60_000);

test('a health report that was waited for ends its release', async () => {
  await ask(
    'mutation { healthReport(input: { application: "mail-staging", status: HEALTHY }) { accepted userErrors { message } } }',
  );
  await until('mail', 0, ({ status }) => status === 'SUCCEEDED');
}, 60_000);

test('a release that waited for an approval gets it, and writes what it had pinned', async () => {
  const waiting = await until('shop', 2, (release) => at(release, 'prod') === 'SUSPENDED');
  await ask(
    'mutation($input: PromotionDecisionInput!) { promotionApprove(input: $input) { userErrors { message } } }',
    {
      input: { releaseId: waiting.id, environment: 'prod' },
    },
  );
  const there = await until('shop', 2, (release) => at(release, 'prod') === 'SUCCEEDED');
  expect(files('prod')).toBe(files('staging').replace('# staging', '# prod'));
  // Both of its windows still count, the one that is open for 8 ms and the one that RFC 5545 forbids: on a Monday that one.
  expect(there.promotions.find((each) => each.name === 'eu')?.waitingFor.map((each) => each.message)).toEqual([
    expect.stringMatching(/blink|inside the DENY window second-mondays/),
  ]);
}, 60_000);

test('a version of before goes back to the version before it', async () => {
  const { rollbackStart } = await ask(
    'mutation($input: RollbackInput!) { rollbackStart(input: $input) { rollback { id } userErrors { message } } }',
    { input: { product: 'shop', environments: ['prod'], reason: 'it leaks' } },
  );
  expect(rollbackStart.userErrors).toEqual([]);
  await until('shop', 2, (release) => at(release, 'prod') === 'ROLLED_BACK');
  expect(files('prod')).toContain('tag: 1.1.0');
}, 60_000);

test('a step that was cut off in the middle is taken up', async () => {
  await until('search', 3, (release) => at(release, 'staging') === 'SUCCEEDED');
}, 60_000);

test('its triggers are paused until somebody resumes them', async () => {
  const { triggers, triggerPauses } = await ask(
    '{ triggers { applicationName pause { reason } } triggerPauses { productName by reason until } }',
  );
  expect(triggerPauses).toEqual([
    { productName: null, by: null, until: null, reason: expect.stringContaining('older than automatic triggers') },
  ]);
  expect(triggers.length).toBeGreaterThan(0);
  expect(triggers.every(({ pause }: { pause: object | null }) => pause !== null)).toBe(true);
  await ask('mutation { triggerResume(input: {}) { userErrors { message } } }');
  expect((await ask('{ triggerPauses { reason } }')).triggerPauses).toEqual([]);
});
