import { describe, expect, test } from 'vitest';
import { issuesIn, newestOf, noted } from '../../src/core/release-notes.ts';
import { processorTime } from '../support/processor-time.ts';

const github = { repoURL: 'https://github.com/acme/shop.git' };

describe('the issues that a message names', () => {
  test.each([
    ['Fixes #12.', [['#12', 'https://github.com/acme/shop/issues/12']]],
    ['see GH-7 and #7', [['#7', 'https://github.com/acme/shop/issues/7']]],
    ['as acme/docs#3 says', [['acme/docs#3', 'https://github.com/acme/docs/issues/3']]],
    ['SHOP-12: prices', [['SHOP-12', null]]],
    ['UTF-8 and SHA-256 are no issues, nor is a#1, colour #12ab34 or x-SHOP-1', []],
    ['nothing', []],
  ])('%s', (message, expected) => {
    expect(issuesIn(message, github).map(({ key, url }) => [key, url])).toEqual(expected);
  });

  test('are read at their host, as far as that is known', () => {
    const at = (repoURL: string, forge?: 'gitlab' | 'gitea'): string | null | undefined =>
      issuesIn('#1', { repoURL, forge })[0]?.url;
    expect(at('git@github.com:acme/shop.git')).toBe('https://github.com/acme/shop/issues/1');
    expect(at('https://gitlab.com/a/b/shop')).toBe('https://gitlab.com/a/b/shop/-/issues/1');
    expect(at('https://git.example.com/a/shop.git')).toBeNull();
    expect(at('https://git.example.com/a/shop.git', 'gitea')).toBe('https://git.example.com/a/shop/issues/1');
    expect(at('https://user:secret@git.example.com:3000/a/shop', 'gitlab')).toBe(
      'https://git.example.com:3000/a/shop/-/issues/1',
    );
    expect(at('/srv/git/shop.git', 'gitea')).toBeNull();
  });

  test('of a tracker beside it have its address, unless that is none of the web', () => {
    const url = (tracker: string): string | null | undefined => issuesIn('SHOP-12', { ...github, tracker })[0]?.url;
    expect(url('https://jira.example.com/browse/${KEY}')).toBe('https://jira.example.com/browse/SHOP-12');
    expect(url('javascript:alert(${KEY})')).toBeNull();
  });

  test('are twenty at most, and a long message is read at once', () => {
    const many = Array.from({ length: 100 }, (_, index) => `#${index + 1}`).join(' ');
    expect(issuesIn(many, github)).toHaveLength(20);
    const took = processorTime(() => {
      for (const text of ['a-', 'a/', 'A', '#', 'GH-', 'a/b#']) issuesIn(text.repeat(10_000 / text.length), github);
    });
    expect(took).toBeLessThan(500);
  });
});

test('commits of several sources are one list, the newest first and each once', () => {
  const at = (commit: string, date: string, application: string) =>
    noted({ commit, author: 'Ada <a@x>', date, message: `${commit}\n\nbody #1` }, application, github);
  const all = [
    at('c1', '2026-01-01T00:00:00Z', 'a'),
    at('c3', '2026-01-03T00:00:00Z', 'b'),
    at('c1', '2026-01-01T00:00:00Z', 'b'),
  ];
  expect(newestOf(all, 10).map(({ commit, subject, issues }) => [commit, subject, issues.length])).toEqual([
    ['c3', 'c3', 1],
    ['c1', 'c1', 1],
  ]);
  expect(newestOf(all, 1)).toHaveLength(1);
});
