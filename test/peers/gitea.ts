import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Contract } from './contract.ts';
import { GITEA } from './contracts/gitea.ts';
import type { Delivery } from './deliveries.ts';
import { ZERO } from './git.ts';
import type { RefMoved } from './git-host.ts';
import type { Host, HostParts } from './host.ts';
import type { Method } from './merging.ts';
import { Blocked, commitsBetween, idOf } from './pull-requests.ts';
import type { ForgeEvent, Obstacle, PullRequest, PullRequests, Status } from './pull-requests.ts';
import { No } from './rest.ts';
import type { Asked, Reply, Routes } from './rest.ts';

const rest = new Contract(GITEA);
const R = '/repos/{owner}/{repo}';
/** What stands before the title of a draft. */
const DRAFT = /^(WIP:|\[WIP\]) */i;

/** Of the same call at another repository, without the host. */
const pathAt = ({ base, path }: Asked, from: string, to: string): string =>
  `${new URL(base).pathname}${path.replace(`/repos/${from}`, `/repos/${to}`)}`;

/** Gitea's and Forgejo's REST API, as far as Sluice calls it. `labels` are those that the repository has. */
export function gitea({ forges, deliveries, gitHost, token, accounts, people, labels }: HostParts): Host {
  const accountOf = (headers: IncomingMessage['headers']): string => {
    const [, value = ''] = /^(?:token|bearer) (.+)$/i.exec(headers.authorization ?? '') ?? [];
    const account = accounts.get(value);
    if (account === undefined) throw new No(401, { message: 'invalid username, password or token', url: API });
    return account;
  };
  const at = async (asked: Asked): Promise<PullRequests> => {
    const name = `${asked.params['owner']}/${asked.params['repo']}`;
    const renamed = gitHost.renamedTo(name);
    if (renamed !== undefined)
      // A path without the host, with the whole of what was asked for.
      throw new No(307, { message: 'Temporary Redirect' }, { location: pathAt(asked, name, renamed) });
    const all = forges.find(name);
    if (!all) throw new No(404, { message: "The target couldn't be found.", url: API, errors: [] });
    await all.current();
    return all;
  };
  const writing = async (asked: Asked): Promise<PullRequests> => {
    const all = await at(asked);
    if (all.repository.archived) throw new No(423, { message: `${all.repository.name} is archived`, url: API });
    if (!(all.settings.writers?.includes(asked.account) ?? true))
      throw new No(403, { message: 'user should have a permission to write to a repo', url: API });
    return all;
  };
  const pullAt = (all: PullRequests, asked: Asked): PullRequest => {
    const pull = all.get(Number(asked.params['index']));
    if (!pull) throw new No(404, { message: "The target couldn't be found.", url: API, errors: [] });
    return pull;
  };
  const isLabel = (name: string): boolean => labels?.includes(name) ?? true;
  /** A label that was asked for by its id. */
  const named = (id: number | string): string => (typeof id === 'string' ? id : (labelIds.get(id) ?? String(id)));
  const labelIds = new Map<number, string>();

  const routes: Routes = {
    'GET /user': (asked) => ({ status: 200, body: user(asked.account) }),
    [`GET ${R}`]: async (asked) => {
      const all = await at(asked);
      return { status: 200, body: repositoryOf(all, all.settings.writers?.includes(asked.account) ?? true) };
    },
    [`GET ${R}/branches/{branch}`]: async (asked) => {
      const all = await at(asked);
      const name = asked.params['branch']!;
      const id = await all.repository.head(name);
      if (id === undefined) throw new No(404, { message: "The target couldn't be found.", url: API, errors: [] });
      const wants = all.protections.get(name);
      const body = {
        name,
        commit: { id, message: await all.repository.git('log', '-1', '--format=%B', id), url: '' },
        protected: wants !== undefined,
        required_approvals: wants?.approvals ?? 0,
        enable_status_check: (wants?.contexts ?? []).length > 0,
        status_check_contexts: wants?.contexts ?? null,
        user_can_push: !wants || (wants.pushers ?? []).includes(asked.account),
        user_can_merge: all.mayMerge(asked.account, name),
        effective_branch_protection_name: wants && !wants.hidden ? name : '',
      };
      return { status: 200, body };
    },
    [`GET ${R}/branch_protections/{name}`]: async (asked) => {
      const all = await at(asked);
      const name = asked.params['name']!;
      const wants = all.protections.get(name);
      if (!wants) throw new No(404, { message: "The target couldn't be found.", url: API, errors: [] });
      if (wants.hidden) throw new No(403, { message: 'user should be an owner or a collaborator', url: API });
      const body = {
        rule_name: name,
        enable_push: (wants.pushers ?? []).length > 0,
        enable_merge_whitelist: wants.mergers !== undefined,
        enable_status_check: (wants.contexts ?? []).length > 0,
        status_check_contexts: wants.contexts ?? null,
        required_approvals: wants.approvals ?? 0,
        require_signed_commits: wants.commits?.signed ?? false,
        block_on_outdated_branch: wants.upToDate ?? false,
      };
      return { status: 200, body };
    },
    [`DELETE ${R}/branches/{branch}`]: async (asked) => {
      const all = await writing(asked);
      const name = asked.params['branch']!;
      if ((await all.repository.head(name)) === undefined)
        throw new No(404, { message: `branch does not exist [name: ${name}]`, url: API });
      if (all.protections.has(name)) throw new No(403, { message: 'branch protected', url: API });
      await all.repository.deleteBranch(name, asked.account);
      await all.current();
      return { status: 204 };
    },
    [`GET ${R}/labels`]: async (asked) => {
      await at(asked);
      return paged(asked, labels ?? ['sluice', 'promotion'], label);
    },
    [`GET ${R}/pulls`]: async (asked) => {
      const all = await at(asked);
      const [state, base] = [asked.query.get('state') ?? 'open', asked.query.get('base_branch')];
      const found = all.all.filter(
        (each) =>
          (state === 'all' || (state === 'open') === (each.state === 'open')) &&
          (base === null || base === each.base.branch),
      );
      const recent = asked.query.get('sort') === 'recentupdate';
      const sorted = found.toSorted((a, b) => (recent ? b.order - a.order : b.number - a.number));
      return paged(asked, sorted, (pull) => pullOf(all, pull, pull.looks > all.unknownLooks));
    },
    [`POST ${R}/pulls`]: async (asked) => {
      const all = await writing(asked);
      const { head, base, title, body, reviewers } = asked.body as {
        head: string;
        base: string;
        title: string;
        body?: string;
        reviewers?: string[];
        labels?: number[];
      };
      const draft = DRAFT.test(title);
      const opened = await all.open({ head, base, title, body, draft, by: asked.account });
      if (opened === 'no head' || opened === 'no base')
        throw new No(404, { message: "The target couldn't be found.", url: API, errors: [] });
      if (opened === 'nothing')
        throw new No(422, { message: 'There are no changes between the head and the base', url: API });
      if ('open' in opened)
        throw new No(409, {
          message: `pull request already exists for these targets [id: ${opened.open.number}, issue_id: ${opened.open.number}, head_repo_id: 1, base_repo_id: 1, head_branch: ${head}, base_branch: ${base}]`,
          url: API,
        });
      const ids = (asked.body as { labels?: number[] }).labels ?? [];
      await all.edit(opened, (each) => {
        each.labels = ids.map(named);
        each.reviewers = reviewers ?? [];
      });
      return { status: 201, body: pullOf(all, opened, false) };
    },
    [`GET ${R}/pulls/{index}`]: async (asked) => {
      const all = await at(asked);
      const pull = pullAt(all, asked);
      return { status: 200, body: pullOf(all, pull, (await all.look(pull)) === true) };
    },
    [`PATCH ${R}/pulls/{index}`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const { state, title, body, base } = asked.body as { [key: string]: string };
      if (state === 'closed' && pull.state === 'merged')
        throw new No(412, { message: 'cannot change state of this pull request, it was already merged', url: API });
      if (state === 'closed') await all.close(pull, asked.account);
      if (state === 'open' && pull.state === 'closed') await all.reopen(pull, asked.account);
      if (base !== undefined && base !== pull.base.branch) await all.retarget(pull, base, asked.account);
      await all.edit(pull, (each) => {
        each.title = title ?? each.title;
        each.draft = DRAFT.test(each.title);
        each.body = body ?? each.body;
      });
      return { status: 201, body: pullOf(all, pull, false) };
    },
    [`POST ${R}/pulls/{index}/merge`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const wanted = asked.body as MergeBody;
      if (pull.state !== 'open') throw new No(pull.state === 'merged' ? 405 : 404, { message: '', url: API });
      if (!all.mayMerge(asked.account, pull.base.branch))
        throw new No(405, { message: 'User not allowed to merge PR', url: API });
      if (wanted.head_commit_id !== undefined && wanted.head_commit_id !== pull.head.sha)
        throw new No(409, { message: 'head out of date', url: API });
      // It refuses while it looks whether there are conflicts.
      if ((await all.look(pull)) === undefined) throw new No(405, { message: 'Please try again later', url: API });
      const method = METHODS[wanted.Do] ?? 'merge';
      if (wanted.delete_branch_after_merge) await all.edit(pull, (each) => void (each.removeSourceBranch = true));
      try {
        if (wanted.merge_when_checks_succeed && (await all.obstacles(pull)).length > 0) {
          await all.mergeWhenGreen(pull, method, asked.account);
          return { status: 201 };
        }
        await all.merge(pull, method, { by: asked.account, bypass: wanted.force_merge, title: wanted.MergeTitleField });
      } catch (error) {
        if (!(error instanceof Blocked)) throw error;
        throw refused(error.obstacles[0]!, wanted.Do);
      }
      return { status: 200 };
    },
    [`POST ${R}/pulls/{index}/requested_reviewers`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const { reviewers = [], team_reviewers = [] } = asked.body as { reviewers?: string[]; team_reviewers?: string[] };
      const wanted = [...reviewers, ...team_reviewers.map((each) => `team/${each}`)];
      const unknown = wanted.find((each) => people && !people.includes(each));
      if (unknown !== undefined)
        throw new No(404, { message: `user does not exist [uid: 0, name: ${unknown}]`, url: API });
      if (reviewers.includes(pull.author)) throw new No(422, { message: 'poster of pr can not be reviewer', url: API });
      await all.edit(pull, (each) => void (each.reviewers = [...new Set([...each.reviewers, ...wanted])]));
      return {
        status: 201,
        body: reviewers.map((each) => ({ id: idOf(each), user: user(each), state: 'REQUEST_REVIEW' })),
      };
    },
    [`POST ${R}/issues/{index}/labels`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const wanted = (asked.body as { labels: (number | string)[] }).labels.map(named).filter(isLabel);
      await all.edit(pull, (each) => void (each.labels = [...new Set([...each.labels, ...wanted])]));
      return { status: 200, body: pull.labels.map(label) };
    },
    [`GET ${R}/issues/{index}/comments`]: async (asked) => {
      const pull = pullAt(await at(asked), asked);
      return { status: 200, body: pull.comments.map(comment) };
    },
    [`POST ${R}/issues/{index}/comments`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const id = 1 + all.all.reduce((sum, each) => sum + each.comments.length, 0);
      const made = { id, body: (asked.body as { body: string }).body, by: asked.account, at: new Date(), edits: 0 };
      await all.edit(pull, (each) => void each.comments.push(made));
      return { status: 201, body: comment(made) };
    },
    [`PATCH ${R}/issues/comments/{comment}`]: async (asked) => {
      const all = await writing(asked);
      const found = all.all.flatMap((each) => each.comments).find(({ id }) => id === Number(asked.params['comment']));
      if (!found) throw new No(404, { message: "The target couldn't be found.", url: API, errors: [] });
      Object.assign(found, { body: (asked.body as { body: string }).body, edits: found.edits + 1 });
      return { status: 200, body: comment(found) };
    },
    [`POST ${R}/statuses/{sha}`]: async (asked) => {
      const all = await writing(asked);
      const { sha = '' } = asked.params;
      const wanted = asked.body as { state: string; context?: string; description?: string; target_url?: string };
      const known = await all.repository.git('cat-file', '-e', `${sha}^{commit}`).catch(() => undefined);
      if (known === undefined) throw new No(404, { message: `object does not exist [id: ${sha}]`, url: API });
      const status = await all.setStatus({
        sha,
        state: wanted.state,
        context: wanted.context ?? 'default',
        description: wanted.description ?? null,
        url: wanted.target_url ?? null,
        by: asked.account,
      });
      return { status: 201, body: statusOf(status!) };
    },
    [`GET ${R}/commits/{ref}/status`]: async (asked) => {
      const all = await at(asked);
      const statuses = all.combined(asked.params['ref']!);
      const worst = ['error', 'failure', 'warning', 'pending', 'success'].find((state) =>
        statuses.some((each) => each.state === state),
      );
      const body = {
        state: worst ?? 'pending',
        sha: asked.params['ref'],
        total_count: statuses.length,
        statuses: statuses.map(statusOf),
        repository: repositoryOf(all, true),
        commit_url: '',
        url: '',
      };
      return { status: 200, body };
    },
  };

  const label = (name: string): object => {
    labelIds.set(idOf(name), name);
    return { id: idOf(name), name, color: 'ededed', description: '', exclusive: false, is_archived: false, url: '' };
  };
  const pullOf = (all: PullRequests, pull: PullRequest, mergeable: boolean): object => {
    const merged = pull.state === 'merged';
    const ended = pull.closedAt ? seconds(pull.closedAt) : null;
    const side = ({ branch, sha }: PullRequest['head']): object => ({
      label: branch,
      ref: branch,
      sha,
      repo_id: idOf(all.repository.name),
      repo: repositoryOf(all, true),
    });
    return {
      id: idOf(`${pull.repository}#${pull.number}`),
      number: pull.number,
      url: '',
      html_url: `${webUrl(all)}/pulls/${pull.number}`,
      title: pull.title,
      body: pull.body,
      user: user(pull.author),
      labels: pull.labels.map(label),
      requested_reviewers: pull.reviewers.length > 0 ? pull.reviewers.map(user) : null,
      state: pull.state === 'open' ? 'open' : 'closed',
      draft: pull.draft,
      is_locked: false,
      comments: pull.comments.length,
      mergeable: mergeable && !pull.draft,
      merged,
      merged_at: merged ? ended : null,
      merge_commit_sha: pull.mergeCommit ?? null,
      merged_by: merged ? user(pull.mergedBy!) : null,
      allow_maintainer_edit: false,
      base: side(pull.base),
      head: side(pull.head),
      merge_base: pull.base.sha,
      created_at: seconds(pull.createdAt),
      updated_at: seconds(pull.updatedAt),
      closed_at: ended,
    };
  };

  const told = async (event: ForgeEvent): Promise<void> => {
    if (event.kind === 'group') return;
    const name =
      event.kind === 'push'
        ? event.moved.repository.name
        : event.kind === 'status'
          ? event.repository.name
          : event.pull.repository;
    const all = forges.find(name)!;
    const by = event.kind === 'push' ? event.moved.by : event.kind === 'status' ? event.status.by : event.by;
    const from = { repository: repositoryOf(all, true), sender: user(by) };
    const send = (kind: string, action: string | null, body: object): void => {
      const problems = rest.event(kind, body);
      if (problems.length > 0) throw new Error(`this webhook is none of Gitea's: ${problems.join('; ')}`);
      deliveries.send(all.repository.name, kind, action, body);
    };
    if (event.kind === 'push') {
      const { ref, before, after } = event.moved;
      const [, type = '', short = ''] = /^refs\/(head|tag)s\/(.*)$/.exec(ref) ?? [];
      const of = { ref: short, ref_type: type === 'tag' ? 'tag' : 'branch', ...from };
      if (before === ZERO) send('create', null, { ...of, sha: after });
      if (after === ZERO) return send('delete', null, { ...of, pusher_type: 'user' });
      return send('push', null, { ...(await pushOf(all, event.moved)), ...from, pusher: user(by) });
    }
    if (event.kind === 'status') {
      const { status } = event;
      const body = {
        id: status.id,
        sha: status.sha,
        context: status.context,
        state: status.state,
        description: status.description ?? '',
        target_url: status.url ?? '',
        created_at: seconds(status.at),
        updated_at: seconds(status.at),
        commit: { id: status.sha },
        ...from,
      };
      return send('status', null, body);
    }
    const action = ACTIONS[event.action];
    if (action === undefined) return;
    const { pull } = event;
    const body = {
      action,
      number: pull.number,
      pull_request: pullOf(all, pull, false),
      commit_id: '',
      review: null,
      ...from,
    };
    send('pull_request', action, event.action === 'edited' ? { ...body, changes: {} } : body);
  };

  return {
    prefix: '/api/v1',
    contract: rest,
    routes,
    account: accountOf,
    error: (_status, message) => ({ message, url: API }),
    told,
    sign: signed,
    gitLogin: { username: 'sluice-bot', password: token },
  };
}

