import type { CommitRule } from '../../core/commit-rules.ts';
import { PermanentError } from '../driver.ts';
import type {
  Call,
  Forge,
  HowToMerge,
  ListSince,
  MergeAnswer,
  NewPullRequest,
  PullRequestBranches,
  PullRequestList,
  PullRequestOpened,
  PullRequestSeen,
  StatusState,
  WantedStatus,
} from './forge.ts';
import { afterRefusal, editMarked, knownBefore, laneOf, merged } from './alike.ts';
import type { OpenForge } from './open.ts';
import { meaningOf, quoteWords } from './refusals.ts';
import { pages, Rest } from './rest.ts';
import { cut, marked, MOST } from './text.ts';

const PAGE = 100;

/** Of GitLab's states of a status, what ours are. */
const STATES: Record<StatusState, string> = {
  PENDING: 'pending',
  SUCCESS: 'success',
  FAILURE: 'failed',
  ERROR: 'failed',
};

interface MergeRequest {
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

/** A project that was renamed is known by its number; a call that changes something is refused there with 405. */
const NUMBERED = {
  path: /^.*?\/projects\/\d+/,
  address: (project: unknown): string | undefined => (project as { web_url?: string } | undefined)?.web_url,
};

/** Of a project, for all its branches. */
interface PushRules {
  reject_unsigned_commits?: boolean | null;
  reject_non_dco_commits?: boolean | null;
  author_email_regex?: string | null;
  commit_message_regex?: string | null;
  commit_message_negative_regex?: string | null;
}

/** A merge request on a merge train; its pipeline runs on the commit that is to become the branch. */
interface Car {
  status: string;
  pipeline?: { sha: string; ref: string } | null;
}

interface Project {
  archived?: boolean;
  permissions?: Record<'project_access' | 'group_access', { access_level?: number } | null>;
  only_allow_merge_if_pipeline_succeeds?: boolean;
  merge_trains_enabled?: boolean;
}

interface Named {
  id: number;
  username: string;
}

/** GitLab, where a pull request is a merge request. */
export function gitlabForge(open: OpenForge): Forge {
  return new GitLab(open);
}

class GitLab implements Forge {
  readonly kind = 'gitlab';
  readonly #open: OpenForge;
  readonly #rest: Rest;
  readonly #project: string;

  constructor(open: OpenForge) {
    this.#open = open;
    this.#rest = new Rest(open, { 'private-token': open.value }, NUMBERED);
    this.#project = `/projects/${encodeURIComponent(open.name)}`;
  }

  async open(repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened> {
    const there = await this.find(repository, wanted, call);
    if (there) return { ...there, opened: false, remarks: [] };
    const { head, base, labels = [], reviewers = [], draft = false } = wanted;
    const { ids, remarks } = await this.#reviewers(reviewers, call);
    const { status, data, words } = await this.#rest.ask(
      'POST',
      `${this.#project}/merge_requests`,
      {
        what: 'open a merge request',
        accept: [409],
        content: true,
        body: {
          source_branch: head,
          target_branch: base,
          title: `${draft ? 'Draft: ' : ''}${cut(wanted.title, MOST.title)}`,
          description: cut(wanted.body, MOST.body),
          ...(labels.length > 0 && {
            labels: labels.map((each) => cut(each.replaceAll(',', ' '), MOST.label)).join(','),
          }),
          ...(ids.length > 0 && { reviewer_ids: ids }),
        },
      },
      call,
    );
    if (status !== 409) return { ...seenOf(data as MergeRequest), opened: true, remarks };
    // Another process was faster, or the answer to the first try was lost.
    const found = await this.find(repository, wanted, call);
    if (!found) throw this.#rest.refusal('open a merge request', { status, words });
    return { ...found, opened: false, remarks };
  }

  async find(
    _repository: string,
    { head, base }: PullRequestBranches,
    call: Call,
  ): Promise<PullRequestSeen | undefined> {
    const query = {
      source_branch: head,
      target_branch: base,
      state: 'all',
      order_by: 'created_at',
      sort: 'desc',
      per_page: PAGE,
    };
    const ask = { what: 'find a merge request', query };
    const { data } = await this.#rest.ask('GET', `${this.#project}/merge_requests`, ask, call);
    // A branch of the same name in a fork is another one.
    const found = (data as MergeRequest[]).find(
      (each) => each.source_branch === head && each.source_project_id === each.target_project_id,
    );
    return found && seenOf(found);
  }

