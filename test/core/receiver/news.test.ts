import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifiedBy } from '../../../src/commands/verify-message.ts';
import type { Purpose } from '../../../src/core/receiver/delivery.ts';
import { readNews } from '../../../src/core/receiver/read-news.ts';
import { isWithin, repositoryIdentity } from '../../../src/core/receiver/repository.ts';
import { idIn, SCHEMES } from '../../../src/core/receiver/scheme.ts';
import type { Headers, Scheme } from '../../../src/core/receiver/scheme.ts';
import { checkSecret } from '../../../src/core/secrets.ts';
import type { WebhookUse } from '../../../src/core/secrets.ts';
import { newWebhookSecret, signWebhook } from '../../support/webhooks.ts';
import { argocd, bitbucket, flux, gitea, github, gitlab, URLS } from '../../support/webhook-bodies.ts';

const NEW = 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7';
const ZEROS = '0'.repeat(40);

/** What is read of a body of one host. */
function read(scheme: Scheme, event: string, body: unknown, purpose: Purpose = 'git') {
  const [name] = SCHEMES[scheme].events;
  return readNews(purpose, scheme, name === undefined ? {} : { [name]: event }, JSON.stringify(body));
}

const pushOf = (branch: string, commit: string | undefined = NEW) => ({
  kind: 'PUSH',
  branch,
  ...(commit !== undefined && { commit }),
});

