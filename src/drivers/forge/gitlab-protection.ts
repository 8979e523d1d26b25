import type { CommitRule } from '../../core/commit-rules.ts';
import type { Call } from './forge.ts';
import type { GitLabProject } from './gitlab-project.ts';

/** As `Forge.mayMerge` says. */
export async function mayMerge(
  project: GitLabProject,
  base: string,
  call: Call,
): Promise<{ may: boolean; why?: string }> {
  const what = `ask for the protection of ${base}`;
  const { secret, name } = project;
  const settings = await project.settings(what, call);
  if (settings.archived === true) return { may: false, why: `the repository ${name} is archived` };
  const { project_access: own, group_access: ofGroup } = settings.permissions ?? {};
  const level = Math.max(own?.access_level ?? 0, ofGroup?.access_level ?? 0);
  const path = `/protected_branches/${encodeURIComponent(base)}`;
  const branch = await project.ask('GET', path, { what, accept: [403, 404] }, call);
  // Without protection a developer merges.
  const levels =
    branch.status === 200
      ? ((branch.data as { merge_access_levels?: { access_level: number | null; user_id?: number | null }[] })
          .merge_access_levels ?? [])
      : [{ access_level: 30 }];
  const needed = Math.min(...levels.map((each) => (each.access_level ? each.access_level : Infinity)));
  const named = levels.some((each) => 'user_id' in each && each.user_id != null);
  if (level < needed && !named)
    return {
      may: false,
      why: Number.isFinite(needed)
        ? `the user of secret "${secret}" has access level ${level} in ${name}, and merging into ${base} takes ${needed}`
        : `${base} takes no merges`,
    };
  const approvals = await project.ask('GET', '/approvals', { what, accept: [401, 403, 404] }, call);
  const count =
    approvals.status === 200 ? Number((approvals.data as Record<string, unknown>)['approvals_before_merge'] ?? 0) : 0;
  if (count > 0) return { may: false, why: `${base} takes a merge request only after ${count} approvals` };
  if (settings.only_allow_merge_if_pipeline_succeeds === true)
    return { may: true, why: 'a merge request is merged only after its pipeline has succeeded' };
  return { may: true };
}

/** As `Forge.commitRules` says; push rules are of the project, for all its branches. */
export async function commitRules(
  project: GitLabProject,
  call: Call,
): Promise<{ rules: CommitRule[]; unseen?: string }> {
  const what = 'ask for the push rules';
  const ask = { what, accept: [401, 403, 404] };
  const { status, data } = await project.ask('GET', '/push_rule', ask, call);
  if (status === 404) return { rules: [] };
  if (status !== 200) return { rules: [], unseen: 'the push rules of its project, which take the role Maintainer' };
  const set = (data ?? {}) as PushRules;
  const text = (kind: 'AUTHOR_EMAIL' | 'MESSAGE', expression: string | null | undefined, negate = false) =>
    expression ? [{ kind, pattern: { operator: 'REGEX' as const, text: expression, negate } }] : [];
  const rules: CommitRule[] = [
    ...(set.reject_unsigned_commits === true ? [{ kind: 'SIGNATURES' as const }] : []),
    ...(set.reject_non_dco_commits === true ? [{ kind: 'SIGN_OFF' as const }] : []),
    ...text('AUTHOR_EMAIL', set.author_email_regex),
    ...text('MESSAGE', set.commit_message_regex),
    ...text('MESSAGE', set.commit_message_negative_regex, true),
  ];
  return { rules };
}

interface PushRules {
  reject_unsigned_commits?: boolean | null;
  reject_non_dco_commits?: boolean | null;
  author_email_regex?: string | null;
  commit_message_regex?: string | null;
  commit_message_negative_regex?: string | null;
}
