import type { CommitsBetween } from '../driver.ts';
import { recordsWithEmail, shown } from './history.ts';
import type { Mirror } from './mirror.ts';

/** Commits beyond these are not counted. */
const MOST_COUNTED = 10_000;

/**
 * What two commits do not share, of what touched the folder: counted, and those that `to` alone has listed, newest first. Asks the local
 * copy and nothing else: a commit that was not fetched yet makes the answer unknown.
 */
export async function commitsBetween(
  mirror: Mirror,
  { from, to, folder, list }: { from: string; to: string; folder: string; list: number },
  signal: AbortSignal,
): Promise<CommitsBetween> {
  const paths = folder === '' ? [] : [folder];
  for (const each of [from, to]) {
    const { code } = await mirror.run(['cat-file', '-e', `${each}^{commit}`], signal);
    if (code !== 0) return { kind: 'UNKNOWN', missing: each };
  }
  const count = [
    'rev-list',
    '--left-right',
    '--count',
    `--max-count=${MOST_COUNTED}`,
    `${from}...${to}`,
    '--',
    ...paths,
  ];
  const [gone = '', added = ''] = (await mirror.ask(count, signal)).toString('latin1').trim().split('\t');
  const commits =
    list === 0 || added === '0'
      ? []
      : await recordsWithEmail(mirror, [`--max-count=${list}`, `${from}..${to}`, '--', ...paths], signal);
  return {
    kind: 'KNOWN',
    gone: Number(gone),
    added: Number(added),
    commits: commits.map(({ email: _, ...each }) => shown(each)),
  };
}
