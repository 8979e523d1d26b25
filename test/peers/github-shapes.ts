import { Contract, readContract } from './contract.ts';
import { ZERO } from './git.ts';
import type { HostedRepository } from './git-host.ts';
import { contains } from './merging.ts';
import { commitsBetween, idOf } from './pull-requests.ts';
import type { ForgeEvent, Protection, PullRequest, PullRequests, Status } from './pull-requests.ts';

/** What GitHub answers and sends, as its published documents have it. */
export const rest = new Contract(readContract('github.json'));
export const hooks = new Contract(readContract('github-webhooks.json'));

/** What GitHub says about times: whole seconds. */
export const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

export const named = (login: string): object => ({
  login,
  id: idOf(login),
  type: login.endsWith('[bot]') ? 'Bot' : 'User',
});
export const user = (login: string): object => ({ ...rest.least('simple-user'), gravatar_id: '', ...named(login) });

export function statusFields({ id, state, context, description, url, at }: Status): object {
  return { id, state, context, description, target_url: url, created_at: seconds(at), updated_at: seconds(at) };
}

/** Fields that every webhook has. */
export const sent = (all: PullRequests, by: string): object => ({
  sender: user(by),
  repository: shapes.hookRepository(all),
});

/** The stand-in does not send what GitHub would not. */
export function checked<T>(name: string, body: T): T {
  const problems = hooks.event(name, body);
  if (problems.length > 0) throw new Error(`this webhook is none of GitHub's: ${problems.join('; ')}`);
  return body;
}

const repositoryFields = ({ repository, settings }: PullRequests) => {
  const [owner = '', name = ''] = repository.name.split('/');
  return {
    id: idOf(repository.name),
    name,
    full_name: repository.name,
    owner: user(owner),
    html_url: repository.url.replace(/\.git$/, ''),
    clone_url: repository.url,
    default_branch: repository.branch,
    archived: repository.archived,
    ...(settings.methods && {
      allow_merge_commit: settings.methods.includes('merge'),
      allow_squash_merge: settings.methods.includes('squash'),
      allow_rebase_merge: settings.methods.includes('rebase'),
      delete_branch_on_merge: settings.deleteBranchOnMerge,
    }),
  };
};

