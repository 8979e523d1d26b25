import { inertly } from '../../core/pull-request-text.ts';
import type { Effect, EffectContext, PinnedContent, Proposal, ProposedFile } from '../driver.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { sleep } from '../sleep.ts';
import type { CommitStyle } from './commit.ts';
import { buildCommit, messageFor } from './commit.ts';
import { checkBranch } from './address.ts';
import type { Change } from './changes.ts';
import { changesAndSkipped, pathsOf } from './changes.ts';
import { seenBeneath } from './drift.ts';
import { isRace } from './errors.ts';
import type { CommitFacts } from './history.ts';
import { becameSo, commitsWithKey, shown } from './history.ts';
import type { Mirror } from './mirror.ts';
import type { PartOfProposal } from '../driver.ts';
import type { SigningKeys } from './proof.ts';
import { holdsAt, isBelow, isSigned, pathIn, sealOf, writtenBy, written } from './proof.ts';
import { restoringChanges } from './restore.ts';
import type { GitDriverSpec } from '../../core/definitions.ts';

/** What is proposed for one application; `folder` is where it lives, checked. */
export type FolderOfProposal = PartOfProposal<GitDriverSpec> & { folder: string };

/** What a proposal is made with. */
export interface ProposalTools {
  /** How its commit looks. */
  style: () => Promise<CommitStyle>;
  signingKeys: SigningKeys;
  /** Right before the push. @throws when the effect was given up */
  mustBeMine(where: string, context: EffectContext): Promise<void>;
}

/** A second worker, or a first try whose answer was lost, has the branch made by then: one more look finds it. */
const TRIES = 5;

/**
 * One commit with the changes of all parts, on a branch of its own that begins at the head of the target's branch. The branch is only
 * ever created: a push where it is there already is refused by the host, and what stands there then is looked at. With a signed
 * commit of this key it is the one that was wanted, also with commits of others on top.
 */
export async function propose(
  mirror: Mirror,
  where: string,
  onto: string,
  parts: readonly FolderOfProposal[],
  branch: string,
  context: EffectContext,
  tools: ProposalTools,
): Promise<Proposal> {
  checkBranch(branch);
  const { signal } = context;
  for (let tried = 1; tried <= TRIES; tried += 1) {
    const base = await mirror.fetchHead(onto, where, signal);
    const found = await findProposal(mirror, where, branch, parts, context, tools);
    if (found) return { ...(await toldOf(mirror, found.facts, signal)), branch, head: found.head };
    const made = await proposeOnce(mirror, where, base, parts, branch, context, tools);
    if (made) return made;
    await sleep(50 * tried * (0.5 + Math.random()), signal);
  }
  throw new TransientError(`${where}: branch "${branch}" was there and gone again, ${TRIES} times in a row`);
}

/** Undefined when the branch is there by then. */
async function proposeOnce(
  mirror: Mirror,
  where: string,
  base: string,
  parts: readonly FolderOfProposal[],
  branch: string,
  context: EffectContext,
  tools: ProposalTools,
): Promise<Proposal | undefined> {
  const { signal } = context;
  const keys = await tools.signingKeys();
  const changes: Change[] = [];
  const skipped: string[] = [];
  for (const part of parts) {
    const planned = await changesOf(mirror, base, keys, part, context);
    changes.push(...planned.changes);
    skipped.push(...planned.skipped);
  }
  const left = skipped.length > 0 ? { skipped } : {};
  if (changes.length === 0) return { ...(await heldSince(mirror, base, parts[0]!, signal)), branch, base, ...left };
  for (const { folder, content, live } of parts)
    await seenBeneath(mirror, where, folder, base, content, { ...context, ...(live && { live }) });
  const [{ content, rollback }] = parts as [FolderOfProposal];
  const back = rollback && { ...rollback, takesBack: inertly(rollback.takesBack), reason: inertly(rollback.reason) };
  const of = { ...context, ...(back && { rollback: back }) };
  const seal = sealOf(keys, of, written(changes, base.length));
  const style = await tools.style();
  const message = messageFor(told(content), of, seal, style);
  const facts = await buildCommit(mirror, base, changes, message, style, signal);
  await tools.mustBeMine(where, context);
  // An empty expectation: the branch must not be there. Two that push it make one.
  const lease = `--force-with-lease=refs/heads/${branch}:`;
  const refspec = `${facts.commit}:refs/heads/${branch}`;
  const push = await mirror.remote(['push', '--porcelain', '--no-verify', lease, '--', mirror.url, refspec], signal);
  if (push.code === 0) return { ...(await toldOf(mirror, facts, signal)), branch, head: facts.commit, ...left };
  const said = `${push.stderr}\n${push.stdout.toString()}`;
  if (isRace(said)) return undefined;
  const error = mirror.error(where, said, push.retryAfter);
  if (error instanceof TransientError) throw error;
  const cure = 'the host must let Sluice create branches of this name: see SLUICE_BRANCH_PREFIX';
  throw new PermanentError(`${error.message}: branch "${branch}" could not be created; ${cure}`);
}