  async get(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const data = await this.#get(number, call);
    const seen = seenOf(data);
    if (seen.state !== 'OPEN') return seen;
    // A merge request does not say that its project takes no changes any more.
    const asked = { what: `see merge request !${number}` };
    const { data: project } = await this.#rest.ask('GET', this.#project, asked, call);
    const { archived, merge_trains_enabled: hasTrain } = project as Project;
    if (archived === true) return { ...seen, archived };
    const { queue, ...rest } = seen;
    if (queue === undefined || hasTrain !== true) return rest;
    const pipeline = (await this.#car(number, call))?.pipeline;
    // Before it boards its pipeline is that of its branch: a status there is the head's alone.
    const isTrain = pipeline?.ref === `refs/merge-requests/${number}/train`;
    return { ...seen, blocked: 'it is on its way by the merge train', queue: isTrain ? { commit: pipeline.sha } : {} };
  }

  async list(_repository: string, { etag, updatedAfter }: ListSince, call: Call): Promise<PullRequestList> {
    let first: string | null = null;
    let unchanged = false;
    const found = await pages(
      PAGE,
      async (page) => {
        const query = {
          state: 'all',
          order_by: 'updated_at',
          sort: 'desc',
          updated_after: updatedAfter,
          per_page: PAGE,
          page,
        };
        const ask = { what: 'list merge requests', query, accept: [304], ...(page === 1 && { etag }) };
        const { status, data, headers } = await this.#rest.ask('GET', `${this.#project}/merge_requests`, ask, call);
        if (page === 1) [first, unchanged] = [headers.get('etag'), status === 304];
        return status === 304 ? [] : (data as MergeRequest[]);
      },
      () => updatedAfter === undefined,
    );
    const next = first ?? (unchanged ? etag : undefined);
    return { seen: found.map(seenOf), ...(next !== undefined && { etag: next }), unchanged };
  }

  async close(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const before = seenOf(await this.#get(number, call));
    if (before.state !== 'OPEN') return before;
    const what = `close merge request !${number}`;
    const ask = { what, body: { state_event: 'close' }, accept: [400, 405, 409, 422] };
    const { status, data, words } = await this.#rest.ask('PUT', this.#at(number), ask, call);
    const after = seenOf(status === 200 ? (data as MergeRequest) : await this.#get(number, call));
    if (after.state === 'OPEN') throw this.#rest.refusal(what, { status, words });
    return after;
  }

  async merge(
    _repository: string,
    number: number,
    { sha, method, title }: HowToMerge,
    call: Call,
  ): Promise<MergeAnswer> {
    const before = await this.#get(number, call);
    const known = this.#knownBefore(before, sha);
    if (known) return known;
    if (isOnItsWay(before)) return { kind: 'QUEUED' };
    const what = `merge merge request !${number}`;
    // The plain merge would pass the train, and stop what runs in it.
    const { data: project } = await this.#rest.ask('GET', this.#project, { what }, call);
    if ((project as Project).merge_trains_enabled === true) return this.#board(number, { sha, method }, what, call);
    const text = title === undefined ? undefined : cut(title, MOST.title);
    const { status, data, words } = await this.#rest.ask(
      'PUT',
      `${this.#at(number)}/merge`,
      {
        what,
        // 401 is GitLab's word here for a user who may not merge.
        accept: [401, 405, 406, 409, 422],
        body: {
          sha,
          // Whether it is a merge commit, a rebase or fast-forward is a setting of the project.
          ...(method && { squash: method === 'SQUASH' }),
          ...(text !== undefined && { [method === 'SQUASH' ? 'squash_commit_message' : 'merge_commit_message']: text }),
        },
      },
      call,
    );
    if (status === 200) return this.#merging(data as MergeRequest);
    if (status === 401)
      throw new PermanentError(
        `secret "${this.#open.secret}" may not ${what} in ${this.#open.name} (${words || status}): its user needs the right to merge into the branch`,
      );
    switch (meaningOf('gitlab', { status, words })) {
      case 'PASSES':
        return { kind: 'NOT_YET', why: quoteWords(words) };
      case 'LOOK': {
        const data = await this.#get(number, call);
        const settled = this.#knownBefore(data, sha);
        if (settled) return settled;
        return afterRefusal(seenOf(data), `merge request !${number}`, { status, words });
      }
      default:
        throw this.#rest.refusal(what, { status, words });
    }
  }

  async deleteBranch(_repository: string, branch: string, call: Call): Promise<void> {
    const path = `${this.#project}/repository/branches/${encodeURIComponent(branch)}`;
    await this.#rest.ask('DELETE', path, { what: `delete branch ${branch}`, accept: [404] }, call);
  }

  async setStatus(_repository: string, sha: string, wanted: WantedStatus, call: Call): Promise<void> {
    const { context, state, description, url } = wanted;
    const what = `set the status ${context}`;
    const lane = laneOf(state, call);
    const body = {
      state: STATES[state],
      name: context,
      description: cut(description, MOST.description),
      ...(url !== undefined && { target_url: url }),
    };
    const ask = { what, body, accept: [400] };
    const { status, words } = await this.#rest.ask('POST', `${this.#project}/statuses/${sha}`, ask, lane);
    if (status !== 400) return;
    // GitLab takes a new description only with a new state: what has the state already is done.
    if (/cannot transition/i.test(words) && (await this.#statusNow(sha, context, lane)) === STATES[state]) return;
    throw this.#rest.refusal(what, { status, words });
  }

  async comment(
    _repository: string,
    number: number,
    { key, body }: { key: string; body: string },
    call: Call,
  ): Promise<void> {
    const text = marked(body, key);
    const what = `comment on merge request !${number}`;
    const path = `${this.#at(number)}/notes`;
    const notes = await pages(PAGE, async (page) => {
      const query = { order_by: 'created_at', sort: 'asc', per_page: PAGE, page };
      return (await this.#rest.ask('GET', path, { what, query }, call)).data as { id: number; body: string }[];
    });
    const ask = { what, body: { body: text }, accept: [403, 404], content: true };
    const edit = (id: number): Promise<{ status: number }> => this.#rest.ask('PUT', `${path}/${id}`, ask, call);
    if (await editMarked(notes, { key, text }, edit)) return;
    await this.#rest.ask('POST', path, { what, body: { body: text }, content: true }, call);
  }

  async mayMerge(_repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }> {
    const what = `ask for the protection of ${base}`;
    const { data } = await this.#rest.ask('GET', this.#project, { what }, call);
    const project = data as Project;
    if (project.archived === true) return { may: false, why: `the repository ${this.#open.name} is archived` };
    const { project_access: own, group_access: ofGroup } = project.permissions ?? {};
    const level = Math.max(own?.access_level ?? 0, ofGroup?.access_level ?? 0);
    const branch = await this.#rest.ask(
      'GET',
      `${this.#project}/protected_branches/${encodeURIComponent(base)}`,
      { what, accept: [403, 404] },
      call,
    );
    // Without protection a developer merges.
    const levels =
      branch.status === 200
        ? ((branch.data as { merge_access_levels?: { access_level: number | null; user_id?: number | null }[] })
            .merge_access_levels ?? [])
        : [{ access_level: 30 }];
    const needed = Math.min(...levels.map((each) => (each.access_level ? each.access_level : Infinity)));
    const named = levels.some((each) => 'user_id' in each && each.user_id != null);
    const { secret } = this.#open;
    if (level < needed && !named)
      return {
        may: false,
        why: Number.isFinite(needed)
          ? `the user of secret "${secret}" has access level ${level} in ${this.#open.name}, and merging into ${base} takes ${needed}`
          : `${base} takes no merges`,
      };
    const approvals = await this.#rest.ask(
      'GET',
      `${this.#project}/approvals`,
      { what, accept: [401, 403, 404] },
      call,
    );
    const count =
      approvals.status === 200 ? Number((approvals.data as Record<string, unknown>)['approvals_before_merge'] ?? 0) : 0;
    if (count > 0) return { may: false, why: `${base} takes a merge request only after ${count} approvals` };
    if (project.only_allow_merge_if_pipeline_succeeds === true)
      return { may: true, why: 'a merge request is merged only after its pipeline has succeeded' };
    return { may: true };
  }

  async commitRules(_repository: string, _base: string, call: Call): Promise<{ rules: CommitRule[]; unseen?: string }> {
    const what = 'ask for the push rules';
    const ask = { what, accept: [401, 403, 404] };
    const { status, data } = await this.#rest.ask('GET', `${this.#project}/push_rule`, ask, call);
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

  /** GitLab merges it in its turn, once the pipelines of its head and of the train have passed. */
  async #board(number: number, { sha, method }: HowToMerge, what: string, call: Call): Promise<MergeAnswer> {
    const path = `${this.#project}/merge_trains/merge_requests/${number}`;
    const body = { sha, auto_merge: true, ...(method && { squash: method === 'SQUASH' }) };
    const { status, words } = await this.#rest.ask('POST', path, { what, body, accept: [400, 409] }, call);
    if (status === 409 && meaningOf('gitlab', { status, words }) === 'FINAL')
      throw this.#rest.refusal(what, { status, words });
    // While GitLab still works out whether there are conflicts it answers that it did it, and does nothing.
    const now = await this.#get(number, call);
    const settled = this.#knownBefore(now, sha);
    if (settled) return settled;
    if (isOnItsWay(now) || (await this.#car(number, call))) return { kind: 'QUEUED' };
    const why = words === '' ? seenOf(now).blocked : quoteWords(words);
    return { kind: 'NOT_YET', why: why ?? 'GitLab has not taken it into the merge train yet' };
  }

  /** Undefined: it is on no train. */
  async #car(number: number, call: Call): Promise<Car | undefined> {
    const ask = { what: `see the merge train of !${number}`, accept: [403, 404] };
    const path = `${this.#project}/merge_trains/merge_requests/${number}`;
    const { status, data } = await this.#rest.ask('GET', path, ask, call);
    const car = status === 200 ? (data as Car) : undefined;
    return car && RIDES.has(car.status) ? car : undefined;
  }

  async #get(number: number, call: Call): Promise<MergeRequest> {
    const { data } = await this.#rest.ask('GET', this.#at(number), { what: `see merge request !${number}` }, call);
    return data as MergeRequest;
  }

  #at(number: number): string {
    return `${this.#project}/merge_requests/${number}`;
  }

  /** What there is to say without asking for the merge. */
  #knownBefore(data: MergeRequest, sha: string): MergeAnswer | undefined {
    if (data.state === 'locked') return this.#merging(data);
    return knownBefore(seenOf(data), sha, `merge request !${data.iid}`);
  }

  #merging(data: MergeRequest): MergeAnswer {
    const { state, mergeCommit } = seenOf(data);
    if (state === 'MERGED') return merged(mergeCommit);
    if (isOnItsWay(data)) return { kind: 'QUEUED' };
    return { kind: 'NOT_YET', why: data.state === 'locked' ? 'GitLab is merging it' : 'GitLab has not merged it yet' };
  }

