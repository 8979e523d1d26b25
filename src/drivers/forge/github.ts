import type { CommitRule } from '../../core/commit-rules.ts';
import type {
  Call,
  Forge,
  ForgeDeliveries,
  HowToMerge,
  KeyedComment,
  ListSince,
  MergeAnswer,
  NewPullRequest,
  PullRequestBranches,
  PullRequestList,
  PullRequestOpened,
  PullRequestSeen,
  WantedStatus,
} from './forge.ts';
import { laneOf, reviewRequest, statusBody } from './alike.ts';
import { NothingToPropose } from './forge.ts';
import { deliveriesOf } from './github-deliveries.ts';
import { commitRules, mayMerge } from './github-protection.ts';
import { CONTENTS, GitHubRest, PAGE, PULLS, STATUSES, wordsOf } from './github-rest.ts';
import { closeOnce, commentOnce, knownBefore, merged, mergeOnce, openOnce } from './once.ts';
import type { Created } from './once.ts';
import type { OpenForge } from './open.ts';
import { MOST_PAGES } from './pages.ts';
import { meaningOf, quoteWords } from './refusals.ts';
import type { Said } from './refusals.ts';
import { cut, MOST } from './text.ts';

type Data = Record<string, unknown>;

/** GitHub and GitHub Enterprise Server, as far as Sluice asks them. */
export function githubForge(open: OpenForge): Forge {
  return new GitHub(open);
}

class GitHub implements Forge {
  readonly kind = 'github';
  readonly #open: OpenForge;
  readonly #rest: GitHubRest;
  readonly deliveries: ForgeDeliveries;