describe('what hosts tell', () => {
  test.each<[string, Scheme, string, unknown]>([
    ['GitHub', 'GITHUB', 'push', github.push()],
    ['GitLab', 'GITLAB_TOKEN', 'Push Hook', gitlab.push()],
    ['a system hook of GitLab', 'GITLAB_SIGNING', 'System Hook', gitlab.push()],
    ['Gitea', 'GITEA', 'push', gitea.push()],
    ['Bitbucket, whose branches come without refs/heads/', 'BITBUCKET', 'repo:push', bitbucket.push()],
  ])('a push to %s', (_name, scheme, event, body) => {
    const { news, repositories, nothing } = read(scheme, event, body);
    expect({ news, nothing }).toEqual({ news: [pushOf('main')], nothing: undefined });
    expect(new Set(repositories.map(repositoryIdentity))).toEqual(new Set(['git.example.com/acme/config']));
  });

  test.each<[string, Scheme, string, unknown]>([
    ['GitLab', 'GITLAB_TOKEN', 'Merge Request Hook', gitlab.mergeRequest('merged', 'merge')],
    ['Gitea', 'GITEA', 'pull_request', gitea.pullRequest('closed', true)],
    ['Bitbucket', 'BITBUCKET', 'pullrequest:fulfilled', bitbucket.pullRequest('MERGED')],
  ])('a pull request that was merged at %s', (_name, scheme, event, body) => {
    const [news] = read(scheme, event, body).news;
    const head = 'sluice/billing/eu/0123456789abcdef';
    expect(news).toMatchObject({ kind: 'PULL_REQUEST', number: 7, head, base: 'main', merged: true });
  });

  test('trap 8: the pipeline of a merge request of GitLab, perhaps of its merge train, is a hint of it', () => {
    const body = gitlab.pipeline({ iid: 7, source_branch: 'sluice/a', target_branch: 'main', state: 'opened' });
    expect(read('GITLAB_TOKEN', 'Pipeline Hook', body).news).toEqual([
      { kind: 'PULL_REQUEST', number: 7, head: 'sluice/a', base: 'main', merged: false },
    ]);
  });

  test("GitHub's own examples are read, each for what it is", () => {
    const file = new URL('../../peers/contracts/github-examples.json', import.meta.url);
    const { examples } = JSON.parse(readFileSync(file, 'utf8')) as { examples: { event: string; payload: object }[] };
    const said = examples.map(({ event, payload }) => {
      const { news, nothing, repositories } = read('GITHUB', event, payload);
      if (event !== 'ping') expect(repositories.length, event).toBeGreaterThan(0);
      return [event, news.map(({ kind }) => kind).join() || nothing];
    });
    expect(said).toEqual([
      ['ping', 'a ping: the webhook works'],
      ['push', 'tag simple-tag: tags start no release'],
      ['push', 'tag simple-tag: tags start no release'],
      ['push', 'PUSH'],
      ['create', 'event create: pushes, pull requests and merge groups count'],
      ['delete', 'event delete: pushes, pull requests and merge groups count'],
      ['status', 'event status: pushes, pull requests and merge groups count'],
      ['pull_request', 'PULL_REQUEST'],
      ['pull_request', 'PULL_REQUEST'],
      ['merge_group', 'MERGE_GROUP'],
    ]);
  });

  test('a merge queue of GitHub asks for checks', () => {
    const body = {
      action: 'checks_requested',
      merge_group: { head_sha: NEW, head_ref: 'refs/heads/gh-readonly-queue/main/pr-1', base_ref: 'refs/heads/main' },
      repository: github.push().repository,
    };
    expect(read('GITHUB', 'merge_group', body).news).toEqual([{ kind: 'MERGE_GROUP', commit: NEW, base: 'main' }]);
    expect(read('GITHUB', 'merge_group', { ...body, action: 'destroyed' }).news).toEqual([]);
  });

  test('trap 17: lists of commits are cut by hosts: a push tells the branch, and how many commits there are, and no path', () => {
    const commits = Array.from({ length: 2_048 }, () => ({ id: NEW, modified: ['dev/a.yaml'] }));
    const github_ = read('GITHUB', 'push', github.push('refs/heads/main', { commits }));
    expect([github_.count, read('GITLAB_TOKEN', 'Push Hook', gitlab.push()).count]).toEqual([2_048, 27]);
    expect(read('BITBUCKET', 'repo:push', bitbucket.push()).news).toEqual([pushOf('main')]);
    expect(JSON.stringify(github_).length).toBeLessThan(1_000);
    expect(JSON.stringify(github_)).not.toContain('a.yaml');
    for (const none of [undefined, null, []])
      expect(read('GITHUB', 'push', github.push('refs/heads/main', { commits: none })).news).toEqual([pushOf('main')]);
  });

  test.each<[string, Scheme, string, unknown, string]>([
    ['a tag', 'GITHUB', 'push', github.push('refs/tags/v1'), 'tag v1: tags start no release'],
    ['a tag', 'GITLAB_TOKEN', 'Tag Push Hook', gitlab.tag(), 'a tag: tags start no release'],
    ['a tag', 'BITBUCKET', 'repo:push', bitbucket.push(bitbucket.tag('v1')), 'tag v1: tags start no release'],
    [
      'a deleted branch',
      'GITHUB',
      'push',
      github.push('refs/heads/x', { after: ZEROS, deleted: true }),
      'branch x was deleted',
    ],
    [
      'a deleted branch',
      'GITLAB_TOKEN',
      'Push Hook',
      gitlab.push('refs/heads/x', { after: ZEROS }),
      'branch x was deleted',
    ],
    ['a deleted branch', 'GITEA', 'push', gitea.push('refs/heads/x', ZEROS), 'branch x was deleted'],
    ['a deleted branch', 'BITBUCKET', 'repo:push', bitbucket.push(bitbucket.deleted('x')), 'branch x was deleted'],
    [
      'a branch of a merge queue',
      'GITHUB',
      'push',
      github.push('refs/heads/gh-readonly-queue/main/pr-1-abc'),
      'branch gh-readonly-queue/main/pr-1-abc is one of a merge queue',
    ],
    ['a ref that is no branch', 'GITHUB', 'push', github.push('refs/pull/1/head'), 'refs/pull/1/head is no branch'],
    ['a ping', 'GITHUB', 'ping', { zen: 'x', hook_id: 1 }, 'a ping: the webhook works'],
    ['a pipeline', 'GITLAB_TOKEN', 'Pipeline Hook', gitlab.pipeline(), 'a pipeline of no merge request'],
  ])('trap 23, trap 25: %s (%s) is no news, and the line says why', (_name, scheme, event, body, why) => {
    expect(read(scheme, event, body)).toMatchObject({ news: [], nothing: why });
  });

  test('trap 23: a branch that is new may be one that matters: the look tells', () => {
    const created = github.push('refs/heads/dev', { before: ZEROS, created: true });
    expect(read('GITHUB', 'push', created).news).toEqual([pushOf('dev')]);
  });

  test('several branches in one push of Bitbucket are told one by one', () => {
    const body = bitbucket.push(bitbucket.branch('main'), bitbucket.deleted('old'), bitbucket.branch('dev'));
    expect(read('BITBUCKET', 'repo:push', body)).toMatchObject({
      news: [pushOf('main'), pushOf('dev')],
      nothing: 'branch old was deleted',
    });
  });

  test('Argo CD names its application, by our template or as it has it', () => {
    for (const body of [argocd.template(), argocd.whole(), { application: 'argocd/billing-dev' }])
      expect(read('HEADER', '', body, 'argocd').news).toMatchObject([{ kind: 'ARGO_CD', application: 'billing-dev' }]);
    expect(read('HEADER', '', {}, 'argocd').nothing).toContain('`app`');
  });

  test('a program names the repository, and the branch where it knows it; Flux names neither', () => {
    const told = (body: object) => read('HMAC_HEADER', '', body, 'generic');
    expect(told({ repository: URLS.https, branch: 'main', commit: NEW }).news).toEqual([pushOf('main')]);
    expect(told({ type: 'change', data: { repository: URLS.ssh, ref: 'refs/heads/dev' } }).news).toEqual(
      [pushOf('dev', undefined)].map(({ kind, branch }) => ({ kind, branch })),
    );
    expect(told({ repository: URLS.https }).news).toEqual([{ kind: 'PUSH', branch: '*' }]);
    expect(told(flux()).news).toEqual([{ kind: 'PRODUCTS' }]);
    expect(told({}).nothing).toContain('`repository`');
  });
});