export const shapes = {
  fullRepository: (all: PullRequests, push: boolean): object => ({
    ...rest.least('full-repository'),
    ...repositoryFields(all),
    permissions: { admin: false, maintain: false, push, triage: push, pull: true },
  }),
  minimalRepository(all: PullRequests): object {
    const { allow_merge_commit: _, allow_squash_merge: __, allow_rebase_merge: ___, ...fields } = repositoryFields(all);
    return { ...rest.least('minimal-repository'), ...fields };
  },
  repository: (all: PullRequests): object => ({ ...rest.least('repository'), ...repositoryFields(all) }),
  hookRepository: (all: PullRequests): object => ({ ...hooks.least('repository-webhooks'), ...repositoryFields(all) }),
  label: (name: string): object => ({ ...rest.least('label'), id: idOf(name), name, color: 'ededed', description: '' }),
  comment: (comment: { id: number; body: string; by: string; at: Date }): object => ({
    ...rest.least('issue-comment'),
    id: comment.id,
    body: comment.body,
    user: user(comment.by),
    created_at: seconds(comment.at),
    updated_at: seconds(new Date()),
  }),

  pullFields(all: PullRequests, pull: PullRequest) {
    const [owner] = all.repository.name.split('/');
    const side = ({ branch, sha }: PullRequest['head']): object => ({
      label: `${owner}:${branch}`,
      ref: branch,
      sha,
      repo: shapes.repository(all),
      user: user(owner!),
    });
    return {
      id: idOf(`${pull.repository}#${pull.number}`),
      number: pull.number,
      html_url: `${all.repository.url.replace(/\.git$/, '')}/pull/${pull.number}`,
      state: pull.state === 'open' ? 'open' : 'closed',
      title: pull.title,
      body: pull.body,
      draft: pull.draft,
      user: user(pull.author),
      head: side(pull.head),
      base: side(pull.base),
      labels: pull.labels.map(shapes.label),
      requested_reviewers: pull.reviewers.filter((each) => !each.startsWith('team/')).map(user),
      created_at: seconds(pull.createdAt),
      updated_at: seconds(pull.updatedAt),
      closed_at: pull.closedAt ? seconds(pull.closedAt) : null,
      merged_at: pull.state === 'merged' ? seconds(pull.closedAt!) : null,
      merge_commit_sha: pull.mergeCommit ?? null,
      auto_merge: null,
    };
  },
  simplePull: (all: PullRequests, pull: PullRequest): object => ({
    ...rest.least('pull-request-simple'),
    ...shapes.pullFields(all, pull),
  }),
  pull(
    all: PullRequests,
    pull: PullRequest,
    now: { mergeable: boolean | null; state: string; test: string | null },
  ): object {
    const fields = shapes.pullFields(all, pull);
    return {
      ...rest.least('pull-request'),
      ...fields,
      merge_commit_sha: pull.state === 'open' ? now.test : fields.merge_commit_sha,
      merged: pull.state === 'merged',
      merged_by: pull.mergedBy === undefined ? null : user(pull.mergedBy),
      mergeable: pull.state === 'open' ? now.mergeable : null,
      mergeable_state: pull.state === 'open' ? now.state : 'unknown',
      comments: pull.comments.length,
    };
  },

  branch(all: PullRequests, name: string, sha: string): object {
    const wants = all.protections.get(name);
    const least = rest.least('branch-with-protection') as { commit: object };
    return {
      ...least,
      name,
      commit: { ...least.commit, sha },
      protected: wants !== undefined,
      protection: wants ? shapes.protection(wants) : { enabled: false },
    };
  },
  protection: ({ contexts = [], commits }: Protection): object => ({
    enabled: true,
    ...(commits?.signed && { required_signatures: { url: 'https://github.test/signatures', enabled: true } }),
    ...(commits?.linear && { required_linear_history: { enabled: true } }),
    required_status_checks: {
      ...rest.least('protected-branch-required-status-check'),
      contexts,
      checks: contexts.map((context) => ({ context, app_id: null })),
    },
  }),
  rules(repository: HostedRepository, wants: Protection): object[] {
    const from = { ruleset_source_type: 'Repository', ruleset_source: repository.name, ruleset_id: 1 };
    const rules: object[] = [
      {
        type: 'pull_request',
        parameters: {
          dismiss_stale_reviews_on_push: false,
          require_code_owner_review: false,
          require_last_push_approval: false,
          required_approving_review_count: wants.approvals ?? 0,
          required_review_thread_resolution: false,
        },
        ...from,
      },
    ];
    if (wants.contexts?.length)
      rules.push({
        type: 'required_status_checks',
        parameters: {
          required_status_checks: wants.contexts.map((context) => ({ context })),
          strict_required_status_checks_policy: false,
        },
        ...from,
      });
    const { signed, linear, authorEmail, message } = (wants.hidden ? undefined : wants.commits) ?? {};
    if (signed) rules.push({ type: 'required_signatures', ...from });
    if (linear) rules.push({ type: 'required_linear_history', ...from });
    const pattern = (type: string, text: string): void =>
      void rules.push({ type, parameters: { name: type, negate: false, operator: 'regex', pattern: text }, ...from });
    if (authorEmail !== undefined) pattern('commit_author_email_pattern', authorEmail);
    if (message !== undefined) pattern('commit_message_pattern', message);
    if (wants.queue)
      rules.push({
        type: 'merge_queue',
        parameters: {
          check_response_timeout_minutes: 60,
          grouping_strategy: 'ALLGREEN',
          max_entries_to_build: 5,
          max_entries_to_merge: 5,
          merge_method: 'MERGE',
          min_entries_to_merge: 1,
          min_entries_to_merge_wait_minutes: 5,
        },
        ...from,
      });
    return rules;
  },

  async push(
    all: PullRequests,
    {
      repository,
      ref,
      before,
      after,
      by,
    }: { repository: HostedRepository; ref: string; before: string; after: string; by: string },
  ): Promise<object> {
    const least = hooks.leastEvent('push') as { repository: object; pusher: object };
    const isBranch = ref.startsWith('refs/heads/');
    const commits = after === ZERO || !isBranch ? [] : (await commitsBetween(repository, before, after)).toReversed();
    const shaped = commits.slice(-2_048).map(({ sha, tree, message, at, author, committer, files }) => {
      const of = (letter: string): string[] => Object.keys(files).filter((path) => files[path] === letter);
      return {
        id: sha,
        tree_id: tree,
        distinct: true,
        message,
        timestamp: at,
        url: `${repository.url.replace(/\.git$/, '')}/commit/${sha}`,
        author,
        committer,
        added: of('A'),
        removed: of('D'),
        modified: of('M'),
      };
    });
    const forced = before !== ZERO && after !== ZERO && !(await contains(repository, after, before).catch(() => false));
    return {
      ...least,
      ref,
      before,
      after,
      created: before === ZERO,
      deleted: after === ZERO,
      forced,
      base_ref: null,
      commits: shaped,
      head_commit: shaped.at(-1) ?? null,
      pusher: { ...least.pusher, name: by },
      sender: user(by),
      repository: { ...least.repository, ...pushRepository(all) },
    };
  },

  async pullEvent(all: PullRequests, event: ForgeEvent & { kind: 'pull' }, name: string): Promise<object> {
    const { pull } = event;
    const least = hooks.leastEvent(name) as { pull_request: Record<string, unknown> };
    const fields = shapes.pull(all, pull, { mergeable: null, state: 'unknown', test: null });
    // The enqueued, dequeued and synchronize events have a shape of their own, which knows other fields.
    const known = KNOWN[name] ? only(fields, Object.keys(least.pull_request), least.pull_request) : fields;
    const body: Record<string, unknown> = { number: pull.number, pull_request: known };
    if (event.action === 'synchronize') Object.assign(body, { before: event.before, after: pull.head.sha });
    if (event.action === 'edited')
      body['changes'] = event.from ? { base: { ref: { from: event.from.branch }, sha: { from: event.from.sha } } } : {};
    return body;
  },
};

const KNOWN: Record<string, boolean> = {
  'pull-request-synchronize': true,
  'pull-request-enqueued': true,
  'pull-request-dequeued': true,
};

/** What both have; of an object that both have, what both have in it. */
function only(fields: object, keys: string[], least: Record<string, unknown>): object {
  const from = fields as Record<string, unknown>;
  return Object.fromEntries(
    keys.map((key) => {
      const [ours, theirs] = [from[key], least[key]];
      if (!(key in from)) return [key, theirs];
      const both = isObject(ours) && isObject(theirs);
      return [key, both ? only(ours, Object.keys(theirs), theirs) : ours || theirs];
    }),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The repository of a push has a shape of its own. */
function pushRepository(all: PullRequests): object {
  const { owner: _, ...fields } = repositoryFields(all);
  const least = hooks.leastEvent('push') as { repository: Record<string, unknown> };
  const [owner = ''] = all.repository.name.split('/');
  return { ...only(fields, Object.keys(least.repository), least.repository), owner: { ...user(owner), name: owner } };
}