interface MergeBody {
  Do: string;
  head_commit_id?: string;
  MergeTitleField?: string;
  delete_branch_after_merge?: boolean;
  force_merge?: boolean;
  merge_when_checks_succeed?: boolean;
}

const API = 'https://gitea.example/api/swagger';
const METHODS: Record<string, Method> = {
  merge: 'merge',
  rebase: 'rebase',
  squash: 'squash',
  'fast-forward-only': 'fast-forward',
};
const ACTIONS: Record<string, string> = {
  opened: 'opened',
  closed: 'closed',
  merged: 'closed',
  reopened: 'reopened',
  edited: 'edited',
  synchronize: 'synchronized',
};

/** In Gitea's words. */
function refused(obstacle: Obstacle, style: string): No {
  const says = (status: number, message: string): No => new No(status, { message, url: API });
  switch (obstacle.kind) {
    case 'draft':
      return says(405, 'Work in progress PRs cannot be merged');
    case 'method':
      return says(405, `Invalid merge style [repo_id: 1, style: ${style}]: not allowed`);
    case 'context':
      return says(405, 'Not all required status checks successful');
    case 'approvals':
      return says(405, 'Does not have enough approvals');
    case 'behind':
      return says(405, 'The head branch is behind the base branch');
    case 'moved':
      return says(409, 'merge push out of date');
    case 'conflict':
      return says(409, `Merge conflict error [style: ${style}]`);
    default:
      return says(405, '');
  }
}