  constructor(open: OpenForge) {
    this.#open = open;
    this.#rest = new GitHubRest(open);
    this.deliveries = deliveriesOf(this.#rest);
  }

  async open(_repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened> {
    const what = 'open a pull request';
    return openOnce({
      find: () => this.#find(wanted, call),
      create: () => this.#create(wanted, what, call),
      complete: (number) => this.#complete(number, wanted, call),
      refusal: (said) => this.#rest.refusal(what, said),
    });
  }

  async find(_repository: string, by: PullRequestBranches, call: Call): Promise<PullRequestSeen | undefined> {
    return this.#find(by, call);
  }

  async get(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const seen = seenOf(await this.#get(number, call));
    if (seen.state !== 'CLOSED') return seen;
    // A pull request does not say who closed it; as an issue it does.
    const asked = { permissions: PULLS, what: 'ask who closed a pull request', accept: [403, 404, 410] };
    const { status, data } = await this.#rest.ask(
      'GET /repos/{owner}/{repo}/issues/{issue_number}',
      { ...this.#rest.at, issue_number: number },
      asked,
      call,
    );
    const by = status === 200 ? loginOf((data as Data)['closed_by']) : undefined;
    return by === undefined ? seen : { ...seen, by };
  }

  async list(_repository: string, { etag, updatedAfter }: ListSince, call: Call): Promise<PullRequestList> {
    const seen: PullRequestSeen[] = [];
    let first: string | undefined;
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const headers = page === 1 && etag !== undefined ? { 'if-none-match': etag } : {};
      const {
        status,
        data,
        headers: told,
      } = await this.#rest.ask(
        'GET /repos/{owner}/{repo}/pulls',
        { ...this.#rest.at, state: 'all', sort: 'updated', direction: 'desc', per_page: PAGE, page, headers },
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
    const asked = { permissions: PULLS, what: `close pull request #${number}`, accept: [422] };
    const parameters = { ...this.#rest.at, pull_number: number, state: 'closed' };
    const route = 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}';
    return closeOnce({
      before: seenOf(await this.#get(number, call)),
      close: async () => {
        const { status, data } = await this.#rest.ask(route, parameters, asked, call);
        return status === 422 ? { status, words: wordsOf(data) } : { status, words: '', seen: seenOf(data as Data) };
      },
      look: () => this.get(repository, number, call),
      refusal: (said) => this.#rest.refusal(asked.what, said),
    });
  }

  async merge(_repository: string, number: number, how: HowToMerge, call: Call): Promise<MergeAnswer> {
    const called = `pull request #${number}`;
    const what = `merge ${called}`;
    return mergeOnce({
      forge: 'github',
      called,
      look: async () => {
        const seen = seenOf(await this.#get(number, call));
        return { seen, known: knownBefore(seen, how.sha, called) };
      },
      merge: () => this.#merge(number, how, what, call),
      refusal: (said) => this.#rest.refusal(what, said),
    });
  }

  async deleteBranch(_repository: string, branch: string, call: Call): Promise<void> {
    const what = `delete branch ${branch}`;
    const { status, data } = await this.#rest.ask(
      'DELETE /repos/{owner}/{repo}/git/refs/{ref}',
      { ...this.#rest.at, ref: `heads/${branch}` },
      { permissions: CONTENTS, what, accept: [404, 422] },
      call,
    );
    const words = wordsOf(data);
    if (status === 422 && !/does not exist/i.test(words)) throw this.#rest.refusal(what, { status, words });
    // A repository that is not there answers the same: then there is no branch either.
  }

  async setStatus(_repository: string, sha: string, wanted: WantedStatus, call: Call): Promise<void> {
    const what = `set the status ${wanted.context}`;
    const body = statusBody(wanted);
    const asked = { permissions: STATUSES, what, accept: [422] };
    const lane = laneOf(wanted.state, call);
    const route = 'POST /repos/{owner}/{repo}/statuses/{sha}';
    const { status, data } = await this.#rest.ask(route, { ...this.#rest.at, sha, ...body }, asked, lane);
    if (status !== 422) return;
    const words = wordsOf(data);
    // GitHub keeps a thousand of one commit and context, and then takes no more: the last one may be what is wanted.
    const isFull = /maximum number of statuses/i.test(words);
    if (isFull && (await this.#statusNow(sha, wanted.context, call)) === body.state) return;
    throw this.#rest.refusal(what, { status, words });
  }

  async comment(_repository: string, number: number, comment: KeyedComment, call: Call): Promise<void> {
    const asked = { permissions: PULLS, what: `comment on pull request #${number}` };
    const route = '/repos/{owner}/{repo}/issues/{issue_number}/comments';
    const at = { ...this.#rest.at, issue_number: number };
    await commentOnce(comment, {
      size: PAGE,
      page: async (page) => {
        const { data } = await this.#rest.ask(`GET ${route}`, { ...at, per_page: PAGE, page }, asked, call);
        return data as { id: number; body?: string }[];
      },
      add: (body) => this.#rest.ask(`POST ${route}`, { ...at, body }, { ...asked, content: true }, call),
      edit: (id, body) =>
        this.#rest.ask(
          'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
          { ...this.#rest.at, comment_id: id, body },
          { ...asked, accept: [403, 404], content: true },
          call,
        ),
    });
  }

  async mayMerge(_repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }> {
    return mayMerge(this.#rest, this.#open, base, call);
  }

  async commitRules(_repository: string, base: string, call: Call): Promise<{ rules: CommitRule[]; unseen?: string }> {
    return commitRules(this.#rest, base, call);
  }

  /** The newest with this head; a branch of the same name in a fork is another one. */
  async #find({ head, base }: PullRequestBranches, call: Call): Promise<PullRequestSeen | undefined> {
    const { owner } = this.#rest.at;
    const { data } = await this.#rest.ask(
      'GET /repos/{owner}/{repo}/pulls',
      {
        ...this.#rest.at,
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
    const parameters = { ...this.#rest.at, pull_number: number };
    const { data } = await this.#rest.ask('GET /repos/{owner}/{repo}/pulls/{pull_number}', parameters, asked, call);
    return data as Data;
  }

  async #create(wanted: NewPullRequest, what: string, call: Call): Promise<Created> {
    const { head, base, draft = false } = wanted;
    const text = { title: cut(wanted.title, MOST.title), body: cut(wanted.body, MOST.body) };
    const parameters = { ...this.#rest.at, head, base, ...text, draft };
    const asked = { permissions: PULLS, what, accept: [422], content: true };
    const { status, data } = await this.#rest.ask('POST /repos/{owner}/{repo}/pulls', parameters, asked, call);
    if (status !== 422) return { status, words: '', seen: seenOf(data as Data) };
    const words = wordsOf(data);
    if (/no commits between/i.test(words)) throw new NothingToPropose(`${head} has nothing that ${base} has not`);
    return { status, words, taken: /already exists/i.test(words) };
  }

  async #merge(
    number: number,
    { sha, method, title }: HowToMerge,
    what: string,
    call: Call,
  ): Promise<MergeAnswer | Said> {
    const parameters = {
      ...this.#rest.at,
      pull_number: number,
      sha,
      ...(method && { merge_method: method.toLowerCase() }),
      ...(title !== undefined && { commit_title: cut(title, MOST.title) }),
    };
    const route = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge';
    const asked = { permissions: CONTENTS, what, accept: [405, 409] };
    const { status, data } = await this.#rest.ask(route, parameters, asked, call);
    if (status === 200) return merged((data as { sha?: string }).sha);
    const said = { status, words: wordsOf(data) };
    return meaningOf('github', said) === 'QUEUE' ? this.#enqueue(what, parameters, said.words, call) : said;
  }

  /** Labels and reviewers are sets: once more is the same. */
  async #complete(number: number, { labels = [], reviewers = [] }: NewPullRequest, call: Call): Promise<string[]> {
    const remarks: string[] = [];
    const add = async (route: string, parameters: object, what: string, content = false): Promise<void> => {
      const asked = { permissions: PULLS, what, accept: [403, 404, 410, 422], content };
      const { status, data } = await this.#rest.ask(route, { ...this.#rest.at, ...parameters }, asked, call);
      if (status >= 400) remarks.push(`GitHub did not ${what}: ${quoteWords(wordsOf(data))}`);
    };
    if (labels.length > 0)
      await add(
        'POST /repos/{owner}/{repo}/issues/{issue_number}/labels',
        { issue_number: number, labels: labels.map((each) => cut(each, MOST.label)) },
        `label pull request #${number}`,
      );
    // One by one: GitHub refuses all of them for one that is none.
    for (const each of reviewers)
      await add(
        'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
        { pull_number: number, ...reviewRequest(each) },
        `ask ${each} to review pull request #${number}`,
        true,
      );
    return remarks;
  }

  /** GitHub merges it in the queue's turn; without a way to ask for that a person has to. */
  async #enqueue(what: string, parameters: object, words: string, call: Call): Promise<MergeAnswer> {
    const route = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge-async';
    const { merge_method: _, ...rest } = parameters as Data;
    const asked = { permissions: CONTENTS, what, accept: [400, 404, 405, 409] };
    const { status, data } = await this.#rest.ask(route, { ...rest, merge_action: 'merge_queue' }, asked, call);
    if (status === 404 || status === 405)
      return { kind: 'NOT_YET', why: `${quoteWords(words)}: somebody has to add it to the queue` };
    const { status: came, details } = data as { status?: string; details?: { message?: string; sha?: string } };
    if (came === 'merged') return merged(details?.sha);
    if (came === 'pending' || came === 'enqueued') return { kind: 'QUEUED' };
    return { kind: 'NOT_YET', why: quoteWords(details?.message ?? words) };
  }

  async #statusNow(sha: string, context: string, call: Call): Promise<string | undefined> {
    const { data } = await this.#rest.ask(
      'GET /repos/{owner}/{repo}/commits/{ref}/status',
      { ...this.#rest.at, ref: sha, per_page: PAGE },
      { permissions: STATUSES, what: 'see commit statuses' },
      call,
    );
    const { statuses } = data as { statuses: { context: string; state: string }[] };
    return statuses.find((each) => each.context.toLowerCase() === context.toLowerCase())?.state;
  }
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