describe('repositories', () => {
  test.each([
    'https://Git.Example.com/Acme/Config.git',
    'https://git.example.com/acme/config',
    'https://user:pass@git.example.com:8443/acme/config.git/',
    'git@git.example.com:acme/config.git',
    'ssh://git@git.example.com:2222/acme/config.git',
    'git.example.com:acme/config',
    'https://git.example.com/acme/%63onfig?x=1#y',
  ])('%s is one with all of its addresses', (address) => {
    expect(repositoryIdentity(address)).toBe('git.example.com/acme/config');
  });

  test.each(['', 'x', 'https://', 'https://git.example.com/', 'ftp://git.example.com/a/b', 'a'.repeat(3_000), '%%%'])(
    '%s is none',
    (address) => {
      expect(repositoryIdentity(address)).toBeUndefined();
    },
  );

  test.each([
    [['https://git.example.com/acme/'], 'git@git.example.com:acme/config.git', true],
    [['https://git.example.com/acme'], 'https://git.example.com/acme-evil/config', false],
    [['https://git.example.com/'], 'https://git.example.com/acme/config', true],
    [['https://git.example.com/'], 'https://git.example.com.evil.org/acme/config', false],
    [[], 'https://anywhere.example/x/y', true],
    [['https://other.example/'], 'nonsense', false],
  ])('a secret for %s and %s: %s', (prefixes, address, isThere) => {
    expect(isWithin(prefixes, address)).toBe(isThere);
  });
});

const BODY = Buffer.from('{"a":  "ü"}');
const useOf = (scheme: Scheme, header?: string): WebhookUse => ({
  kind: 'WEBHOOK',
  source: 'forge',
  products: [],
  scheme,
  ...(header !== undefined && { header }),
});
const hmac = (value: string, algorithm = 'sha256', body: Buffer = BODY): string =>
  createHmac(algorithm, value).update(body).digest('hex');
const WHSEC = newWebhookSecret();
const VALUE = 'a-secret-of-the-host';

/** How each scheme's host would send the body. */
const SIGNED: Record<Scheme, { value: string; headers: Headers }> = {
  STANDARD: { value: WHSEC, headers: signWebhook({ secret: WHSEC, body: BODY }).headers },
  GITHUB: {
    value: VALUE,
    headers: { 'x-hub-signature-256': `sha256=${hmac(VALUE)}`, 'x-hub-signature': `sha1=${hmac(VALUE, 'sha1')}` },
  },
  GITLAB_TOKEN: { value: VALUE, headers: { 'x-gitlab-token': VALUE } },
  GITLAB_SIGNING: { value: WHSEC, headers: signWebhook({ secret: WHSEC, body: BODY }).headers },
  GITEA: { value: VALUE, headers: { 'x-gitea-signature': hmac(VALUE) } },
  BITBUCKET: { value: VALUE, headers: { 'x-hub-signature': `sha256=${hmac(VALUE)}` } },
  HEADER: { value: VALUE, headers: { authorization: `Bearer ${VALUE}` } },
  HMAC_HEADER: { value: VALUE, headers: { 'x-signature': `sha256=${hmac(VALUE)}` } },
};
const SCHEME_NAMES = Object.keys(SIGNED) as Scheme[];
const verify = (keys: Parameters<typeof verifiedBy>[0], headers: Headers, body = BODY): string | undefined =>
  verifiedBy(keys, headers, body, Date.now())?.name;

