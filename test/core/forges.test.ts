import { describe, expect, test } from 'vitest';
import { forgeFor, movedAddress } from '../../src/core/forges.ts';
import type { ForgeUse } from '../../src/core/forges.ts';

const secret = (name: string, forge: ForgeUse['forge'], url: string, more: Partial<ForgeUse> = {}) => ({
  name,
  use: { kind: 'FORGE' as const, forge, url, ...more },
});

describe('the forge of a repository', () => {
  test.each([
    ['https://github.com/acme/config', 'github', 'https://github.com/', 'https://api.github.com', 'acme/config'],
    [
      'https://github.com/acme/config.git',
      'github',
      'https://github.com/acme',
      'https://api.github.com',
      'acme/config',
    ],
    ['git@github.com:acme/config.git', 'github', 'https://github.com/acme/', 'https://api.github.com', 'acme/config'],
    ['ssh://git@github.com:22/acme/config', 'github', 'https://github.com', 'https://api.github.com', 'acme/config'],
    [
      'https://bot:token@github.com/acme/config',
      'github',
      'https://github.com/',
      'https://api.github.com',
      'acme/config',
    ],
    ['https://acme.ghe.com/a/b', 'github', 'https://acme.ghe.com/', 'https://api.acme.ghe.com', 'a/b'],
    ['https://git.corp.example/a/b', 'github', 'https://git.corp.example/', 'https://git.corp.example/api/v3', 'a/b'],
    [
      'https://gitlab.com/g/sub/deep/p.git',
      'gitlab',
      'https://gitlab.com/g/',
      'https://gitlab.com/api/v4',
      'g/sub/deep/p',
    ],
    ['http://127.0.0.1:3000/a/b.git', 'gitea', 'http://127.0.0.1:3000/', 'http://127.0.0.1:3000/api/v1', 'a/b'],
  ] as const)('%s is found', (repoURL, forge, url, apiUrl, name) => {
    const one = secret('bot', forge, url);
    expect(forgeFor(repoURL, [one])).toEqual({ secret: 'bot', use: one.use, apiUrl, name });
  });

  test('a forge that is served in a folder says so by the address of its API', () => {
    const apiUrl = 'https://example.com/git/api/v1/';
    const one = secret('bot', 'gitea', 'https://example.com/git/', { apiUrl });
    expect(forgeFor('https://example.com/git/a/b.git', [one])).toMatchObject({
      apiUrl: 'https://example.com/git/api/v1',
      name: 'a/b',
    });
  });

  test('the longest beginning wins, at whole segments', () => {
    const secrets = [
      secret('all', 'github', 'https://github.com/'),
      secret('team', 'github', 'https://github.com/acme'),
      secret('one', 'github', 'https://github.com/acme/config'),
    ];
    const chosen = (repoURL: string) => forgeFor(repoURL, secrets.toReversed());
    expect(chosen('https://github.com/acme/config.git')).toMatchObject({ secret: 'one' });
    expect(chosen('https://github.com/acme/config-2')).toMatchObject({ secret: 'team' });
    expect(chosen('https://github.com/acme-evil/config')).toMatchObject({ secret: 'all' });
  });

  test.each([
    ['https://github.com.evil.example/acme/config', 'https://github.com/'],
    ['https://github.com:8443/acme/config', 'https://github.com/'],
    ['http://git.example.com/acme/config', 'https://git.example.com/'],
    ['git@git.example.com.evil.example:acme/config', 'https://git.example.com/'],
  ])('%s does not begin with %s', (repoURL, url) => {
    expect(forgeFor(repoURL, [secret('bot', 'github', url)])).toHaveProperty('why');
  });

  test.each([
    [
      'https://github.com/acme/x',
      'github',
      /token for GitHub.*`sluice secret set NAME --forge github --forge-url https:\/\/github.com\/OWNER\/`/,
    ],
    ['git@gitlab.com:acme/x.git', 'gitlab', /token for GitLab.*--forge gitlab/],
    ['https://codeberg.org/acme/x', 'gitea', /token for Gitea or Forgejo/],
    ['https://bitbucket.org/acme/x', null, /^Sluice opens no pull requests on Bitbucket.*use action commit$/],
    ['git@ssh.dev.azure.com:v3/acme/p/x', null, /Azure DevOps/],
    ['https://git.example.com/acme/x', null, /no secret says which forge has "https:\/\/git.example.com\/acme\/x"/],
    ['file:///srv/git/x.git', null, /no host that has pull requests: use action commit/],
    ['/srv/git/x.git', null, /no host that has pull requests/],
  ])('%s has none, and the sentence says what to do', (repoURL, known, why) => {
    expect(forgeFor(repoURL, [])).toEqual({ known, why: expect.stringMatching(why) });
  });

  test('a login in the address is shown by no sentence', () => {
    const found = forgeFor('https://ada:hunter22@git.example.com/acme/x?token=abc', []);
    expect(JSON.stringify(found)).not.toMatch(/hunter22|abc/);
  });

  test.each([
    'https://github.com/acme',
    'https://github.com/acme/a/b',
    'https://github.com/acme/..%2f..',
    'https://github.com/acme/%',
  ])('%s is no repository of GitHub', (repoURL) => {
    const found = forgeFor(repoURL, [secret('bot', 'github', 'https://github.com/')]);
    expect(found).toEqual({ known: null, why: expect.stringContaining('has no owner and name as GitHub has them') });
  });
});

describe('the address of a repository that got another name', () => {
  test.each([
    ['https://github.com/acme/config', 'acme/config', 'acme/settings', 'https://github.com/acme/settings'],
    ['https://bot@github.com/acme/config.git', 'acme/config', 'corp/config', 'https://bot@github.com/corp/config.git'],
    ['git@github.com:acme/config.git', 'acme/config', 'acme/settings', 'git@github.com:acme/settings.git'],
    ['ssh://git@host:2222/acme/config/', 'acme/config', 'acme/settings', 'ssh://git@host:2222/acme/settings'],
    ['https://host/forge/acme/config.git', 'acme/config', 'acme/settings', 'https://host/forge/acme/settings.git'],
    ['https://gitlab.com/g/sub/p.git', 'g/sub/p', 'other/p', 'https://gitlab.com/other/p.git'],
    ['https://gitlab.com/g/p', 'g/p', 'g/sub/deep/p', 'https://gitlab.com/g/sub/deep/p'],
  ])('%s', (repoURL, from, to, expected) => {
    expect(movedAddress(repoURL, from, to)).toBe(expected);
  });
});
