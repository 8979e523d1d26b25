import fc from 'fast-check';
import { mkdirSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { CACHE_LIMITS } from '../../src/drivers/git/cache.ts';
import type { Change } from '../../src/drivers/git/changes.ts';
import { buildCommit } from '../../src/drivers/git/commit.ts';
import { Mirror } from '../../src/drivers/git/mirror.ts';
import { Places } from '../../src/drivers/git/mutex.ts';
import { parseAddress } from '../../src/drivers/git/address.ts';
import { LOOPBACK } from '../../src/drivers/network/allowed.ts';
import { NetworkGuard } from '../../src/drivers/network/guard.ts';
import { git, makeFolder, Repository } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const times = { remoteMs: 60_000, fetchMs: 60_000, localMs: 60_000, inTurnMs: 60_000 };
const clock = { ...systemClock, now: () => new Date('2030-01-02T03:04:05Z') };

/** A mirror of the repository, and where its branch stands. */
async function mirrorOf(repo: Repository, cache: string): Promise<{ mirror: Mirror; dir: string; head: string }> {
  const address = parseAddress(repo.url, ['file']);
  const fetching = { firsts: new Places(1), closing: never };
  const guard = new NetworkGuard(LOOPBACK);
  mkdirSync(folder.path(cache));
  const mirror = new Mirror(folder.path(cache), address, undefined, guard, times, CACHE_LIMITS, clock, fetching);
  const head = await mirror.fetchHead('main', 'here', never);
  const dir = (await mirror.ask(['rev-parse', '--absolute-git-dir'], never)).toString().trim();
  return { mirror, dir, head };
}

const quoted = (path: string): string => `"${path.replace(/["\\]/g, '\\$&')}"`;

/** The same commit by git itself. */
function byGit(dir: string, head: string, changes: readonly Change[], message: string): string {
  const who = 'Sluice <sluice@example.com> 1893553445 +0000';
  const size = Buffer.byteLength(message);
  const lines = changes.map((each) =>
    each.mode === null
      ? `D ${quoted(each.path)}\n`
      : `M ${each.mode} inline ${quoted(each.path)}\ndata ${each.bytes.length}\n${each.bytes.toString('utf8')}\n`,
  );
  const stream = `commit refs/sluice/test\nmark :1\nauthor ${who}\ncommitter ${who}\ndata ${size}\n${message}\nfrom ${head}\n${lines.join('')}\nget-mark :1\ndone\n`;
  return git(dir, ['fast-import', '--quiet', '--done', '--force'], stream).trim();
}

// Names that git sorts otherwise than they read: a folder counts as if it ended in a slash.
const name = fc.constantFrom('a', 'a.b', 'a-b', 'a0', 'ab', 'B', 'ü', '名', 'x y', '"q"', 'z');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const written = fc.record({
  path,
  mode: fc.constantFrom('100644' as const, '100755' as const),
  bytes: fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
});
const gone = fc.record({ path, mode: fc.constant(null) });
const changes = fc
  .uniqueArray(fc.oneof({ weight: 3, arbitrary: written }, gone), { selector: (each) => each.path, maxLength: 8 })
  // No path is a file and a folder at once: the driver refuses that before.
  .filter((all) => all.every((one) => all.every((other) => !other.path.startsWith(`${one.path}/`))));

test.each(['sha1', 'sha256'] as const)(
  'a commit is the one that git would make of the same changes: %s',
  async (format) => {
    const repo = new Repository(
      folder,
      `same-${format}`,
      { 'a.b': '1', 'a/b/c': '2', 'a0/x': '3', 'ü/名': '4', top: '5' },
      format,
    );
    const { mirror, dir, head } = await mirrorOf(repo, `cache-${format}`);
    const style = { name: 'Sluice', email: 'sluice@example.com' };
    let tip = head;
    let made = 0;
    await fc.assert(
      fc.asyncProperty(changes, fc.string({ maxLength: 20, unit: 'grapheme' }), async (all, said) => {
        const message = `${said.replaceAll('\0', '')}\n`;
        const { commit } = await buildCommit(mirror, tip, all, message, style, never);
        expect(commit).toBe(byGit(dir, tip, all, message));
        tip = commit;
        made += 1;
      }),
      { numRuns: 25 },
    );
    expect(made).toBe(25);
    git(dir, ['fsck', '--strict', '--no-dangling']);
    await mirror.close();
  },
  60_000,
);
