import type { CommitRule, TextPattern } from '../../core/commit-rules.ts';
import { needsReviews, whyNoPush } from './alike.ts';
import type { RepositoryRights } from './alike.ts';
import type { Call } from './forge.ts';
import { CONTENTS } from './github-rest.ts';
import type { GitHubAsk, GitHubRest } from './github-rest.ts';
import type { OpenForge } from './open.ts';

/** As `Forge.mayMerge` says: rulesets first, then the branch's own protection. */
export async function mayMerge(
  rest: GitHubRest,
  open: Pick<OpenForge, 'name' | 'secret'>,
  base: string,
  call: Call,
): Promise<{ may: boolean; why?: string }> {
  const asked = { permissions: CONTENTS, what: `ask for the protection of ${base}` };
  const { data: repository } = await rest.ask('GET /repos/{owner}/{repo}', rest.at, asked, call);
  const rights = repository as RepositoryRights;
  const noPush = whyNoPush(rights, open);
  if (noPush !== undefined) return { may: false, why: noPush };
  const { status, data } = await rest.ask(
    'GET /repos/{owner}/{repo}/rules/branches/{branch}',
    { ...rest.at, branch: base },
    { ...asked, accept: [404] },
    call,
  );
  const rules = status === 200 ? (data as Rule[]) : [];
  for (const rule of rules) {
    const why = whyHeld(base, rule);
    if (why !== undefined && !(await mayBypass(rest, rule, asked, call))) return { may: false, why };
  }
  return byProtection(rest, { base, secret: open.secret, isAdmin: rights.permissions?.admin === true }, asked, call);
}

/** As `Forge.commitRules` says. */
export async function commitRules(
  rest: GitHubRest,
  base: string,
  call: Call,
): Promise<{ rules: CommitRule[]; unseen?: string }> {
  const asked = { permissions: CONTENTS, what: `ask what commits into ${base} have to be`, accept: [403, 404] };
  const at = { ...rest.at, branch: base };
  const found = await rest.ask('GET /repos/{owner}/{repo}/rules/branches/{branch}', at, asked, call);
  const rules: CommitRule[] = [];
  for (const each of found.status === 200 ? (found.data as Rule[]) : []) {
    const rule = commitRuleOf(each);
    if (rule && !(await mayBypass(rest, each, asked, call))) rules.push(rule);
  }
  const branch = await rest.ask('GET /repos/{owner}/{repo}/branches/{branch}', at, asked, call);
  // Rulesets make a branch protected, too: what only an administrator sees is the classic protection.
  if (branch.status !== 200 || (branch.data as { protected?: boolean }).protected !== true) return { rules };
  const protection = rest.login.isApp
    ? undefined
    : await rest.ask('GET /repos/{owner}/{repo}/branches/{branch}/protection', at, asked, call);
  if (protection?.status === 404) return { rules };
  if (protection?.status !== 200) return { rules, unseen: `its classic protection, which takes Administration: read` };
  const { required_signatures: signatures, required_linear_history: linear } = protection.data as {
    required_signatures?: { enabled: boolean };
    required_linear_history?: { enabled?: boolean };
  };
  if (signatures?.enabled === true) rules.push({ kind: 'SIGNATURES' });
  if (linear?.enabled === true) rules.push({ kind: 'LINEAR_HISTORY' });
  return { rules };
}

/** Whether the ruleset of a rule lets this credential past it; a ruleset of an organisation may not be shown. */
async function mayBypass(rest: GitHubRest, { ruleset_id: id }: Rule, asked: GitHubAsk, call: Call): Promise<boolean> {
  if (id === undefined) return false;
  const { status, data } = await rest.ask(
    'GET /repos/{owner}/{repo}/rulesets/{ruleset_id}',
    { ...rest.at, ruleset_id: id },
    { ...asked, accept: [403, 404] },
    call,
  );
  if (status !== 200) return false;
  const { current_user_can_bypass: bypass } = data as { current_user_can_bypass?: string };
  return bypass !== undefined && bypass !== 'never';
}

async function byProtection(
  rest: GitHubRest,
  { base, secret, isAdmin }: { base: string; secret: string; isAdmin: boolean },
  asked: GitHubAsk,
  call: Call,
): Promise<{ may: boolean; why?: string }> {
  const parameters = { ...rest.at, branch: base };
  const accept = [403, 404];
  const { status, data } = await rest.ask(
    'GET /repos/{owner}/{repo}/branches/{branch}',
    parameters,
    { ...asked, accept },
    call,
  );
  if (status === 404) return { may: false, why: `there is no branch ${base}` };
  if ((data as { protected?: boolean }).protected !== true) return { may: true };
  const unseen = {
    may: true,
    why: `${base} is protected, and secret "${secret}" may not see how (Administration: read)`,
  };
  // An App is not asked for a permission that only this needs.
  if (rest.login.isApp) return unseen;
  const protection = await rest.ask(
    'GET /repos/{owner}/{repo}/branches/{branch}/protection',
    parameters,
    { ...asked, accept },
    call,
  );
  if (protection.status === 403) return unseen;
  if (protection.status === 404) return { may: true };
  const {
    required_pull_request_reviews: reviews,
    lock_branch: lock,
    enforce_admins: admins,
  } = protection.data as {
    required_pull_request_reviews?: { required_approving_review_count?: number };
    lock_branch?: { enabled?: boolean };
    enforce_admins?: { enabled?: boolean };
  };
  if (isAdmin && admins?.enabled === false) return { may: true };
  if (lock?.enabled === true) return { may: false, why: `${base} is locked` };
  const count = reviews?.required_approving_review_count ?? 0;
  return count > 0 ? { may: false, why: needsReviews(base, count) } : { may: true };
}

interface Rule {
  type: string;
  parameters?: { required_approving_review_count?: number; operator?: string; pattern?: string; negate?: boolean };
  ruleset_id?: number;
}

/** What a rule of a branch has against a merge by a machine. */
function whyHeld(base: string, { type, parameters }: Rule): string | undefined {
  if (type === 'update') return `${base} is changed only by those who may bypass its ruleset`;
  const count = type === 'pull_request' ? (parameters?.required_approving_review_count ?? 0) : 0;
  return count > 0 ? needsReviews(base, count) : undefined;
}

const TEXT_RULES = {
  commit_author_email_pattern: 'AUTHOR_EMAIL',
  committer_email_pattern: 'COMMITTER_EMAIL',
  commit_message_pattern: 'MESSAGE',
} as const;

const OPERATORS: Record<string, TextPattern['operator']> = {
  starts_with: 'STARTS_WITH',
  ends_with: 'ENDS_WITH',
  contains: 'CONTAINS',
  regex: 'REGEX',
};

function commitRuleOf({ type, parameters: { operator, pattern, negate } = {} }: Rule): CommitRule | undefined {
  if (type === 'required_signatures') return { kind: 'SIGNATURES' };
  if (type === 'required_linear_history') return { kind: 'LINEAR_HISTORY' };
  const how = OPERATORS[operator ?? ''];
  if (!(type in TEXT_RULES) || how === undefined || pattern === undefined) return undefined;
  const text = { operator: how, text: pattern, negate: negate === true };
  return { kind: TEXT_RULES[type as keyof typeof TEXT_RULES], pattern: text };
}
