import type { MergeAnswer, PullRequestSeen } from './forge.ts';
import { knownBefore, merged } from './once.ts';

/** A merge request as GitLab answers it. */
export interface MergeRequest {
  iid: number;
  web_url: string;
  state: string;
  draft?: boolean;
  work_in_progress?: boolean;
  title: string;
  source_branch: string;
  target_branch: string;
  source_project_id: number | null;
  target_project_id: number;
  sha: string | null;
  merge_status?: string;
  detailed_merge_status?: string;
  has_conflicts?: boolean;
  merged_at?: string | null;
  merge_commit_sha?: string | null;
  squash_commit_sha?: string | null;
  merge_user?: { username?: string } | null;
  merged_by?: { username?: string } | null;
  closed_by?: { username?: string } | null;
  merge_when_pipeline_succeeds?: boolean;
  updated_at: string;
}

/** GitLab merges it by itself: as soon as its pipeline has passed, or on a merge train. */
export const isOnItsWay = ({ merge_when_pipeline_succeeds: set }: MergeRequest): boolean => set === true;

/** What keeps GitLab from merging, by its `detailed_merge_status`. */
const BLOCKED: Record<string, string> = {
  ci_must_pass: 'its pipeline must succeed',
  ci_still_running: 'its pipeline is still running',
  discussions_not_resolved: 'its discussions are not resolved',
  draft_status: 'it is a draft',
  not_approved: 'approvals are missing',
  requested_changes: 'a reviewer asked for changes',
  need_rebase: 'it has to be rebased',
  status_checks_must_pass: 'its external status checks must pass',
  external_status_checks: 'its external status checks must pass',
  policies_denied: 'a policy denies it',
  blocked_status: 'another merge request blocks it',
  jira_association_missing: 'its title or description has to name an issue of Jira',
  merge_time: 'it may be merged only later',
  security_policy_violations: 'it violates a security policy',
  locked_paths: 'it changes paths that are locked',
  title_regex: 'its title is not as the project wants it',
};
const UNKNOWN = new Set(['unchecked', 'checking', 'preparing', 'approvals_syncing', 'cannot_be_merged_recheck']);

function mergeableOf(data: MergeRequest): PullRequestSeen['mergeable'] {
  const { detailed_merge_status: detailed, merge_status: plain } = data;
  if (data.has_conflicts === true || detailed === 'conflict') return 'NO';
  if (UNKNOWN.has(detailed ?? '') || (detailed === undefined && UNKNOWN.has(plain ?? ''))) return 'UNKNOWN';
  if (plain === 'cannot_be_merged') return 'NO';
  return detailed === undefined && plain === undefined ? 'UNKNOWN' : 'YES';
}

/** A merge request as a pull request. */
export function seenOf(data: MergeRequest): PullRequestSeen {
  const isMerged = data.state === 'merged';
  const state = isMerged ? 'MERGED' : data.state === 'closed' ? 'CLOSED' : 'OPEN';
  const mergeable = mergeableOf(data);
  const blocked =
    state !== 'OPEN'
      ? undefined
      : data.state === 'locked'
        ? 'GitLab is merging it'
        : mergeable === 'NO'
          ? `it has conflicts with ${data.target_branch}`
          : BLOCKED[data.detailed_merge_status ?? ''];
  // The merge commit is null after a fast-forward: then the head itself is in the branch.
  const commit = isMerged ? (data.merge_commit_sha ?? data.squash_commit_sha ?? data.sha) : undefined;
  const by = (isMerged ? (data.merge_user ?? data.merged_by) : data.closed_by)?.username;
  return {
    number: data.iid,
    url: data.web_url,
    state,
    draft: data.draft ?? data.work_in_progress ?? false,
    title: data.title,
    head: { branch: data.source_branch, sha: data.sha ?? '' },
    base: data.target_branch,
    mergeable,
    ...(blocked !== undefined && { blocked }),
    ...(state === 'OPEN' && isOnItsWay(data) && { queue: {} }),
    ...(isMerged && data.merged_at != null && { mergedAt: data.merged_at }),
    ...(commit != null && { mergeCommit: commit }),
    ...(by !== undefined && { by }),
    updatedAt: data.updated_at,
  };
}

/** What there is to say without asking for the merge; see `knownBefore`. */
export function knownOf(data: MergeRequest, sha: string): MergeAnswer | undefined {
  if (data.state === 'locked') return mergingOf(data);
  return knownBefore(seenOf(data), sha, `merge request !${data.iid}`);
}

/** How far a merge has come that GitLab has begun. */
export function mergingOf(data: MergeRequest): MergeAnswer {
  const { state, mergeCommit } = seenOf(data);
  if (state === 'MERGED') return merged(mergeCommit);
  if (isOnItsWay(data)) return { kind: 'QUEUED' };
  return { kind: 'NOT_YET', why: data.state === 'locked' ? 'GitLab is merging it' : 'GitLab has not merged it yet' };
}
