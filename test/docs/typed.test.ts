import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, type Desk, MAIN, openDesk, readPage, typedOf } from './reader.ts';

// Every page that has something to type is typed, from top to bottom, against a real server: what does not work for a reader fails
// here. The server is that of a reader who has released the sample Billing a few times; a product of one's own brings its own.

const PAGES = [
  'README.md',
  'docs/your-own-product.md',
  'docs/holds.md',
  'docs/windows.md',
  'docs/groups.md',
  'docs/secrets.md',
  'docs/hosts.md',
  'docs/commits.md',
  'docs/receiver.md',
  'docs/upgrading.md',
  'docs/rollback.md',
  'docs/history.md',
  'docs/plan.md',
  'docs/actions.md',
  'docs/retry-and-skip.md',
  'docs/promote.md',
];
/** Where callers must say who they are. */
const GUARDED = ['docs/access.md'];
/** What a reader begins with is typed on one machine; every other page on a server and a worker apart, where each has to say what it knows. */
const TYPED_ON = { 'one machine': [PAGES.slice(0, 2), []], split: [PAGES.slice(2), GUARDED] } as const;

/** Billing as the quickstart has it, with targets that are only simulated: versions can be named. */
const SAMPLE = `
set -e
for environment in dev staging us-east eu asia asia-2; do
  cat >> applications.yaml <<END
---
apiVersion: sluice.dev/v1
kind: Application
metadata: { name: billing-$environment }
spec: { product: billing, environment: $environment, driver: { type: simulate }, health: { type: none } }
END
done
sed 's/commit \${COMMIT_SHA}/simulated/' "$EXAMPLES"/02-workflows.yaml > workflows.yaml
sluice apply -f "$EXAMPLES"/01*.yaml workflows.yaml "$EXAMPLES"/0[34]*.yaml applications.yaml
for version in 1.4.0 1.4.1 1.4.2; do
  sluice release billing --version $version --wait
done
`;
const EXAMPLES = new URL('../../examples/billing', import.meta.url).pathname;
const settings = { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') };
const ADMIN = randomBytes(32).toString('hex');

/** GitHub gives it to whoever makes an App. */
const KEY = 'app.private-key.pem';

async function typed(desk: Desk, page: string, more: Record<string, string> = {}): Promise<void> {
  const text = typedOf(blocksOf(await readPage(page)));
  const needed = text.includes(KEY) ? `openssl genrsa -out ${KEY} 2048 2> /dev/null\n` : '';
  const { code, said } = await desk.type(needed + text, { TOKEN: 'token-of-this-test', ...more });
  expect(code, `${page}:\n${said}`).toBe(0);
  expect(said).not.toContain('fault of the sluice command');
}

beforeAll(() => {
  // `npm test` builds before it tests; by hand: npm run build.
  expect(existsSync(MAIN), `${MAIN} is missing: npm run build`).toBe(true);
});

describe.each(['one machine', 'split'] as const)('a reader types on a server of %s', (roles) => {
  const [open, guarded] = TYPED_ON[roles];
  let desk: Desk;
  beforeAll(async () => {
    desk = await openDesk(roles, settings);
    const sample = await desk.type(SAMPLE, { EXAMPLES });
    expect(sample.code, sample.said).toBe(0);
  }, 120_000);
  afterAll(() => desk?.close(), 30_000);

  test.each(open)('%s', (page) => typed(desk, page), 120_000);
  test.each(guarded)(
    '%s',
    async (page) => {
      const asked = await openDesk(roles, { ...settings, SLUICE_ADMIN_TOKEN: ADMIN });
      try {
        await typed(asked, page);
      } finally {
        await asked.close();
      }
    },
    120_000,
  );
});

describe('every page', () => {
  const all = ['README.md', ...readdirSync(new URL('../../docs', import.meta.url)).map((name) => `docs/${name}`)];
  const pages = all.filter((name) => name.endsWith('.md'));

  test('has its commands in blocks that the reader above types, or says why not', async () => {
    const loose: string[] = [];
    for (const page of pages) {
      const text = await readPage(page);
      text.split('\n').forEach((line, index) => {
        if (/^ {4}(\$ |sluice |npx |npm |export |printf |curl |git )/.test(line)) loose.push(`${page}:${index + 1}`);
      });
      const hasSomething = blocksOf(text).some(({ language, notTyped }) => language === 'sh' && notTyped === undefined);
      if (hasSomething && ![...PAGES, ...GUARDED].includes(page)) loose.push(page);
    }
    expect(loose).toEqual([]);
  });

  test('is not typed for a reason in a few places only', async () => {
    const reasons = await Promise.all(pages.map(async (page) => blocksOf(await readPage(page))));
    expect(reasons.flat().filter(({ notTyped }) => notTyped !== undefined).length).toBeLessThanOrEqual(8);
  });
});
