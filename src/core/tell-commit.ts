import type { Draft } from './draft.ts';
import type { ReleasePlan } from './plan.ts';

/** The release starts, or goes on after its end: from now on the hosts of its commits are told how it goes. */
export function askToTellCommit(draft: Draft, since?: number): void {
  if (isFromGit(draft.plan)) draft.work.push({ kind: 'tell-commit', ...(since !== undefined && { since }) });
}

/** The version came as a commit, whose host can be told. */
function isFromGit({ promotions, triggerEnvironment, rollback }: ReleasePlan): boolean {
  if (rollback) return false;
  const source = promotions.find(({ environment }) => environment === triggerEnvironment);
  return source?.applications.some(({ spec }) => spec.driver.type === 'git') ?? false;
}