describe('trap 31: proofs', () => {
  test.each(SCHEME_NAMES)('%s takes what its host sends, and no other body, secret or scheme', (scheme) => {
    const { value, headers } = SIGNED[scheme];
    const key = { name: 'one', value, use: useOf(scheme) };
    expect(verify([key], headers)).toBe('one');
    if (SCHEMES[scheme].proof.kind !== 'TOKEN') {
      // As a parser would write it again: another signature.
      expect(verify([key], headers, Buffer.from(JSON.stringify(JSON.parse(BODY.toString()))))).toBeUndefined();
    }
    expect(verify([{ ...key, value: `${value}x` }], headers)).toBeUndefined();
    expect(verify([key], {})).toBeUndefined();
    for (const [name, text] of Object.entries(headers))
      expect(verify([key], { ...headers, [name]: '' }), `${name} ${String(text)}`).toBe(
        name === 'x-hub-signature' && scheme === 'GITHUB' ? 'one' : undefined,
      );
    for (const other of SCHEME_NAMES) {
      const same = SCHEMES[other].proof.kind === 'STANDARD' && SCHEMES[scheme].proof.kind === 'STANDARD';
      if (other !== scheme && !same) expect(verify([{ ...key, use: useOf(other) }], headers), other).toBeUndefined();
    }
  });

  test('two secrets of one source both verify, and the one that fits is named', () => {
    const keys = SCHEME_NAMES.map((scheme) => ({ name: scheme, value: SIGNED[scheme].value, use: useOf(scheme) }));
    const old = { name: 'old', value: 'the-old-secret-of-the-host', use: useOf('GITHUB') };
    const headers = { 'x-hub-signature-256': `sha256=${hmac(old.value)}` };
    expect(verify([old, ...keys], SIGNED.GITHUB.headers)).toBe('GITHUB');
    expect(verify([...keys, old], headers)).toBe('old');
    expect(verify(keys, headers)).toBeUndefined();
  });

  test('the algorithm is that of the scheme, whatever the header names', () => {
    const key = { name: 'one', value: VALUE, use: useOf('GITHUB') };
    for (const signature of [
      `sha1=${hmac(VALUE, 'sha1')}`,
      `sha512=${hmac(VALUE, 'sha512')}`,
      hmac(VALUE),
      `sha256=${createHash('sha256').update(BODY).digest('hex')}`,
      'sha256=',
      'none=',
    ])
      expect(verify([key], { 'x-hub-signature-256': signature }), signature).toBeUndefined();
  });

  test('a header of another name is taken where the secret names it, and only there', () => {
    const token = { name: 'one', value: VALUE, use: useOf('HEADER', 'X-Sluice-Token') };
    expect(verify([token], { 'x-sluice-token': VALUE })).toBe('one');
    expect(verify([token], SIGNED.HEADER.headers)).toBeUndefined();
    const signed = { name: 'one', value: VALUE, use: useOf('HMAC_HEADER', 'X-Flux-Signature') };
    expect(verify([signed], { 'x-flux-signature': `sha256=${hmac(VALUE)}` })).toBe('one');
  });

  test('an old message of Standard Webhooks is none', () => {
    const { headers } = signWebhook({
      secret: WHSEC,
      body: BODY,
      timestamp: String(Math.floor(Date.now() / 1000) - 600),
    });
    expect(verify([{ name: 'one', value: WHSEC, use: useOf('GITLAB_SIGNING') }], headers)).toBeUndefined();
  });

  test('ids are those of each host', () => {
    expect(idIn('GITHUB', { 'x-github-delivery': 'a-b' })).toBe('a-b');
    expect(idIn('GITLAB_TOKEN', { 'x-gitlab-event-uuid': 'e', 'idempotency-key': 'k' })).toBe('k');
    expect(idIn('GITLAB_TOKEN', { 'x-gitlab-event-uuid': 'e' })).toBe('e');
    expect(idIn('GITEA', { 'x-gitea-delivery': 'g' })).toBe('g');
    expect(idIn('BITBUCKET', { 'x-request-uuid': 'r' })).toBe('r');
    for (const wrong of ['', ' ', 'a b', 'x'.repeat(201), 'ü', ['a', 'b']])
      expect(idIn('GITHUB', { 'x-github-delivery': wrong })).toBeUndefined();
  });
});

