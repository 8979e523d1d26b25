import { Octokit } from '@octokit/core';
import { Response } from 'undici';
import type { CommitRule, TextPattern } from '../../core/commit-rules.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type {
  Call,
  Forge,
  ForgeDelivery,
  MergeAnswer,
  MergeMethod,
  NewPullRequest,
  PullRequestOpened,
  PullRequestSeen,
  StatusState,
} from './forge.ts';
import { knownBefore, laneOf, merged, needsReviews } from './alike.ts';
import { NothingToPropose } from './forge.ts';
import { GitHubLogin } from './github-login.ts';
import type { Login, Permissions } from './github-login.ts';
import type { OpenForge } from './open.ts';
import { meaningOf, quoteWords, refusalBy } from './refusals.ts';
import type { Said } from './refusals.ts';
import { cut, marked, markOf, MOST } from './text.ts';

/** Headers of all calls; the version is a day of GitHub's own. */
const HEADERS = { 'x-github-api-version': '2022-11-28' };
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const PULLS: Permissions = { pull_requests: 'write' };
const CONTENTS: Permissions = { contents: 'write', pull_requests: 'write' };
const STATUSES: Permissions = { statuses: 'write' };
const HOOKS: Permissions = { repository_hooks: 'write' };

/** Of one page. */
const PAGE = 100;
/** What was touched longer ago than so many others is asked for by its number. */
const MOST_PAGES = 10;

type Data = Record<string, unknown>;

interface Answered {
  status: number;
  headers: Record<string, string | number | undefined>;
  data: unknown;
}

/** How a route is asked. */
interface Ask {
  permissions: Permissions;
  /** For messages: `open a pull request`. */
  what: string;
  /** Statuses that the caller understands. */
  accept?: readonly number[];
  content?: boolean;
  /** As the App itself. */
  login?: Login;
}

/** GitHub and GitHub Enterprise Server, as far as Sluice asks them. */
export function githubForge(open: OpenForge): Forge {
  return new GitHub(open);
}

class GitHub implements Forge {
  readonly kind = 'github';
  readonly #open: OpenForge;
  readonly #octokit: Octokit;
  readonly #login: GitHubLogin;
  readonly #at: { owner: string; repo: string };