  async #reviewers(names: readonly string[], call: Call): Promise<{ ids: number[]; remarks: string[] }> {
    const ids: number[] = [];
    const remarks: string[] = [];
    for (const name of names) {
      const ask = { what: `look for the reviewer ${name}`, query: { username: name }, accept: [403, 404] };
      const { status, data } = await this.#rest.ask('GET', '/users', ask, call);
      const found = status === 200 ? (data as Named[]).find((each) => each.username === name) : undefined;
      if (found) ids.push(found.id);
      else remarks.push(`GitLab knows no user ${name}, who was to review it`);
    }
    return { ids, remarks };
  }

  async #statusNow(sha: string, context: string, call: Call): Promise<string | undefined> {
    const path = `${this.#project}/repository/commits/${sha}/statuses`;
    const query = { name: context, per_page: PAGE };
    const { data } = await this.#rest.ask('GET', path, { what: 'see commit statuses', query }, call);
    // Those that a newer one has replaced are left out unless all are asked for.
    return (data as { name: string; status: string; id: number }[])
      .filter((each) => each.name === context)
      .sort((a, b) => b.id - a.id)[0]?.status;
  }
}

/** Of a car: before and while it is merged. `merged` and `skip_merged` are what it was. */
const RIDES = new Set(['idle', 'fresh', 'stale', 'merging']);

/** GitLab merges it by itself: as soon as its pipeline has passed, or on a merge train. */
const isOnItsWay = ({ merge_when_pipeline_succeeds: set }: MergeRequest): boolean => set === true;

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

function seenOf(data: MergeRequest): PullRequestSeen {
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