describe('secrets of news', () => {
  const refusals = (use: Partial<WebhookUse>, value: string | null = VALUE): string[] =>
    checkSecret({ name: 'hook', value, description: null, use: { ...useOf('GITHUB'), ...use } }).map(
      ({ message }) => message,
    );

  test.each<[string, Partial<WebhookUse>, string | null, string | undefined]>([
    ['what GitHub takes is taken', {}, VALUE, undefined],
    ['what cannot be a header is not', {}, 'mit Leerzeichen', 'printable ASCII'],
    ['Standard Webhooks have their form', { scheme: 'GITLAB_SIGNING' }, VALUE, 'whsec_'],
    ['news decides nothing', { decidesAs: 'board' }, VALUE, 'decides nothing'],
    ['repositories are addresses', { repositories: ['nowhere'] }, VALUE, '"nowhere"'],
    [
      'repositories go with a scheme',
      { scheme: undefined, repositories: ['https://a.example/'] },
      WHSEC,
      'go with a scheme',
    ],
    ['a header goes with a scheme that has none of its own', { header: 'X-A' }, VALUE, 'has its own headers'],
    ['a header has a name', { scheme: 'HEADER', header: 'X A' }, VALUE, 'not the name of a header'],
  ])('%s', (_name, use, value, said) => {
    const found = refusals(use, value);
    if (said === undefined) expect(found).toEqual([]);
    else expect(found.join()).toContain(said);
  });
});

test('no body makes a reader throw, and what is kept of it is bounded', () => {
  const told: [Scheme, Purpose, string, unknown][] = [
    ['GITHUB', 'git', 'push', github.push()],
    [
      'GITHUB',
      'git',
      'merge_group',
      { action: 'checks_requested', merge_group: { head_sha: NEW, base_ref: 'refs/heads/main' } },
    ],
    ['GITLAB_TOKEN', 'git', 'Push Hook', gitlab.push()],
    ['GITLAB_SIGNING', 'git', 'Merge Request Hook', gitlab.mergeRequest('opened', 'open')],
    ['GITEA', 'git', 'push', gitea.push()],
    ['GITEA', 'git', 'pull_request', gitea.pullRequest('opened', false)],
    ['BITBUCKET', 'git', 'repo:push', bitbucket.push()],
    ['BITBUCKET', 'git', 'pullrequest:updated', bitbucket.pullRequest('OPEN')],
    ['HEADER', 'argocd', '', argocd.whole()],
    ['HMAC_HEADER', 'generic', '', flux()],
  ];
  const reached = new Set<string>();
  /** A real body in which one place holds something else. */
  const junk = fc.oneof(fc.jsonValue(), fc.string({ maxLength: 3_000, unit: 'binary' }));
  const broken = fc
    .tuple(fc.constantFrom(...told), fc.nat(), junk)
    .map(([[scheme, purpose, event, body], at, instead]) => {
      const copy = structuredClone(body) as Record<string, unknown>;
      const places: [Record<string, unknown>, string][] = [];
      const walk = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return;
        for (const key of Object.keys(value)) {
          places.push([value as Record<string, unknown>, key]);
          walk((value as Record<string, unknown>)[key]);
        }
      };
      walk(copy);
      const [inside, key] = places[at % places.length]!;
      inside[key] = instead;
      return { scheme, purpose, event, body: JSON.stringify(copy) };
    });

  const anything = fc.record({
    scheme: fc.constantFrom(...SCHEME_NAMES),
    purpose: fc.constantFrom<Purpose>('git', 'argocd', 'generic'),
    event: fc.constantFrom('push', 'pull_request', 'merge_group', 'repo:push', 'Push Hook', '', '\u0000'),
    body: fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.constant(undefined)),
  });
  fc.assert(
    fc.property(fc.oneof({ weight: 3, arbitrary: broken }, anything), ({ scheme, purpose, event, body }) => {
      const [name = 'x'] = SCHEMES[scheme].events;
      const kept = readNews(purpose, scheme, { [name]: event }, body);
      for (const { kind } of kept.news) reached.add(kind);
      if (kept.news.length === 0) {
        expect(kept.nothing).toBeTruthy();
        reached.add('nothing');
      }
      const stored = JSON.stringify(kept);
      expect(stored.length).toBeLessThan(20_000);
      // What PostgreSQL takes.
      expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/);
    }),
    { numRuns: 2_000 },
  );
  expect([...reached].sort()).toEqual(['ARGO_CD', 'MERGE_GROUP', 'PRODUCTS', 'PULL_REQUEST', 'PUSH', 'nothing']);
});