  constructor(open: OpenForge) {
    this.#open = open;
    const [owner = '', repo = ''] = open.name.split('/');
    this.#at = { owner, repo };
    this.#octokit = new Octokit({ baseUrl: open.apiUrl, userAgent: 'sluice' });
    this.#login = new GitHubLogin({
      secret: open.secret,
      value: open.value,
      app: open.use.app,
      owner,
      repo,
      now: open.now,
      ask: async (route, parameters, login, call) => {
        const asked = { permissions: {}, what: 'sign in as an App', accept: [404], login };
        const { status, data } = await this.#ask(route, parameters, asked, call);
        return status === 404 ? null : data;
      },
    });
  }

  async open(_repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened> {
    let seen = await this.#find(wanted, call);
    let opened = false;
    if (!seen) {
      const asked = { permissions: PULLS, what: 'open a pull request', accept: [422], content: true };
      const { head, base, draft = false } = wanted;
      const text = { title: cut(wanted.title, MOST.title), body: cut(wanted.body, MOST.body) };
      const parameters = { ...this.#at, head, base, ...text, draft };
      const { status, data } = await this.#ask('POST /repos/{owner}/{repo}/pulls', parameters, asked, call);
      if (status === 422) {
        const words = wordsOf(data);
        if (/no commits between/i.test(words)) throw new NothingToPropose(`${head} has nothing that ${base} has not`);
        // Another process was faster, or the answer to the first try was lost.
        if (/already exists/i.test(words)) seen = await this.#find(wanted, call);
        if (!seen) throw this.#refusal(asked.what, { status, words });
      } else {
        seen = seenOf(data as Data);
        opened = true;
      }
    }
    if (seen.state !== 'OPEN') return { ...seen, opened, remarks: [] };
    return { ...seen, opened, remarks: await this.#complete(seen.number, wanted, call) };
  }

  async find(
    _repository: string,
    by: { head: string; base?: string | undefined },
    call: Call,
  ): Promise<PullRequestSeen | undefined> {
    return this.#find(by, call);
  }

  async get(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const seen = seenOf(await this.#get(number, call));
    if (seen.state !== 'CLOSED') return seen;
    // A pull request does not say who closed it; as an issue it does.
    const asked = { permissions: PULLS, what: 'ask who closed a pull request', accept: [403, 404, 410] };
    const { status, data } = await this.#ask(
      'GET /repos/{owner}/{repo}/issues/{issue_number}',
      { ...this.#at, issue_number: number },
      asked,
      call,
    );
    const by = status === 200 ? loginOf((data as Data)['closed_by']) : undefined;
    return by === undefined ? seen : { ...seen, by };
  }

  async list(
    _repository: string,
    { etag, updatedAfter }: { etag?: string | undefined; updatedAfter?: string | undefined },
    call: Call,
  ): Promise<{ seen: PullRequestSeen[]; etag?: string; unchanged: boolean }> {
    const seen: PullRequestSeen[] = [];
    let first: string | undefined;
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const headers = page === 1 && etag !== undefined ? { 'if-none-match': etag } : {};
      const {
        status,
        data,
        headers: told,
      } = await this.#ask(
        'GET /repos/{owner}/{repo}/pulls',
        { ...this.#at, state: 'all', sort: 'updated', direction: 'desc', per_page: PAGE, page, headers },
        { permissions: PULLS, what: 'list pull requests', accept: [304] },
        call,
      );
      if (status === 304) return { seen: [], ...(etag !== undefined && { etag }), unchanged: true };
      if (page === 1) first = told['etag'] as string | undefined;
      const some = (data as Data[]).map(seenOf);
      seen.push(...some);
      const oldest = some.at(-1)?.updatedAt;
      // Without a beginning the newest page is all that is asked for.
      if (some.length < PAGE || updatedAfter === undefined || oldest! < isoSeconds(updatedAfter)) break;
    }
    const wanted = seen.filter((each) => updatedAfter === undefined || each.updatedAt >= isoSeconds(updatedAfter));
    return { seen: wanted, ...(first !== undefined && { etag: first }), unchanged: false };
  }

  async close(repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const before = seenOf(await this.#get(number, call));
    if (before.state !== 'OPEN') return before;
    const asked = { permissions: PULLS, what: `close pull request #${number}`, accept: [422] };
    const parameters = { ...this.#at, pull_number: number, state: 'closed' };
    const { status, data } = await this.#ask(
      'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
      parameters,
      asked,
      call,
    );
    if (status !== 422) return seenOf(data as Data);
    const after = await this.get(repository, number, call);
    if (after.state === 'OPEN') throw this.#refusal(asked.what, { status, words: wordsOf(data) });
    return after;
  }

  async merge(
    _repository: string,
    number: number,
    { sha, method, title }: { sha: string; method?: MergeMethod | undefined; title?: string | undefined },
    call: Call,
  ): Promise<MergeAnswer> {
    const called = `pull request #${number}`;
    const before = seenOf(await this.#get(number, call));
    const known = knownBefore(before, sha, called);
    if (known) return known;
    const what = `merge ${called}`;
    const parameters = {
      ...this.#at,
      pull_number: number,
      sha,
      ...(method && { merge_method: method.toLowerCase() }),
      ...(title !== undefined && { commit_title: cut(title, MOST.title) }),
    };
    const route = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge';
    const { status, data } = await this.#ask(
      route,
      parameters,
      { permissions: CONTENTS, what, accept: [405, 409] },
      call,
    );
    if (status === 200) return merged((data as { sha?: string }).sha);
    const words = wordsOf(data);
    switch (meaningOf('github', { status, words })) {
      case 'PASSES':
        return { kind: 'NOT_YET', why: quoteWords(words) };
      case 'QUEUE':
        return this.#enqueue(what, parameters, words, call);
      case 'LOOK': {
        const now = seenOf(await this.#get(number, call));
        const settled = knownBefore(now, sha, called);
        if (settled) return settled;
        if (now.mergeable !== 'NO') return { kind: 'NOT_YET', why: now.blocked ?? quoteWords(words) };
        throw new PermanentError(`${called} cannot be merged: ${now.blocked ?? quoteWords(words)}`);
      }
      default:
        throw this.#refusal(what, { status, words });
    }
  }

  async deleteBranch(_repository: string, branch: string, call: Call): Promise<void> {
    const what = `delete branch ${branch}`;
    const { status, data } = await this.#ask(
      'DELETE /repos/{owner}/{repo}/git/refs/{ref}',
      { ...this.#at, ref: `heads/${branch}` },
      { permissions: CONTENTS, what, accept: [404, 422] },
      call,
    );
    const words = wordsOf(data);
    if (status === 422 && !/does not exist/i.test(words)) throw this.#refusal(what, { status, words });
    // A repository that is not there answers the same: then there is no branch either.
  }

  async setStatus(
    _repository: string,
    sha: string,
    { context, state, description, url }: { context: string; state: StatusState; description: string; url?: string },
    call: Call,
  ): Promise<void> {
    const what = `set the status ${context}`;
    const wanted = {
      ...this.#at,
      sha,
      state: state.toLowerCase(),
      context,
      description: cut(description, MOST.description),
      ...(url !== undefined && { target_url: url }),
    };
    const asked = { permissions: STATUSES, what, accept: [422] };
    const lane = laneOf(state, call);
    const { status, data } = await this.#ask('POST /repos/{owner}/{repo}/statuses/{sha}', wanted, asked, lane);
    if (status !== 422) return;
    const words = wordsOf(data);
    // GitHub keeps a thousand of one commit and context, and then takes no more: the last one may be what is wanted.
    if (/maximum number of statuses/i.test(words) && (await this.#statusNow(sha, context, call)) === wanted.state)
      return;
    throw this.#refusal(what, { status, words });
  }

  async comment(
    _repository: string,
    number: number,
    { key, body }: { key: string; body: string },
    call: Call,
  ): Promise<void> {
    const text = marked(body, key);
    const what = `comment on pull request #${number}`;
    const route = '/repos/{owner}/{repo}/issues/{issue_number}/comments';
    const at = { ...this.#at, issue_number: number };
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const { data } = await this.#ask(
        `GET ${route}`,
        { ...at, per_page: PAGE, page },
        { permissions: PULLS, what },
        call,
      );
      const comments = data as { id: number; body?: string }[];
      for (const found of comments.filter((each) => each.body?.includes(markOf(key)))) {
        if (found.body === text) return;
        const { status } = await this.#ask(
          'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
          { ...this.#at, comment_id: found.id, body: text },
          { permissions: PULLS, what, accept: [403, 404], content: true },
          call,
        );
        if (status === 200) return;
        // Another user has copied the mark, or it was deleted meanwhile.
      }
      if (comments.length < PAGE) break;
    }
    await this.#ask(`POST ${route}`, { ...at, body: text }, { permissions: PULLS, what, content: true }, call);
  }

  async mayMerge(_repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }> {
    const asked = { permissions: CONTENTS, what: `ask for the protection of ${base}` };
    const { data: repository } = await this.#ask('GET /repos/{owner}/{repo}', this.#at, asked, call);
    const { archived, permissions } = repository as {
      archived?: boolean;
      permissions?: { push?: boolean; admin?: boolean };
    };
    const { name, secret } = this.#open;
    if (archived === true) return { may: false, why: `the repository ${name} is archived` };
    if (permissions?.push === false) return { may: false, why: `secret "${secret}" may not push to ${name}` };
    const { status, data } = await this.#ask(
      'GET /repos/{owner}/{repo}/rules/branches/{branch}',
      { ...this.#at, branch: base },
      { ...asked, accept: [404] },
      call,
    );
    const rules = status === 200 ? (data as Rule[]) : [];
    for (const rule of rules) {
      const why = whyHeld(base, rule);
      if (why !== undefined && !(await this.#mayBypass(rule, asked, call))) return { may: false, why };
    }
    return this.#classicProtection(base, permissions?.admin === true, asked, call);
  }

  async commitRules(_repository: string, base: string, call: Call): Promise<{ rules: CommitRule[]; unseen?: string }> {
    const asked = { permissions: CONTENTS, what: `ask what commits into ${base} have to be`, accept: [403, 404] };
    const at = { ...this.#at, branch: base };
    const found = await this.#ask('GET /repos/{owner}/{repo}/rules/branches/{branch}', at, asked, call);
    const rules: CommitRule[] = [];
    for (const each of found.status === 200 ? (found.data as Rule[]) : []) {
      const rule = commitRuleOf(each);
      if (rule && !(await this.#mayBypass(each, asked, call))) rules.push(rule);
    }
    const branch = await this.#ask('GET /repos/{owner}/{repo}/branches/{branch}', at, asked, call);
    // Rulesets make a branch protected, too: what only an administrator sees is the classic protection.
    if (branch.status !== 200 || (branch.data as { protected?: boolean }).protected !== true) return { rules };
    const protection = this.#login.isApp
      ? undefined
      : await this.#ask('GET /repos/{owner}/{repo}/branches/{branch}/protection', at, asked, call);
    if (protection?.status === 404) return { rules };
    if (protection?.status !== 200)
      return { rules, unseen: `its classic protection, which takes Administration: read` };
    const { required_signatures: signatures, required_linear_history: linear } = protection.data as {
      required_signatures?: { enabled: boolean };
      required_linear_history?: { enabled?: boolean };
    };
    if (signatures?.enabled === true) rules.push({ kind: 'SIGNATURES' });
    if (linear?.enabled === true) rules.push({ kind: 'LINEAR_HISTORY' });
    return { rules };
  }

  readonly deliveries = {
    since: async (_repository: string, at: Date, receiver: string, call: Call): Promise<ForgeDelivery[]> => {
      if (this.#login.isApp) return this.#deliveriesOf(null, at, call);
      const asked = { permissions: HOOKS, what: 'list webhooks' };
      const { data } = await this.#ask('GET /repos/{owner}/{repo}/hooks', { ...this.#at, per_page: PAGE }, asked, call);
      const ours = (data as { id: number; config?: { url?: string } }[]).filter((each) =>
        each.config?.url?.startsWith(receiver),
      );
      const found: ForgeDelivery[] = [];
      for (const { id } of ours) found.push(...(await this.#deliveriesOf(String(id), at, call)));
      return found.sort((a, b) => b.at.getTime() - a.at.getTime());
    },
    redeliver: async (
      _repository: string,
      { id, hook }: Pick<ForgeDelivery, 'id' | 'hook'>,
      call: Call,
    ): Promise<void> => {
      const asked = { permissions: HOOKS, what: `ask for delivery ${id} again` };
      if (hook === null)
        await this.#ask(
          'POST /app/hook/deliveries/{delivery_id}/attempts',
          { delivery_id: id },
          { ...asked, login: await this.#login.appLogin() },
          call,
        );
      else
        await this.#ask(
          'POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts',
          { ...this.#at, hook_id: hook, delivery_id: id },
          asked,
          call,
        );
    },
  };

  async #deliveriesOf(hook: string | null, since: Date, call: Call): Promise<ForgeDelivery[]> {
    const found: ForgeDelivery[] = [];
    let cursor: string | undefined;
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const asked = { permissions: HOOKS, what: 'list deliveries of webhooks' };
      const paging = { per_page: PAGE, ...(cursor !== undefined && { cursor }) };
      const { data, headers } =
        hook === null
          ? await this.#ask('GET /app/hook/deliveries', paging, { ...asked, login: await this.#login.appLogin() }, call)
          : await this.#ask(
              'GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries',
              { ...this.#at, hook_id: hook, ...paging },
              asked,
              call,
            );
      const some = (data as DeliveryItem[]).map((each) => ({
        id: String(each.id),
        hook,
        deliveryId: each.guid,
        event: each.event,
        at: new Date(each.delivered_at),
        status: each.status_code,
        redelivery: each.redelivery,
      }));
      found.push(...some.filter(({ at }) => at >= since));
      cursor = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(String(headers['link'] ?? ''))?.[1];
      if (cursor === undefined || some.some(({ at }) => at < since)) break;
      cursor = decodeURIComponent(cursor);
    }
    return found;
  }

  /** The newest with this head; a branch of the same name in a fork is another one. */
  async #find(
    { head, base }: { head: string; base?: string | undefined },
    call: Call,
  ): Promise<PullRequestSeen | undefined> {
    const { owner } = this.#at;
    const { data } = await this.#ask(
      'GET /repos/{owner}/{repo}/pulls',
      {
        ...this.#at,
        // Without its owner GitHub takes the filter for none, and answers all.
        head: `${owner}:${head}`,
        ...(base !== undefined && { base }),
        state: 'all',
        sort: 'created',
        direction: 'desc',
        per_page: PAGE,
      },
      { permissions: PULLS, what: 'find a pull request' },
      call,
    );
    const found = (data as Data[]).find((each) => {
      const at = each['head'] as { ref?: string; repo?: { full_name?: string } | null };
      // The repository of a head is gone with its fork.
      const whose = at.repo?.full_name?.toLowerCase();
      return at.ref === head && whose === this.#open.name.toLowerCase();
    });
    return found && seenOf(found);
  }

  async #get(number: number, call: Call): Promise<Data> {
    const asked = { permissions: PULLS, what: `see pull request #${number}` };
    const parameters = { ...this.#at, pull_number: number };
    const { data } = await this.#ask('GET /repos/{owner}/{repo}/pulls/{pull_number}', parameters, asked, call);
    return data as Data;
  }

  /** Labels and reviewers are sets: once more is the same. */
  async #complete(number: number, { labels = [], reviewers = [] }: NewPullRequest, call: Call): Promise<string[]> {
    const remarks: string[] = [];
    const add = async (route: string, parameters: object, what: string, content = false): Promise<void> => {
      const asked = { permissions: PULLS, what, accept: [403, 404, 410, 422], content };
      const { status, data } = await this.#ask(route, { ...this.#at, ...parameters }, asked, call);
      if (status >= 400) remarks.push(`GitHub did not ${what}: ${quoteWords(wordsOf(data))}`);
    };
    if (labels.length > 0)
      await add(
        'POST /repos/{owner}/{repo}/issues/{issue_number}/labels',
        { issue_number: number, labels: labels.map((each) => cut(each, MOST.label)) },
        `label pull request #${number}`,
      );
    // One by one: GitHub refuses all of them for one that is none.
    for (const each of reviewers) {
      const [, team] = /^team\/(.+)$/.exec(each) ?? [];
      await add(
        'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
        { pull_number: number, ...(team === undefined ? { reviewers: [each] } : { team_reviewers: [team] }) },
        `ask ${each} to review pull request #${number}`,
        true,
      );
    }
    return remarks;
  }

  /** GitHub merges it in the queue's turn; without a way to ask for that a person has to. */
  async #enqueue(what: string, parameters: object, words: string, call: Call): Promise<MergeAnswer> {
    const route = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge-async';
    const { merge_method: _, ...rest } = parameters as Data;
    const asked = { permissions: CONTENTS, what, accept: [400, 404, 405, 409] };
    const { status, data } = await this.#ask(route, { ...rest, merge_action: 'merge_queue' }, asked, call);
    if (status === 404 || status === 405)
      return { kind: 'NOT_YET', why: `${quoteWords(words)}: somebody has to add it to the queue` };
    const { status: came, details } = data as { status?: string; details?: { message?: string; sha?: string } };
    if (came === 'merged') return merged(details?.sha);
    if (came === 'pending' || came === 'enqueued') return { kind: 'QUEUED' };
    return { kind: 'NOT_YET', why: quoteWords(details?.message ?? words) };
  }

  /** Whether the ruleset of a rule lets this credential past it; a ruleset of an organisation may not be shown. */
  async #mayBypass({ ruleset_id: id }: Rule, asked: Ask, call: Call): Promise<boolean> {
    if (id === undefined) return false;
    const { status, data } = await this.#ask(
      'GET /repos/{owner}/{repo}/rulesets/{ruleset_id}',
      { ...this.#at, ruleset_id: id },
      { ...asked, accept: [403, 404] },
      call,
    );
    if (status !== 200) return false;
    const { current_user_can_bypass: bypass } = data as { current_user_can_bypass?: string };
    return bypass !== undefined && bypass !== 'never';
  }

  async #classicProtection(
    base: string,
    isAdmin: boolean,
    asked: Ask,
    call: Call,
  ): Promise<{ may: boolean; why?: string }> {
    const parameters = { ...this.#at, branch: base };
    const accept = [403, 404];
    const { status, data } = await this.#ask(
      'GET /repos/{owner}/{repo}/branches/{branch}',
      parameters,
      { ...asked, accept },
      call,
    );
    if (status === 404) return { may: false, why: `there is no branch ${base}` };
    if ((data as { protected?: boolean }).protected !== true) return { may: true };
    const unseen = {
      may: true,
      why: `${base} is protected, and secret "${this.#open.secret}" may not see how (Administration: read)`,
    };
    // An App is not asked for a permission that only this needs.
    if (this.#login.isApp) return unseen;
    const protection = await this.#ask(
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

  async #statusNow(sha: string, context: string, call: Call): Promise<string | undefined> {
    const { data } = await this.#ask(
      'GET /repos/{owner}/{repo}/commits/{ref}/status',
      { ...this.#at, ref: sha, per_page: PAGE },
      { permissions: STATUSES, what: 'see commit statuses' },
      call,
    );
    const { statuses } = data as { statuses: { context: string; state: string }[] };
    return statuses.find((each) => each.context.toLowerCase() === context.toLowerCase())?.state;
  }

  /** @throws as `Forge` says for every status from 300 on that is not accepted. */
  async #ask(route: string, parameters: object, ask: Ask, call: Call): Promise<Answered> {
    const login = ask.login ?? (await this.#login.login(ask.permissions, call));
    const answered = await this.#send(route, parameters, ask, login, call);
    const { status, headers, data } = answered;
    if (status < 300 || ask.accept?.includes(status)) return answered;
    if (status === 401 && ask.login === undefined && this.#login.isApp) {
      // A token can be revoked before its hour is over; a new one says more.
      this.#login.forget();
      const again = await this.#send(route, parameters, ask, await this.#login.login(ask.permissions, call), call);
      if (again.status < 300 || ask.accept?.includes(again.status)) return again;
    }
    const moved = status < 400 ? await this.#newAddress(String(headers['location'] ?? ''), login, call) : null;
    const needs = headers['x-accepted-github-permissions'];
    throw this.#refusal(ask.what, {
      status,
      words: wordsOf(data),
      location: moved,
      needs: typeof needs === 'string' ? needs : null,
    });
  }

  async #send(route: string, parameters: object, ask: Ask, login: Login, call: Call): Promise<Answered> {
    const request = {
      signal: call.signal,
      log: SILENT,
      fetch: async (url: string, init: { method: string; headers: Record<string, string>; body?: string }) => {
        const sent = { ...init, content: ask.content === true };
        const { status, headers, text } = await this.#open.connection.send(login.credential, new URL(url), sent, call);
        return new Response([204, 205, 304].includes(status) ? null : text, { status, headers });
      },
    };
    const { headers, ...rest } = parameters as { headers?: Record<string, string> };
    const all = { ...HEADERS, ...headers, authorization: login.authorization };
    try {
      return (await this.#octokit.request(route, { ...rest, headers: all, request })) as Answered;
    } catch (error) {
      const { cause, response } = error as { cause?: unknown; response?: Answered };
      // What our fetch threw comes wrapped.
      for (const each of [error, cause])
        if (each instanceof PermanentError || each instanceof TransientError) throw each;
      call.signal.throwIfAborted();
      if (response) return response;
      throw error;
    }
  }

  /**
   * The address of a repository that has moved. GitHub names it by its number, on its own host: that is asked for the name, and nothing
   * else is done there.
   */
  async #newAddress(location: string, login: Login, call: Call): Promise<string | null> {
    if (!URL.canParse(location)) return null;
    const { origin, pathname } = new URL(location);
    const [, id] = /\/repositories\/(\d+)/.exec(pathname) ?? [];
    if (id === undefined || origin !== new URL(this.#open.apiUrl).origin) return location;
    const asked = { permissions: {}, what: 'see a repository' };
    const { status, data } = await this.#send('GET /repositories/{id}', { id }, asked, login, call);
    const address = status === 200 ? (data as { html_url?: string }).html_url : undefined;
    return address ?? location;
  }

  #refusal(what: string, said: Said): Error {
    return refusalBy({ ...this.#open, what }, said);
  }
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

interface DeliveryItem {
  id: number | string;
  guid: string;
  event: string;
  delivered_at: string;
  status_code: number;
  redelivery: boolean;
}

const loginOf = (user: unknown): string | undefined => (user as { login?: string } | null | undefined)?.login;

/** GitHub's times have no fractions of a second: one that was told with them must not hide what happened in the same second. */
const isoSeconds = (at: string): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

const BLOCKED: Record<string, (base: string) => string> = {
  dirty: (base) => `it has conflicts with ${base}`,
  blocked: () => 'reviews or checks are missing that the branch requires',
  behind: (base) => `it is behind ${base}, which has to be in it`,
  draft: () => 'it is a draft',
};

function seenOf(data: Data): PullRequestSeen {
  const at = data as {
    number: number;
    html_url: string;
    state: string;
    draft?: boolean;
    title: string;
    head: { ref: string; sha: string };
    base: { ref: string; repo?: { archived?: boolean } };
    mergeable?: boolean | null;
    mergeable_state?: string;
    merged_at?: string | null;
    merge_commit_sha?: string | null;
    merged_by?: unknown;
    updated_at: string;
  };
  const isMerged = at.merged_at != null;
  const state = isMerged ? 'MERGED' : at.state === 'open' ? 'OPEN' : 'CLOSED';
  const blocked = state === 'OPEN' ? BLOCKED[at.mergeable_state ?? '']?.(at.base.ref) : undefined;
  const by = loginOf(at.merged_by);
  return {
    number: at.number,
    url: at.html_url,
    state,
    draft: at.draft === true,
    title: at.title,
    head: { branch: at.head.ref, sha: at.head.sha },
    base: at.base.ref,
    mergeable: at.mergeable == null ? 'UNKNOWN' : at.mergeable ? 'YES' : 'NO',
    ...(blocked !== undefined && { blocked }),
    ...(isMerged && { mergedAt: at.merged_at! }),
    // Before the merge it is the sha of a test merge, which is in no branch.
    ...(isMerged && at.merge_commit_sha != null && { mergeCommit: at.merge_commit_sha }),
    ...(by !== undefined && { by }),
    updatedAt: at.updated_at,
    ...(at.base.repo?.archived === true && { archived: true }),
  };
}

/** GitHub's message, with those of its parts: the first says `Validation Failed` and no more. */
function wordsOf(data: unknown): string {
  if (typeof data === 'string') return data;
  const { message, errors } = (data ?? {}) as { message?: string; errors?: unknown };
  const parts = Array.isArray(errors) ? (errors as (string | ErrorPart | null)[]) : [];
  const words = parts.map((each) => (typeof each === 'string' ? each : (each?.message ?? fieldOf(each))));
  return [message, ...words].filter((each) => typeof each === 'string' && each !== '').join(': ');
}

interface ErrorPart {
  message?: string;
  field?: string;
  code?: string;
}

const fieldOf = (part: ErrorPart | null): string | undefined =>
  part?.field === undefined ? undefined : `${part.field} ${part.code ?? 'invalid'}`;
