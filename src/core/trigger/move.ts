import type { CommitClaim, CommitFacts } from './commits.ts';
import { quote } from '../wording.ts';

/** Where an application of a trigger environment stood when it was looked at last. */
export interface Cursor {
  /** The head of its branch. */
  head: string | null;
  /** The commit that brought its content; null: not asked yet. */
  commit: string | null;
  digest: string | null;
  epoch: number;
}

/** What git says of the branch and the folder since then; see `Move` of the drivers. */
export interface MoveFacts {
  relation: 'FIRST' | 'SAME' | 'AHEAD' | 'LEFT';
  head: string;
  touched?: readonly string[];
  content?: CommitFacts & { digest: string };
  changed?: boolean;
  commits?: readonly CommitFacts[];
}

/** What a move comes to for one application. CHANGED alone can become a candidate. */
export interface MoveVerdict {
  kind: 'FIRST' | 'SAME' | 'UNTOUCHED' | 'UNCHANGED' | 'OWN' | 'CHANGED';
  /** Where the cursor goes; null: it stays. */
  next: Cursor | null;
  /** In words. */
  outcome: string;
  /** Of CHANGED: the commits that people made, newest first; at least the one that brought the content. */
  commits: CommitFacts[];
  /** Paths below the folder, absent where they are not known. */
  touched?: readonly string[];
  /** Installations of Sluice that the change went through before it came here. */
  chain: number;
}

/**
 * What becomes of a move. The cursor goes where the branch is, whatever came of it, so that nothing is judged twice; a branch that was
 * pushed with force begins a new epoch: a state that comes back then is another one. Content decides; commits of this installation
 * never count, and a squash that holds one is one. `seen`: the head that was told, which may be an old one.
 */
export function judgeMove(
  { head: before, commit, digest, epoch }: Cursor,
  move: MoveFacts,
  { branch, seen, known }: { branch: string; seen?: string; known: ReadonlySet<string> },
): MoveVerdict {
  const nothing = { commits: [], chain: 0 };
  const at = `branch ${quote(branch)} is at ${short(move.head)}`;
  const { relation } = move;
  if (relation === 'FIRST') {
    const next = { head: move.head, commit, digest, epoch };
    return { kind: 'FIRST', next, outcome: `first look: ${at}, and the next change counts`, ...nothing };
  }
  if (relation === 'SAME') {
    const older = seen !== undefined && seen !== before;
    const outcome = older ? `${short(seen)} is older than what was seen: ${at}` : `seen before: ${at}`;
    return { kind: 'SAME', next: null, outcome, ...nothing };
  }
  const left = relation === 'LEFT';
  const forced = left ? `branch ${quote(branch)} was pushed with force to ${short(move.head)}: ` : '';
  const next: Cursor = { head: move.head, commit, digest, epoch: left ? epoch + 1 : epoch };
  if (!move.content) return { kind: 'UNTOUCHED', next, outcome: `${forced}nothing changed in its folder`, ...nothing };
  if (!move.changed) {
    const outcome = `${forced}${short(move.content.commit)} changed nothing that is promoted`;
    return { kind: 'UNCHANGED', next: { ...next, digest: move.content.digest }, outcome, ...nothing };
  }
  next.commit = move.content.commit;
  next.digest = move.content.digest;
  const commits = move.commits ?? [];
  const isOwn = ({ claim }: CommitFacts): boolean => claim !== undefined && isOurs(claim, known);
  const others = commits.filter((each) => !isOwn(each));
  if (commits.length > 0 && others.length === 0) {
    const outcome = `${forced}${short(move.content.commit)} was made by Sluice itself`;
    return { kind: 'OWN', next, outcome, ...nothing };
  }
  const told = others.length > 0 ? others : [move.content];
  const chain = Math.max(0, ...told.map(({ claim }) => (claim ? claim.chain + 1 : 0)));
  const { touched } = move;
  return {
    kind: 'CHANGED',
    next,
    outcome: `${forced}${short(move.content.commit)} changed its content`,
    commits: told,
    chain,
    ...(touched && { touched }),
  };
}

/** Marks can be copied: without a signature they count only for a release that is known here. */
function isOurs({ signed, here, releases }: CommitClaim, known: ReadonlySet<string>): boolean {
  return signed || (here && releases.some((each) => known.has(each)));
}

const short = (commit: string): string => commit.slice(0, 9);
