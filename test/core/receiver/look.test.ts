import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextLook } from '../../../src/core/receiver/look.ts';
import type { HeadsAnswer } from '../../../src/core/receiver/look.ts';
import { watchedRepositories } from '../../../src/core/receiver/watched.ts';

const seen: HeadsAnswer = { kind: 'HEADS', heads: new Map() };
const failed = (why: 'UNREACHABLE' | 'RATE_LIMITED' | 'CREDENTIALS', retryAfter?: number): HeadsAnswer => ({
  kind: 'FAILED',
  why,
  message: 'no',
  ...(retryAfter !== undefined && { retryAfter }),
});
const half = { interval: 60_000, failures: 1, random: 0 };

test.each([
  ['an answer: after the interval', seen, half, 60_000, null],
  ['never later than that, and up to 15 % earlier', seen, { ...half, random: 1 }, 51_000, null],
  ['a failure: soon', failed('UNREACHABLE'), half, 5_000, null],
  ['the fifth: later', failed('UNREACHABLE'), { ...half, failures: 5 }, 80_000, null],
  ['the fiftieth: after a quarter of an hour', failed('UNREACHABLE'), { ...half, failures: 50 }, 900_000, null],
  ['too many calls: when the host says', failed('RATE_LIMITED', 120_000), half, 120_000, 120_000],
  ['and after a minute when it does not', failed('RATE_LIMITED'), half, 60_000, 60_000],
  ['a refused login: not by itself', failed('CREDENTIALS'), half, null, null],
])('%s', (_name, answer, asked, after, hostPause) => {
  expect(nextLook(answer, asked)).toEqual({ after, hostPause });
});

test('whatever comes, a look is due again within a quarter of an hour or the pause that the host asked for', () => {
  const why = fc.constantFrom('UNREACHABLE' as const, 'RATE_LIMITED' as const, 'NOT_FOUND' as const);
  const given = fc.record({
    why,
    retryAfter: fc.option(fc.integer({ min: 0, max: 86_400_000 }), { nil: undefined }),
    interval: fc.integer({ min: 5_000, max: 86_400_000 }),
    failures: fc.integer({ min: 1, max: 1_000 }),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(given, ({ why: reason, retryAfter, ...asked }) => {
      const answer: HeadsAnswer = {
        kind: 'FAILED',
        why: reason,
        message: '',
        ...(retryAfter !== undefined && { retryAfter }),
      };
      const { after } = nextLook(answer, asked);
      expect(after).toBeGreaterThan(0);
      expect(after).toBeGreaterThanOrEqual(retryAfter ?? 0);
      expect(after).toBeLessThanOrEqual(Math.max(900_000, retryAfter ?? 0));
    }),
  );
});

test('trap 27: a thousand applications in one repository are one call, however its address is spelled', () => {
  const spellings = ['https://Git.example/a/b.git', 'https://git.example/a/b', 'https://git.example/a/b/'];
  const sources = Array.from({ length: 1_000 }, (_, index) => ({
    driver: {
      type: 'git' as const,
      repoURL: spellings[index % 3]!,
      branch: index % 2 ? 'main' : 'dev',
      path: `app-${index}`,
    },
    interval: index === 7 ? 30_000 : 60_000,
  }));
  expect(watchedRepositories(sources, [{ repository: 'https://git.example/a/b', branch: 'prod' }])).toEqual([
    { repository: spellings[0], host: 'git.example', branches: ['dev', 'main', 'prod'], intervalMs: 30_000 },
  ]);
});
