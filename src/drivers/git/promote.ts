import type { GitDriverSpec } from '../../core/definitions.ts';
import type { Effect, EffectContext, PinnedContent } from '../driver.ts';
import { TransientError } from '../driver.ts';
import { changesAndSkipped, pathsOf } from './changes.ts';
import type { CommitStyle } from './commit.ts';
import { buildCommit, messageFor } from './commit.ts';
import { seenBeneath } from './drift.ts';
import { becameSo, keyAdded, shown } from './history.ts';
import type { Mirror } from './mirror.ts';
import type { Search, SigningKeys } from './proof.ts';
import { findEffect, holdsAt, sealOf, written } from './proof.ts';
import { restoringChanges } from './restore.ts';

/** Content that is to be brought to a folder of a branch. */
export interface Promotion {
  /** Application, repository, branch and path, for every message about it. */
  where: string;
  target: GitDriverSpec;
  /** The target's path, checked. */
  folder: string;
  content: PinnedContent;
  context: EffectContext;
}

/** What a commit of a promotion is made with. */
export interface PromotionTools {
  /** How commits of an application look. */
  style: (target: GitDriverSpec) => Promise<CommitStyle>;
  signingKeys: SigningKeys;
}

/** What a promotion comes to on top of a commit. */
export interface Prepared {
  effect: Effect;
  /** Made in the mirror, and to be pushed; absent: there is nothing to push. */
  commit?: string;
}

/**
 * The commit of a promotion on top of `head`, in the mirror only; nothing to push where the branch has the effect already, or holds the
 * content.
 */
export async function preparePromotion(
  mirror: Mirror,
  head: string,
  { where, target, folder, content, context }: Promotion,
  { style: styleOf, signingKeys }: PromotionTools,
): Promise<Prepared> {
  const { signal, rollback } = context;
  const search: Search = { mirror, head, folder, keys: await signingKeys() };
  const before = await findEffect(search, content, context);
  if (before) return { effect: { ...shown(before.facts), changed: before.changed } };

  const planned = rollback
    ? { changes: await restoringChanges(search, content, rollback.undo, context), skipped: [] }
    : await changesAndSkipped(mirror, head, folder, content, signal);
  const { changes } = planned;
  const skipped = planned.skipped.length > 0 ? { skipped: planned.skipped } : {};
  // A push of what is taken back may be on its way: a new head makes it come second, and then it is asked whether it is wanted.
  const fence = changes.length === 0 && rollback?.mayStillArrive !== undefined && (await rollback.mayStillArrive());
  if (changes.length === 0 && !fence) {
    const holds = (commit: string): Promise<boolean> => holdsAt(mirror, commit, folder, content, signal);
    const first = await becameSo(mirror, head, pathsOf(folder, content), holds, signal);
    return { effect: { ...(first && shown(first)), changed: false, ...skipped } };
  }
  const drift = fence ? null : await seenBeneath(mirror, where, folder, head, content, context);
  const seal = sealOf(search.keys, context, written(changes, head.length));
  const style = await styleOf(target);
  const message = messageFor(content, context, seal, style);
  const facts = await buildCommit(mirror, head, changes, message, style, signal);
  keyAdded(mirror, head, facts.commit, context.key);
  return { effect: { ...shown(facts), changed: !fence, ...(drift && { drift }), ...skipped }, commit: facts.commit };
}

/** Right before a push. @throws TransientError when the caller has given the effect up: what came of it counts for nothing. */
export async function mustBeMine(where: string, { stillMine, signal }: EffectContext): Promise<void> {
  signal.throwIfAborted();
  if (stillMine === undefined || (await stillMine())) return;
  throw new TransientError(`${where}: the promotion was given up meanwhile, so nothing is pushed`);
}
