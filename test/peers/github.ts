import { createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { named, rest, seconds, shapes, statusFields, user } from './github-shapes.ts';
import { hookRoutes, signed, tell } from './github-webhooks.ts';
import { custom, DOCS, invalid, refusedMerge } from './github-words.ts';
import type { App, Host, HostParts } from './host.ts';
import type { HostedRepository } from './git-host.ts';
import type { Method } from './merging.ts';
import { idOf } from './pull-requests.ts';
import type { PullRequest, PullRequests, Status } from './pull-requests.ts';
import { No } from './rest.ts';
import type { Asked, Reply, Routes } from './rest.ts';

/**
 * GitHub's REST API, as far as Sluice calls it, over real repositories. Its requests and answers are those of GitHub's published
 * document; its words are those of docs.github.com.
 */
const R = '/repos/{owner}/{repo}';

export function github({ forges, deliveries, gitHost, token, accounts, app, people }: HostParts): Host {
  const installed = new Map<string, { until: number; permissions: Record<string, string> }>();
  const merges = new Map<string, object>();

  const accountOf = (headers: IncomingMessage['headers']): string => {
    const [, scheme = '', value = ''] = /^(bearer|token) (.+)$/i.exec(headers.authorization ?? '') ?? [];
    const account = accounts.get(value);
    if (account !== undefined) return account;
    const minted = installed.get(value);
    if (minted && minted.until > Date.now()) return `${BOT}:${value}`;
    if (app && /^bearer$/i.test(scheme) && isOurJwt(value, app)) return 'app';
    throw new No(401, { message: 'Bad credentials', documentation_url: DOCS, status: '401' });
  };
  const login = (account: string): string => account.split(':')[0]!;

  /** Of an App's token: what it was narrowed to. */
  const needs = (asked: Asked, permission: string, level: 'read' | 'write'): void => {
    const minted = installed.get(asked.account.split(':')[1] ?? '');
    const has = minted ? minted.permissions[permission] : 'write';
    if (has === undefined || (level === 'write' && has !== 'write'))
      throw new No(403, { message: 'Resource not accessible by integration', documentation_url: DOCS, status: '403' });
  };

  /** The repository that the path names. */
  const at = async (asked: Asked): Promise<PullRequests> => {
    const name = `${asked.params['owner']}/${asked.params['repo']}`;
    const renamed = gitHost.renamedTo(name);
    if (renamed !== undefined) {
      const url = `${asked.base}/repositories/${idOf(renamed)}`;
      const status = asked.method === 'GET' ? 301 : 307;
      throw new No(status, { message: 'Moved Permanently', url, documentation_url: DOCS }, { location: url });
    }
    const found = forges.find(name);
    if (!found) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
    await found.current();
    return found;
  };
  const writing = async (asked: Asked, permission: string): Promise<PullRequests> => {
    needs(asked, permission, 'write');
    const all = await at(asked);
    if (all.repository.archived)
      throw new No(403, {
        message: 'Repository was archived so is read-only.',
        documentation_url: DOCS,
        status: '403',
      });
    if (all.settings.writers && !all.settings.writers.includes(login(asked.account)))
      throw new No(403, {
        message: 'Resource not accessible by personal access token',
        documentation_url: DOCS,
        status: '403',
      });
    return all;
  };
  const pullAt = (all: PullRequests, asked: Asked): PullRequest => {
    const pull = all.get(Number(asked.params['pull_number'] ?? asked.params['issue_number']));
    if (!pull) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
    return pull;
  };

  const simple = (all: PullRequests, pull: PullRequest): object => shapes.simplePull(all, pull);
  const changed = (all: PullRequests, pull: PullRequest): object =>
    shapes.pull(all, pull, { mergeable: null, state: 'unknown', test: null });

  const routes: Routes = {
    'GET /user': (asked) => ({ status: 200, body: { ...rest.least('public-user'), ...named(login(asked.account)) } }),
    'GET /rate_limit': () => ({ status: 200, body: rest.least('rate-limit-overview') }),
    [`GET ${R}`]: async (asked) => {
      const all = await at(asked);
      return {
        status: 200,
        body: shapes.fullRepository(all, all.mayMerge(login(asked.account), all.repository.branch)),
      };
    },
    [`GET ${R}/installation`]: async (asked) => {
      await at(asked);
      if (!app) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      return { status: 200, body: { ...rest.least('installation'), id: app.installation } };
    },
    'GET /app/installations/{installation_id}': (asked) => {
      if (!app || Number(asked.params['installation_id']) !== app.installation)
        throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      return { status: 200, body: { ...rest.least('installation'), id: app.installation } };
    },
    'POST /app/installations/{installation_id}/access_tokens': (asked) => {
      if (asked.account !== 'app' || Number(asked.params['installation_id']) !== app?.installation)
        throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      const { permissions } = (asked.body ?? {}) as { permissions?: Record<string, string> };
      const granted = permissions ?? ALL_PERMISSIONS;
      const fresh = `ghs_${randomBytes(18).toString('hex')}`;
      const until = Date.now() + 3_600_000;
      installed.set(fresh, { until, permissions: granted });
      gitHost.addLogin('x-access-token', fresh);
      const body = {
        token: fresh,
        expires_at: seconds(new Date(until)),
        permissions: granted,
        repository_selection: 'all',
      };
      return { status: 201, body };
    },
    // Before the branches: a branch may have slashes in its name.
    [`GET ${R}/branches/{branch}/protection`]: async (asked) => {
      needs(asked, 'administration', 'read');
      const all = await at(asked);
      const wants = all.protections.get(asked.params['branch']!);
      if (!wants) throw new No(404, { message: 'Branch not protected', documentation_url: DOCS, status: '404' });
      if (wants.hidden)
        throw new No(403, { message: 'Resource not accessible by personal access token', status: '403' });
      return { status: 200, body: shapes.protection(wants) };
    },
    [`GET ${R}/branches/{branch}`]: async (asked) => {
      const all = await at(asked);
      const sha = await all.repository.head(asked.params['branch']);
      if (sha === undefined) throw new No(404, { message: 'Branch not found', documentation_url: DOCS, status: '404' });
      return { status: 200, body: shapes.branch(all, asked.params['branch']!, sha) };
    },
    [`GET ${R}/rules/branches/{branch}`]: async (asked) => {
      const all = await at(asked);
      const wants = all.protections.get(asked.params['branch']!);
      return { status: 200, body: wants ? shapes.rules(all.repository, wants) : [] };
    },
    [`GET ${R}/rulesets/{ruleset_id}`]: async (asked) => {
      const all = await at(asked);
      const least = rest.least('repository-ruleset');
      return { status: 200, body: { ...least, id: 1, source: all.repository.name, current_user_can_bypass: 'never' } };
    },
    [`GET ${R}/git/ref/{ref}`]: async (asked) => {
      const all = await at(asked);
      const { ref = '' } = asked.params;
      const sha = await all.repository.git('rev-parse', '--verify', '--quiet', `refs/${ref}`).catch(() => undefined);
      if (sha === undefined) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      const least = rest.least('git-ref') as { object: object };
      return { status: 200, body: { ...least, ref: `refs/${ref}`, object: { ...least.object, sha, type: 'commit' } } };
    },
    [`DELETE ${R}/git/refs/{ref}`]: async (asked) => {
      const all = await writing(asked, 'contents');
      const branch = asked.params['ref']!.replace(/^heads\//, '');
      if ((await all.repository.head(branch)) === undefined) throw invalid('Reference does not exist');
      if (all.protections.has(branch)) throw invalid('Cannot delete this protected branch');
      await all.repository.deleteBranch(branch, login(asked.account));
      await all.current();
      return { status: 204 };
    },
    [`GET ${R}/pulls`]: async (asked) => {
      const all = await at(asked);
      const found = listed(all, asked);
      return paged(asked, found, (pull) => simple(all, pull));
    },
    [`POST ${R}/pulls`]: async (asked) => {
      const all = await writing(asked, 'pull_requests');
      const { title, head, base, body, draft } = asked.body as { [key: string]: string } & { draft?: boolean };
      if (title === undefined)
        throw invalid('Validation Failed', { resource: 'PullRequest', code: 'missing_field', field: 'title' });
      const [owner] = all.repository.name.split('/');
      const branch = head!.replace(`${owner}:`, '');
      const opened = await all.open({ head: branch, base: base!, title, body, draft, by: login(asked.account) });
      if (opened === 'no head')
        throw invalid('Validation Failed', { resource: 'PullRequest', field: 'head', code: 'invalid' });
      if (opened === 'no base')
        throw invalid('Validation Failed', { resource: 'PullRequest', field: 'base', code: 'invalid' });
      if (opened === 'nothing') throw custom(`No commits between ${base} and ${branch}`);
      if ('open' in opened) throw custom(`A pull request already exists for ${owner}:${branch}.`);
      return { status: 201, body: changed(all, opened) };
    },
    [`GET ${R}/pulls/{pull_number}`]: async (asked) => {
      const all = await at(asked);
      const pull = pullAt(all, asked);
      return { status: 200, body: shapes.pull(all, pull, await stateOf(all, pull)) };
    },
    [`PATCH ${R}/pulls/{pull_number}`]: async (asked) => {
      const all = await writing(asked, 'pull_requests');
      const pull = pullAt(all, asked);
      const { state, title, body, base } = (asked.body ?? {}) as { [key: string]: string };
      const by = login(asked.account);
      if (state === 'closed' && pull.state === 'merged')
        throw custom('state cannot be changed. The pull request is merged.');
      if (state === 'open' && pull.state !== 'open') {
        const gone = (await all.repository.head(pull.head.branch)) === undefined;
        if (pull.state === 'merged' || gone)
          throw custom(
            `state cannot be changed. The ${pull.head.branch} branch has been ${gone ? 'deleted' : 'merged'}.`,
          );
        await all.reopen(pull, by);
      }
      if (state === 'closed') await all.close(pull, by);
      if (base !== undefined && base !== pull.base.branch) await all.retarget(pull, base, by);
      if (title !== undefined || body !== undefined)
        await all.edit(pull, (each) => Object.assign(each, { title: title ?? each.title, body: body ?? each.body }));
      return { status: 200, body: changed(all, pull) };
    },
    [`GET ${R}/pulls/{pull_number}/merge`]: async (asked) => {
      const pull = pullAt(await at(asked), asked);
      if (pull.state !== 'merged') throw new No(404, undefined);
      return { status: 204 };
    },
    [`PUT ${R}/pulls/{pull_number}/merge`]: async (asked) => {
      const all = await writing(asked, 'contents');
      const pull = pullAt(all, asked);
      const wanted = (asked.body ?? {}) as MergeBody;
      const by = login(asked.account);
      if (pull.state === 'open' && wanted.sha !== undefined && wanted.sha !== pull.head.sha)
        throw new No(409, {
          message: 'Head branch was modified. Review and try the merge again.',
          documentation_url: DOCS,
        });
      try {
        const sha = await all.merge(pull, wanted.merge_method ?? 'merge', { by, title: wanted.commit_title });
        return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
      } catch (error) {
        throw refusedMerge(error);
      }
    },
    [`PUT ${R}/pulls/{pull_number}/merge-async`]: async (asked) => {
      const all = await writing(asked, 'contents');
      const pull = pullAt(all, asked);
      const wanted = (asked.body ?? {}) as MergeBody;
      const result = await mergeAsync(all, pull, wanted, login(asked.account));
      if (result.uuid !== undefined) merges.set(result.uuid, result.later ?? result.body);
      return { status: result.status, body: result.body };
    },
    [`GET ${R}/pulls/{pull_number}/merge-async/{uuid}`]: async (asked) => {
      await at(asked);
      const known = merges.get(asked.params['uuid']!);
      if (!known) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      return { status: 200, body: known };
    },
    [`POST ${R}/pulls/{pull_number}/requested_reviewers`]: async (asked) => {
      const all = await writing(asked, 'pull_requests');
      const pull = pullAt(all, asked);
      const { reviewers = [], team_reviewers = [] } = (asked.body ?? {}) as {
        reviewers?: string[];
        team_reviewers?: string[];
      };
      if (reviewers.includes(pull.author)) throw invalid('Review cannot be requested from pull request author.');
      const wanted = [...reviewers, ...team_reviewers.map((each) => `team/${each}`)];
      if (people && wanted.some((each) => !people.includes(each)))
        throw invalid(
          'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ' +
            `${all.repository.name} repository.`,
        );
      await all.edit(pull, (each) => void (each.reviewers = [...new Set([...each.reviewers, ...wanted])]));
      return { status: 201, body: simple(all, pull) };
    },
    [`GET ${R}/issues/{issue_number}`]: async (asked) => {
      const pull = pullAt(await at(asked), asked);
      const closedBy = pull.state === 'open' ? null : user(pull.closedBy!);
      return {
        status: 200,
        body: { ...rest.least('issue'), number: pull.number, title: pull.title, closed_by: closedBy },
      };
    },
    'GET /repositories/{id}': (asked) => {
      const all = forges.all().find((each) => String(idOf(each.repository.name)) === asked.params['id']);
      if (!all) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      return { status: 200, body: shapes.fullRepository(all, true) };
    },
    [`GET ${R}/issues/{issue_number}/labels`]: async (asked) => {
      const pull = pullAt(await at(asked), asked);
      return { status: 200, body: pull.labels.map(shapes.label) };
    },
    [`POST ${R}/issues/{issue_number}/labels`]: (asked) =>
      labelled(asked, (pull, labels) => void (pull.labels = [...new Set([...pull.labels, ...labels])])),
    [`PUT ${R}/issues/{issue_number}/labels`]: (asked) =>
      labelled(asked, (pull, labels) => void (pull.labels = labels)),
    [`GET ${R}/issues/{issue_number}/comments`]: async (asked) => {
      const pull = pullAt(await at(asked), asked);
      return paged(asked, pull.comments, shapes.comment);
    },
    [`POST ${R}/issues/{issue_number}/comments`]: async (asked) => {
      const all = await writing(asked, 'pull_requests');
      const pull = pullAt(all, asked);
      const { body } = asked.body as { body: string };
      const comment = { id: nextId(all), body, by: login(asked.account), at: new Date(), edits: 0 };
      await all.edit(pull, (each) => void each.comments.push(comment));
      return { status: 201, body: shapes.comment(comment) };
    },
    [`PATCH ${R}/issues/comments/{comment_id}`]: async (asked) => {
      const all = await writing(asked, 'pull_requests');
      const id = Number(asked.params['comment_id']);
      const comment = all.all.flatMap((each) => each.comments).find((each) => each.id === id);
      if (!comment) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      Object.assign(comment, asked.body as object, { edits: comment.edits + 1 });
      return { status: 200, body: shapes.comment(comment) };
    },
    [`POST ${R}/statuses/{sha}`]: async (asked) => {
      const all = await writing(asked, 'statuses');
      const { sha = '' } = asked.params;
      const wanted = asked.body as {
        state: string;
        context?: string;
        description?: string | null;
        target_url?: string | null;
      };
      if (!(await isCommit(all.repository, sha))) throw invalid(`No commit found for SHA: ${sha}`);
      if ((wanted.description ?? '').length > 140)
        throw invalid('Validation Failed', {
          resource: 'Status',
          code: 'custom',
          field: 'description',
          message: 'description is too long (maximum is 140 characters)',
        });
      const status = await all.setStatus({
        sha,
        state: wanted.state,
        context: wanted.context ?? 'default',
        description: wanted.description ?? null,
        url: wanted.target_url ?? null,
        by: login(asked.account),
      });
      if (!status)
        throw invalid('Validation Failed', {
          resource: 'Status',
          code: 'custom',
          message: 'This SHA and context has reached the maximum number of statuses.',
        });
      return { status: 201, body: { ...rest.least('status'), ...statusFields(status), creator: user(status.by) } };
    },
    [`GET ${R}/commits/{ref}/status`]: async (asked) => {
      const all = await at(asked);
      const { ref: sha = '' } = asked.params;
      if (!(await isCommit(all.repository, sha))) throw invalid(`No commit found for SHA: ${sha}`);
      const statuses = all.combined(sha);
      const body = {
        ...rest.least('combined-commit-status'),
        sha,
        total_count: statuses.length,
        state: combinedState(statuses),
        statuses: statuses.map((each) => ({ ...rest.least('simple-commit-status'), ...statusFields(each) })),
        repository: shapes.minimalRepository(all),
      };
      return { status: 200, body };
    },
    [`GET ${R}/commits/{ref}/statuses`]: async (asked) => {
      const all = await at(asked);
      const found = all.statusesOf(asked.params['ref']!);
      return paged(asked, found, (each) => ({
        ...rest.least('status'),
        ...statusFields(each),
        creator: user(each.by),
      }));
    },
    ...hookRoutes({ deliveries, at, needs }),
  };

  const labelled = async (asked: Asked, change: (pull: PullRequest, labels: string[]) => void): Promise<Reply> => {
    const all = await writing(asked, 'issues');
    const pull = pullAt(all, asked);
    const list = Array.isArray(asked.body) ? asked.body : ((asked.body ?? {}) as { labels?: unknown[] }).labels;
    const names = (list ?? []).map((each) => (typeof each === 'string' ? each : (each as { name: string }).name));
    await all.edit(pull, (each) => change(each, names));
    return { status: 200, body: pull.labels.map(shapes.label) };
  };

  const paged = <T>(asked: Asked, found: T[], shape: (each: T) => object): Reply => {
    const [size, page] = [Number(asked.query.get('per_page') ?? 30), Number(asked.query.get('page') ?? 1)];
    const url = new URL(`${asked.base}${asked.path}`);
    const next = new URLSearchParams(asked.query);
    next.set('page', String(page + 1));
    url.search = next.toString();
    const more = found.length > page * size;
    return {
      status: 200,
      body: found.slice((page - 1) * size, page * size).map(shape),
      headers: more ? { link: `<${url.href}>; rel="next"` } : undefined,
    };
  };

  const mergeAsync = async (
    all: PullRequests,
    pull: PullRequest,
    wanted: MergeBody & { merge_action?: string },
    by: string,
  ): Promise<{ status: number; body: object; uuid?: string; later?: object }> => {
    const failed = (message: string) => ({ status: 400, body: { status: 'failed', details: { message } } });
    if (pull.state === 'merged')
      return {
        status: 200,
        body: { status: 'merged', details: { message: 'Pull request is already merged.', sha: pull.mergeCommit! } },
      };
    if (pull.state === 'closed') return failed('Pull request is closed.');
    if (pull.draft) return failed('Pull Request is still a draft');
    if (wanted.sha !== undefined && wanted.sha !== pull.head.sha)
      return failed('Head branch was modified. Review and try the merge again.');
    if (all.queue.some((each) => each.pull === pull))
      return {
        status: 200,
        body: { status: 'enqueued', details: { message: 'Pull request is already in the merge queue.' } },
      };
    const uuid = randomUUID();
    const queued = all.protections.get(pull.base.branch)?.queue === true;
    const details = {
      uuid,
      merge_method: wanted.merge_method ?? 'default',
      merge_action: wanted.merge_action ?? 'default',
      expected_head_sha: pull.head.sha,
    };
    const body = { status: 'pending', details: { message: 'Merge request accepted.', ...details } };
    const method = wanted.merge_method ?? 'merge';
    try {
      if (queued) await all.enqueue(pull, method, by);
      else await all.merge(pull, method, { by, title: wanted.commit_title });
      const later = queued
        ? { status: 'enqueued', details: { message: 'Pull request was added to the merge queue.' } }
        : { status: 'merged', details: { message: 'Pull request was merged.', sha: pull.mergeCommit! } };
      return { status: 202, body, uuid, later };
    } catch (error) {
      const no = refusedMerge(error);
      const { message } = no.reply.body as { message: string };
      return { status: 202, body, uuid, later: { status: 'failed', details: { message } } };
    }
  };

  return {
    prefix: '/api/v3',
    contract: rest,
    routes,
    account: accountOf,
    error: (status, message) => ({
      message,
      documentation_url: DOCS,
      ...(status !== 422 && { status: String(status) }),
    }),
    told: (event) => tell({ forges, deliveries }, event),
    sign: signed,
    gitLogin: { username: 'x-access-token', password: token },
  };
}

interface MergeBody {
  sha?: string;
  merge_method?: Method;
  commit_title?: string;
}

const BOT = 'sluice[bot]';
const ALL_PERMISSIONS = {
  contents: 'write',
  pull_requests: 'write',
  statuses: 'write',
  issues: 'write',
  metadata: 'read',
  repository_hooks: 'write',
  administration: 'read',
};

/** RS256 by the App's own key, and at most ten minutes old. */
function isOurJwt(value: string, app: App): boolean {
  const [header = '', payload = '', signature = ''] = value.split('.');
  if (signature === '') return false;
  const data = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', data, createPublicKey(app.publicKey), Buffer.from(signature, 'base64url'))) return false;
  const { iss, iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    iss: string;
    iat: number;
    exp: number;
  };
  const now = Date.now() / 1_000;
  return String(iss) === app.id && iat <= now && exp > now && exp - now <= 600;
}

async function stateOf(
  all: PullRequests,
  pull: PullRequest,
): Promise<{ mergeable: boolean | null; state: string; test: string | null }> {
  const together = await all.look(pull);
  if (together === undefined) return { mergeable: null, state: 'unknown', test: null };
  const kinds = new Set((await all.obstacles(pull)).map(({ kind }) => kind));
  const blocked = kinds.has('approvals') || kinds.has('context') || kinds.has('queue');
  const statuses = all.combined(pull.head.sha);
  const unstable = statuses.some(({ state }) => state !== 'success');
  const state = kinds.has('conflict')
    ? 'dirty'
    : kinds.has('draft')
      ? 'draft'
      : blocked
        ? 'blocked'
        : kinds.has('behind')
          ? 'behind'
          : unstable
            ? 'unstable'
            : 'clean';
  // A test merge, which is in no branch.
  return { mergeable: together, state, test: together ? pull.head.sha.replace(/^.{8}/, 'deadbeef') : null };
}

function listed(all: PullRequests, asked: Asked): PullRequest[] {
  const { query } = asked;
  const [state, head, base] = [query.get('state') ?? 'open', query.get('head'), query.get('base')];
  const [owner] = all.repository.name.split('/');
  // A head without its owner is no filter at all.
  const branch = head?.includes(':') ? head : undefined;
  const found = all.all.filter(
    (each) =>
      (state === 'all' || (state === 'open') === (each.state === 'open')) &&
      (branch === undefined || branch === `${owner}:${each.head.branch}`) &&
      (base === null || base === each.base.branch),
  );
  const updated = query.get('sort') === 'updated';
  const sorted = updated ? found.toSorted((a, b) => a.order - b.order) : found;
  const direction = query.get('direction') ?? (updated ? 'asc' : 'desc');
  return direction === 'desc' ? sorted.toReversed() : sorted;
}

const nextId = (all: PullRequests): number => 1 + all.all.reduce((sum, each) => sum + each.comments.length, 0);

async function isCommit(repository: HostedRepository, sha: string): Promise<boolean> {
  return await repository.git('cat-file', '-e', `${sha}^{commit}`).then(
    () => true,
    () => false,
  );
}

function combinedState(statuses: Status[]): string {
  if (statuses.some(({ state }) => state === 'error' || state === 'failure')) return 'failure';
  return statuses.length > 0 && statuses.every(({ state }) => state === 'success') ? 'success' : 'pending';
}