const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
const webUrl = (all: PullRequests): string => all.repository.url.replace(/\.git$/, '');

const user = (login: string): object => ({
  id: idOf(login),
  login,
  username: login,
  full_name: '',
  email: `${login}@example.com`,
  avatar_url: '',
  html_url: '',
});

const comment = (each: PullRequest['comments'][number]): object => ({
  id: each.id,
  body: each.body,
  user: user(each.by),
  html_url: '',
  issue_url: '',
  pull_request_url: '',
  created_at: seconds(each.at),
  updated_at: seconds(new Date()),
});

const statusOf = (each: Status): object => ({
  id: each.id,
  status: each.state,
  target_url: each.url ?? '',
  description: each.description ?? '',
  url: '',
  context: each.context,
  creator: user(each.by),
  created_at: seconds(each.at),
  updated_at: seconds(each.at),
});

function repositoryOf({ repository, settings }: PullRequests, push: boolean): object {
  const [owner = '', name = ''] = repository.name.split('/');
  return {
    id: idOf(repository.name),
    owner: user(owner),
    name,
    full_name: repository.name,
    html_url: repository.url.replace(/\.git$/, ''),
    clone_url: repository.url,
    ssh_url: `git@gitea.example:${repository.name}.git`,
    default_branch: repository.branch,
    archived: repository.archived,
    empty: false,
    private: true,
    permissions: { admin: false, push, pull: true },
    allow_merge_commits: settings.methods.includes('merge'),
    allow_rebase: settings.methods.includes('rebase'),
    allow_rebase_explicit: false,
    allow_squash_merge: settings.methods.includes('squash'),
    allow_fast_forward_only_merge: settings.methods.includes('fast-forward'),
    default_merge_style: 'merge',
    default_delete_branch_after_merge: settings.deleteBranchOnMerge,
  };
}

