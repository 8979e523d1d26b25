import type { CommitRule } from '../../core/commit-rules.ts';
import { PermanentError } from '../driver.ts';
import { laneOf } from './alike.ts';
import type {
  Call,
  Forge,
  HowToMerge,
  KeyedComment,
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
import { GitLabProject, PAGE } from './gitlab-project.ts';
import { commitRules, mayMerge } from './gitlab-protection.ts';
import { knownOf, mergingOf, seenOf } from './gitlab-request.ts';
import type { MergeRequest } from './gitlab-request.ts';
import { boardTrain, trainCommit } from './gitlab-train.ts';
import { closeOnce, commentOnce, mergeOnce, openOnce } from './once.ts';
import type { Created } from './once.ts';
import type { OpenForge } from './open.ts';
import { pages } from './pages.ts';
import type { Said } from './refusals.ts';
import { cut, MOST } from './text.ts';

/** Of GitLab's states of a status, what ours are. */
const STATES: Record<StatusState, string> = {
  PENDING: 'pending',
  SUCCESS: 'success',
  FAILURE: 'failed',
  ERROR: 'failed',
};

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
  readonly #project: GitLabProject;

  constructor(open: OpenForge) {
    this.#project = new GitLabProject(open);
  }

  async open(repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened> {
    const what = 'open a merge request';
    return openOnce({
      find: () => this.find(repository, wanted, call),
      create: () => this.#create(wanted, what, call),
      refusal: (said) => this.#project.refusal(what, said),
    });
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
    const { data } = await this.#project.ask('GET', '/merge_requests', { what: 'find a merge request', query }, call);
    // A branch of the same name in a fork is another one.
    const found = (data as MergeRequest[]).find(
      (each) => each.source_branch === head && each.source_project_id === each.target_project_id,
    );
    return found && seenOf(found);
  }

  async get(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const seen = seenOf(await this.#project.request(number, call));
    if (seen.state !== 'OPEN') return seen;
    // A merge request does not say that its project takes no changes any more.
    const settings = await this.#project.settings(`see merge request !${number}`, call);
    const { archived, merge_trains_enabled: hasTrain } = settings;
    if (archived === true) return { ...seen, archived };
    const { queue, ...rest } = seen;
    if (queue === undefined || hasTrain !== true) return rest;
    // Before it boards, a status is wanted on its head alone.
    const commit = await trainCommit(this.#project, number, call);
    return {
      ...seen,
      blocked: 'it is on its way by the merge train',
      queue: commit === undefined ? {} : { commit },
    };
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
        const { status, data, headers } = await this.#project.ask('GET', '/merge_requests', ask, call);
        if (page === 1) [first, unchanged] = [headers.get('etag'), status === 304];
        return status === 304 ? [] : (data as MergeRequest[]);
      },
      () => updatedAfter === undefined,
    );
    const next = first ?? (unchanged ? etag : undefined);
    return { seen: found.map(seenOf), ...(next !== undefined && { etag: next }), unchanged };
  }

  async close(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const what = `close merge request !${number}`;
    const ask = { what, body: { state_event: 'close' }, accept: [400, 405, 409, 422] };
    const look = async (): Promise<PullRequestSeen> => seenOf(await this.#project.request(number, call));
    return closeOnce({
      before: await look(),
      close: async () => {
        const { status, data, words } = await this.#project.ask('PUT', `/merge_requests/${number}`, ask, call);
        return { status, words, ...(status === 200 && { seen: seenOf(data as MergeRequest) }) };
      },
      look,
      refusal: (said) => this.#project.refusal(what, said),
    });
  }

  async merge(_repository: string, number: number, how: HowToMerge, call: Call): Promise<MergeAnswer> {
    const called = `merge request !${number}`;
    const what = `merge ${called}`;
    return mergeOnce({
      forge: 'gitlab',
      called,
      look: async () => {
        const data = await this.#project.request(number, call);
        return { seen: seenOf(data), known: knownOf(data, how.sha) };
      },
      merge: async (seen) => {
        if (seen.queue) return { kind: 'QUEUED' };
        // The plain merge would pass the train, and stop what runs in it.
        const { merge_trains_enabled: hasTrain } = await this.#project.settings(what, call);
        if (hasTrain === true) return boardTrain(this.#project, number, { ...how, what }, call);
        return this.#merge(number, how, what, call);
      },
      refusal: (said) => this.#project.refusal(what, said),
    });
  }

  async deleteBranch(_repository: string, branch: string, call: Call): Promise<void> {
    const ask = { what: `delete branch ${branch}`, accept: [404] };
    await this.#project.ask('DELETE', `/repository/branches/${encodeURIComponent(branch)}`, ask, call);
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
    const { status, words } = await this.#project.ask('POST', `/statuses/${sha}`, ask, lane);
    if (status !== 400) return;
    // GitLab takes a new description only with a new state: what has the state already is done.
    if (/cannot transition/i.test(words) && (await this.#statusNow(sha, context, lane)) === STATES[state]) return;
    throw this.#project.refusal(what, { status, words });
  }

  async comment(_repository: string, number: number, comment: KeyedComment, call: Call): Promise<void> {
    const what = `comment on merge request !${number}`;
    const path = `/merge_requests/${number}/notes`;
    await commentOnce(comment, {
      size: PAGE,
      page: async (page) => {
        const query = { order_by: 'created_at', sort: 'asc', per_page: PAGE, page };
        return (await this.#project.ask('GET', path, { what, query }, call)).data as { id: number; body: string }[];
      },
      add: (body) => this.#project.ask('POST', path, { what, body: { body }, content: true }, call),
      edit: (id, body) => {
        const ask = { what, body: { body }, accept: [403, 404], content: true };
        return this.#project.ask('PUT', `${path}/${id}`, ask, call);
      },
    });
  }

  async mayMerge(_repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }> {
    return mayMerge(this.#project, base, call);
  }

  async commitRules(_repository: string, _base: string, call: Call): Promise<{ rules: CommitRule[]; unseen?: string }> {
    return commitRules(this.#project, call);
  }

  async #create(wanted: NewPullRequest, what: string, call: Call): Promise<Created> {
    const { head, base, labels = [], draft = false } = wanted;
    const { ids, remarks } = await this.#reviewers(wanted.reviewers ?? [], call);
    const body = {
      source_branch: head,
      target_branch: base,
      title: `${draft ? 'Draft: ' : ''}${cut(wanted.title, MOST.title)}`,
      description: cut(wanted.body, MOST.body),
      ...(labels.length > 0 && {
        labels: labels.map((each) => cut(each.replaceAll(',', ' '), MOST.label)).join(','),
      }),
      ...(ids.length > 0 && { reviewer_ids: ids }),
    };
    const ask = { what, accept: [409], content: true, body };
    const { status, data, words } = await this.#project.ask('POST', '/merge_requests', ask, call);
    return { status, words, remarks, ...(status === 409 ? { taken: true } : { seen: seenOf(data as MergeRequest) }) };
  }

  async #merge(
    number: number,
    { sha, method, title }: HowToMerge,
    what: string,
    call: Call,
  ): Promise<MergeAnswer | Said> {
    const text = title === undefined ? undefined : cut(title, MOST.title);
    const body = {
      sha,
      // Whether it is a merge commit, a rebase or fast-forward is a setting of the project.
      ...(method && { squash: method === 'SQUASH' }),
      ...(text !== undefined && { [method === 'SQUASH' ? 'squash_commit_message' : 'merge_commit_message']: text }),
    };
    // 401 is GitLab's word here for a user who may not merge.
    const ask = { what, accept: [401, 405, 406, 409, 422], body };
    const { status, data, words } = await this.#project.ask('PUT', `/merge_requests/${number}/merge`, ask, call);
    if (status === 200) return mergingOf(data as MergeRequest);
    const { secret, name } = this.#project;
    if (status === 401)
      throw new PermanentError(
        `secret "${secret}" may not ${what} in ${name} (${words || status}): its user needs the right to merge into the branch`,
      );
    return { status, words };
  }

  async #reviewers(names: readonly string[], call: Call): Promise<{ ids: number[]; remarks: string[] }> {
    const ids: number[] = [];
    const remarks: string[] = [];
    for (const name of names) {
      const ask = { what: `look for the reviewer ${name}`, query: { username: name }, accept: [403, 404] };
      const { status, data } = await this.#project.rest.ask('GET', '/users', ask, call);
      const found = status === 200 ? (data as Named[]).find((each) => each.username === name) : undefined;
      if (found) ids.push(found.id);
      else remarks.push(`GitLab knows no user ${name}, who was to review it`);
    }
    return { ids, remarks };
  }

  async #statusNow(sha: string, context: string, call: Call): Promise<string | undefined> {
    const ask = { what: 'see commit statuses', query: { name: context, per_page: PAGE } };
    const { data } = await this.#project.ask('GET', `/repository/commits/${sha}/statuses`, ask, call);
    // Those that a newer one has replaced are left out unless all are asked for.
    return (data as { name: string; status: string; id: number }[])
      .filter((each) => each.name === context)
      .sort((a, b) => b.id - a.id)[0]?.status;
  }
}
