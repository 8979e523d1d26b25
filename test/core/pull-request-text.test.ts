import { expect, test } from 'vitest';
import { bodyOf, inertly, plainly, titleOf } from '../../src/core/pull-request-text.ts';
import type { AboutPullRequest } from '../../src/core/pull-request-text.ts';

const about: AboutPullRequest = {
  product: 'billing',
  environment: 'eu',
  version: '1.4.2',
  release: 'billing#7',
  link: 'https://sluice.example.com/releases/0b7e',
  flow: 'main',
  way: ['dev', 'staging', 'eu'],
  applications: [{ name: 'billing-eu', from: '1.4.1', to: '1.4.2' }],
  source: {
    commit: 'c0ffee'.repeat(7),
    author: 'Ada <ada@example.com>',
    message: 'Faster invoices\n\nbody',
    date: '2026',
  },
  files: [{ path: 'eu/values.yaml', added: 1, removed: 1 }],
  more: 0,
  merges: false,
};

/** What hosts look for in titles, bodies and messages. */
const DANGERS: [name: string, pattern: RegExp][] = [
  ['a mention', /@[\w-]/],
  ['a word that closes an issue', /\b(clos(e[sd]?|ing)|fix(e[sd]|ing)?|resolv(e[sd]?|ing)|implement(s|ed|ing)?)\b/i],
  ['a reference', /(^|\W)#\d|GH-\d/i],
  ['an address', /https?:\/\/|\bwww\./i],
];

/** Unescaped: what Markdown would take for more than text. */
const MARKUP = /(?<!\\)(\\\\)*[`*_[\]()<>|~!]/;

const HOSTILE = [
  'Fixes #12',
  'closes: acme/infra#7, RESOLVED GH-9',
  'thanks @acme/owners and @ada',
  '![x](https://evil.example/pixel.png)',
  '<img src=https://evil.example/p.png>',
  '[click](javascript:alert(1)) `code` | cell |\n\n# heading\n--- *b* __u__ ~~s~~',
  'fixing https://github.com/acme/infra/issues/3, see www.example.com',
  'implement !12 and $3 %4',
  'fi\u200bxes #1, Fi\u00adxes #2',
  '\\[x](y) \\![z](w) -->',
];

test.each(HOSTILE)('trap 14: %j tells nobody, closes nothing and shows no image', (text) => {
  for (const [name, pattern] of DANGERS) {
    expect(inertly(text), name).not.toMatch(pattern);
    expect(plainly(text), name).not.toMatch(pattern);
  }
  expect(plainly(text).replace(/\\[\\`*_{}[\]()<>|~!&]/g, '')).not.toMatch(MARKUP);
  expect(plainly(text)).not.toMatch(/[\n\r]/);
});

test('trap 14: whatever comes from outside, a title and a body are bounded, and hold nothing of it that acts', () => {
  const text = HOSTILE.join(' ').repeat(400);
  const files = Array.from({ length: 3_000 }, () => ({ path: text, added: 1, removed: null }));
  const hostile: AboutPullRequest = {
    ...about,
    product: text,
    version: text,
    environment: text,
    flow: text,
    way: Array.from({ length: 2_000 }, () => text),
    link: 'urn:release',
    applications: Array.from({ length: 500 }, () => ({ name: text, from: text, to: text })),
    source: { commit: text, author: text, message: text, date: text },
    files,
    more: 7,
    rollback: { takesBack: text, reason: text },
  };
  const body = bodyOf(hostile, 'r.1.eu.x/ACTION/open');
  expect(body.length).toBeLessThan(65_536);
  expect(titleOf(hostile, '${VERSION}'.repeat(30)).length).toBeLessThan(2_000);
  for (const [name, pattern] of DANGERS) {
    expect(titleOf({ ...hostile, rollback: undefined }, 'x ${VERSION}'), name).not.toMatch(pattern);
    expect(body, name).not.toMatch(pattern);
  }
});

test('a body says what comes, from where, over which way, which files change and where the release is', () => {
  const body = bodyOf(about, 'key');
  expect(body).toContain('Brings **billing 1.4.2** to **eu**.');
  expect(body).toContain('[billing#\u200b7](https://sluice.example.com/releases/0b7e)');
  expect(body).toContain('dev → staging → **eu**');
  expect(body).toContain('| billing-eu | 1.4.1 | 1.4.2 |');
  expect(body).toContain('| eu/values.yaml | +1 −1 |');
  expect(body).toContain('by Ada of 2026: Faster invoices');
  expect(body).toContain('<!-- sluice:key -->');
});

test('it says what is done before and after by the word of a policy, and nothing where none has a say', () => {
  const from = { by: 'POLICY', policy: 'smoke @all', revision: 3, priority: 1, locked: true } as const;
  const policy = { action: { value: 'pr', from: { by: 'FLOW' } }, postActions: [{ value: 'smoke', from }] } as const;
  const body = bodyOf({ ...about, policy: { ...policy, postActions: [...policy.postActions] } }, 'key');
  expect(body).toContain('| the change | pr | the flow |');
  expect(body).toContain('| after the change | smoke | policy smoke @\u200ball, revision 3, locked |');
  expect(bodyOf({ ...about, policy: { action: policy.action } }, 'key')).not.toContain('Said by');
});

test('a title is that of the flow, with its names in it; of a rollback it says what it is', () => {
  expect(titleOf(about)).toBe('Promote billing 1.4.2 to eu');
  expect(titleOf(about, '[${ENVIRONMENT}] ${PRODUCT} ${VERSION}')).toBe('[eu] billing 1.4.2');
  const rollback = { takesBack: '1.5.0', reason: 'degraded' };
  expect(titleOf({ ...about, rollback }, 'x ${VERSION}')).toBe('Roll back billing in eu to 1.4.2');
});

test('it lists the commits that come, with their authors by name, and says how many more there are', () => {
  const commits = Array.from({ length: 60 }, (_, index) => ({
    commit: String(index).padStart(40, '0'),
    author: 'Ada <ada@example.com>',
    subject: index === 0 ? 'Faster invoices, fixes #12' : `Change ${index}`,
  }));
  const body = bodyOf({ ...about, commits, moreCommits: 40 }, 'key');
  expect(body).toContain('| 000000000000 | Ada | Faster invoices, f');
  expect(body).not.toContain('ada@example.com');
  expect(body).not.toMatch(/fixes #12/);
  expect(body).toContain('and 50 more commits');
  expect(bodyOf(about, 'key')).not.toContain('What it does');
});