/** Hosts read the messages of what is merged, and close issues by them. */
const told = (content: PinnedContent): PinnedContent => ({ ...content, label: inertly(content.label) });

/** What has to be written for one application on top of `base`. */
async function changesOf(
  mirror: Mirror,
  base: string,
  keys: readonly string[],
  { folder, content, rollback }: FolderOfProposal,
  context: EffectContext,
): Promise<{ changes: Change[]; skipped: string[] }> {
  if (!rollback) return changesAndSkipped(mirror, base, folder, content, context.signal);
  const search = { mirror, head: base, folder, keys };
  return { changes: await restoringChanges(search, content, rollback.undo, context), skipped: [] };
}

/** Since when the target holds the content already. */
async function heldSince(
  mirror: Mirror,
  head: string,
  { folder, content }: FolderOfProposal,
  signal: AbortSignal,
): Promise<Effect & { files: [] }> {
  const holds = (commit: string): Promise<boolean> => holdsAt(mirror, commit, folder, content, signal);
  const first = await becameSo(mirror, head, pathsOf(folder, content), holds, signal);
  return { ...(first && shown(first)), changed: false, files: [] };
}

/** The branch as it stands, where a commit on it is the one of this key; undefined: there is no such branch. */
async function findProposal(
  mirror: Mirror,
  where: string,
  branch: string,
  parts: readonly FolderOfProposal[],
  { key, since, signal }: EffectContext,
  { signingKeys }: ProposalTools,
): Promise<{ head: string; facts: CommitFacts } | undefined> {
  const asked = await mirror.remote(['ls-remote', '--heads', '--', mirror.url, `refs/heads/${branch}`], signal);
  if (asked.code !== 0) throw mirror.error(where, asked.stderr, asked.retryAfter);
  // A pattern also fits `refs/heads/x/refs/heads/…`.
  if (
    !asked.stdout
      .toString()
      .split('\n')
      .some((line) => line.endsWith(`\trefs/heads/${branch}`))
  )
    return undefined;
  const head = await mirror.fetchHead(branch, where, signal);
  const keys = await signingKeys();
  for (const facts of await commitsWithKey(mirror, head, key, since, signal)) {
    const changes = await writtenBy(mirror, facts.commit, signal);
    const ours = changes.every((each) => parts.some(({ folder }) => isBelow(folder, pathIn(each))));
    if (ours && isSigned(keys, facts.message, changes)) return { head, facts };
  }
  throw new PermanentError(
    `${where}: there is a branch "${branch}" that this promotion has not made: delete it, or set another SLUICE_BRANCH_PREFIX`,
  );
}

/** What a commit of ours proposes, file by file. */
async function toldOf(
  mirror: Mirror,
  facts: CommitFacts,
  signal: AbortSignal,
): Promise<Effect & Pick<Proposal, 'base' | 'files'>> {
  const parent = (await mirror.ask(['rev-parse', '--verify', `${facts.commit}^`], signal)).toString().trim();
  const args = ['diff-tree', '-r', '-z', '--numstat', '--no-renames', '--no-commit-id', facts.commit];
  const lines = (await mirror.ask(args, signal)).toString('utf8').split('\0').filter(Boolean);
  const files = lines.slice(0, MOST_FILES).map((line): ProposedFile => {
    const [added = '-', removed = '-', ...path] = line.split('\t');
    const count = (told: string): number | null => (told === '-' ? null : Number(told));
    return { path: path.join('\t'), added: count(added), removed: count(removed) };
  });
  return {
    ...shown(facts),
    changed: true,
    base: parent,
    files,
    ...(lines.length > MOST_FILES && { more: lines.length - MOST_FILES }),
  };
}

/** A pull request names no more. */
const MOST_FILES = 100;