async function pushOf(all: PullRequests, { ref, before, after }: RefMoved): Promise<object> {
  const commits = ref.startsWith('refs/heads/') ? await commitsBetween(all.repository, before, after) : [];
  const shaped = commits.map(({ sha, message, at, author, committer, files }) => {
    const of = (letter: string): string[] => Object.keys(files).filter((path) => files[path] === letter);
    const person = ({ name, email }: { name: string; email: string }): object => ({ name, email, username: '' });
    return {
      id: sha,
      message,
      url: `${webUrl(all)}/commit/${sha}`,
      author: person(author),
      committer: person(committer),
      timestamp: at,
      added: of('A'),
      removed: of('D'),
      modified: of('M'),
    };
  });
  return {
    ref,
    before,
    after,
    compare_url: `${webUrl(all)}/compare/${before}...${after}`,
    // The newest first, and no more than a page of them.
    commits: shaped.slice(0, 50),
    total_commits: shaped.length,
    head_commit: shaped[0] ?? null,
  };
}

function signed({ event, guid, hook, body }: Delivery): Record<string, string> {
  const hex = createHmac('sha256', hook.secret).update(body).digest('hex');
  return {
    'user-agent': 'Go-http-client/1.1',
    'x-gitea-event': event,
    'x-gitea-event-type': event,
    'x-gitea-delivery': guid,
    'x-gitea-signature': hex,
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-hub-signature-256': `sha256=${hex}`,
  };
}

function paged<T>(asked: Asked, found: T[], shape: (each: T) => object): Reply {
  // A server gives 50 at most, whatever is asked for.
  const size = Math.min(50, Number(asked.query.get('limit') ?? 30));
  const page = Number(asked.query.get('page') ?? 1);
  const headers = { 'x-total-count': String(found.length) };
  return { status: 200, body: found.slice((page - 1) * size, page * size).map(shape), headers };
}
