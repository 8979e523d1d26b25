import type { CommitRule } from '../../core/commit-rules.ts';
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
  WantedStatus,
} from './forge.ts';
import { laneOf, needsReviews, reviewRequest, statusBody, whyNoPush } from './alike.ts';
import type { RepositoryRights } from './alike.ts';
import { NothingToPropose } from './forge.ts';
import { closeOnce, commentOnce, knownBefore, mergeOnce, openOnce } from './once.ts';
import type { Created } from './once.ts';
import type { OpenForge } from './open.ts';
import { pages } from './pages.ts';
import { quoteWords } from './refusals.ts';
import { Rest } from './rest.ts';
import { cut, MOST } from './text.ts';

/** The most that a server gives by default. */
const PAGE = 50;

interface Pull {
  number: number;
  html_url: string;
  state: string;
  draft?: boolean;
  title: string;
  head: { ref: string; sha: string; repo_id?: number; repo?: { full_name?: string } | null };
  base: { ref: string; repo_id?: number; repo?: { full_name?: string; archived?: boolean } | null };
  mergeable?: boolean;
  merged?: boolean;
  merged_at?: string | null;
  merge_commit_sha?: string | null;
  merged_by?: { login?: string } | null;
  updated_at: string;
}

/** Gitea and Forgejo, whose API is one. */
export function giteaForge(open: OpenForge): Forge {
  return new Gitea(open);
}

class Gitea implements Forge {
  readonly kind = 'gitea';
  readonly #open: OpenForge;
  readonly #rest: Rest;
  readonly #at: string;

  constructor(open: OpenForge) {
    this.#open = open;
    this.#at = `/repos/${open.name.split('/').map(encodeURIComponent).join('/')}`;
    const paths = { own: this.#at, any: /^.*?\/repos\/[^/]+\/[^/]+/ };
    this.#rest = new Rest(open, { authorization: `token ${open.value}` }, paths);
  }

  async open(repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened> {
    const what = 'open a pull request';
    return openOnce({
      find: () => this.find(repository, wanted, call),
      create: () => this.#create(wanted, what, call),
      complete: (number) => this.#complete(number, wanted, call),
      refusal: (said) => this.#rest.refusal(what, said),
    });
  }

  async find(
    _repository: string,
    { head, base }: PullRequestBranches,
    call: Call,
  ): Promise<PullRequestSeen | undefined> {
    // It has no filter by head that finds those in every state: what is looked for was touched lately.
    const fits = (each: Pull): boolean =>
      each.head.ref === head && (base === undefined || each.base.ref === base) && isOwn(each);
    const all = await this.#all('find a pull request', call, (some) => some.some(fits));
    const found = all.filter(fits).sort((a, b) => b.number - a.number)[0];
    return found && seenOf(found);
  }

  async get(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    return this.#get(number, call);
  }

  async list(_repository: string, { etag, updatedAfter }: ListSince, call: Call): Promise<PullRequestList> {
    const after = updatedAfter === undefined ? undefined : Date.parse(updatedAfter) - 1_000;
    const isOld = ({ updated_at: at }: Pull): boolean => after !== undefined && Date.parse(at) < after;
    const all = await this.#all('list pull requests', call, (some) => after === undefined || some.some(isOld));
    const seen = all.filter((each) => !isOld(each)).map(seenOf);
    // It answers no condition: what is the same as before is told by what is in it.
    const now = seen.map((each) => `${each.number}@${each.updatedAt}${each.state[0]}${each.head.sha}`).join();
    return etag === now ? { seen: [], etag, unchanged: true } : { seen, etag: now, unchanged: false };
  }

  async close(_repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    const look = (): Promise<PullRequestSeen> => this.#get(number, call);
    const what = `close pull request #${number}`;
    const ask = { what, body: { state: 'closed' }, accept: [409, 412, 422] };
    return closeOnce({
      before: await look(),
      close: async () => {
        const { status, data, words } = await this.#rest.ask('PATCH', `${this.#at}/pulls/${number}`, ask, call);
        return { status, words, ...(status < 300 && { seen: seenOf(data as Pull) }) };
      },
      look,
      refusal: (said) => this.#rest.refusal(what, said),
    });
  }

  async merge(_repository: string, number: number, how: HowToMerge, call: Call): Promise<MergeAnswer> {
    const called = `pull request #${number}`;
    const what = `merge ${called}`;
    const look = async (): Promise<{ seen: PullRequestSeen; known: MergeAnswer | undefined }> => {
      const seen = await this.#get(number, call);
      return { seen, known: knownBefore(seen, how.sha, called) };
    };
    return mergeOnce({
      forge: 'gitea',
      called,
      look,
      merge: async () => {
        const body = {
          Do: (how.method ?? 'MERGE').toLowerCase(),
          head_commit_id: how.sha,
          ...(how.title !== undefined && { MergeTitleField: cut(how.title, MOST.title) }),
        };
        const path = `${this.#at}/pulls/${number}/merge`;
        const { status, words } = await this.#rest.ask('POST', path, { what, accept: [405, 409], body }, call);
        // The answer has no commit.
        return status < 300 ? ((await look()).known ?? { kind: 'MERGED' }) : { status, words };
      },
      refusal: (said) => this.#rest.refusal(what, said),
    });
  }

  async deleteBranch(_repository: string, branch: string, call: Call): Promise<void> {
    const path = `${this.#at}/branches/${encodeURIComponent(branch)}`;
    await this.#rest.ask('DELETE', path, { what: `delete branch ${branch}`, accept: [404] }, call);
  }

  async setStatus(_repository: string, sha: string, wanted: WantedStatus, call: Call): Promise<void> {
    const ask = { what: `set the status ${wanted.context}`, body: statusBody(wanted) };
    await this.#rest.ask('POST', `${this.#at}/statuses/${sha}`, ask, laneOf(wanted.state, call));
  }

  async comment(_repository: string, number: number, comment: KeyedComment, call: Call): Promise<void> {
    const what = `comment on pull request #${number}`;
    const path = `${this.#at}/issues/${number}/comments`;
    await commentOnce(comment, {
      // This list has no pages.
      size: Infinity,
      page: async () => (await this.#rest.ask('GET', path, { what }, call)).data as { id: number; body: string }[],
      add: (body) => this.#rest.ask('POST', path, { what, body: { body }, content: true }, call),
      edit: (id, body) => {
        const ask = { what, body: { body }, accept: [403, 404], content: true };
        return this.#rest.ask('PATCH', `${this.#at}/issues/comments/${id}`, ask, call);
      },
    });
  }

  async mayMerge(_repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }> {
    const what = `ask for the protection of ${base}`;
    const { data } = await this.#rest.ask('GET', this.#at, { what }, call);
    const noPush = whyNoPush(data as RepositoryRights, this.#open);
    if (noPush !== undefined) return { may: false, why: noPush };
    const path = `${this.#at}/branches/${encodeURIComponent(base)}`;
    const branch = await this.#rest.ask('GET', path, { what, accept: [404] }, call);
    if (branch.status === 404) return { may: false, why: `there is no branch ${base}` };
    const protection = branch.data as { protected?: boolean; required_approvals?: number; user_can_merge?: boolean };
    if (protection.user_can_merge === false)
      return { may: false, why: `the user of secret "${this.#open.secret}" may not merge into ${base}` };
    const count = protection.protected === true ? (protection.required_approvals ?? 0) : 0;
    return count === 0 ? { may: true } : { may: false, why: needsReviews(base, count) };
  }

  async commitRules(_repository: string, base: string, call: Call): Promise<{ rules: CommitRule[]; unseen?: string }> {
    const what = `ask what commits into ${base} have to be`;
    const path = `${this.#at}/branches/${encodeURIComponent(base)}`;
    const { status, data } = await this.#rest.ask('GET', path, { what, accept: [404] }, call);
    const branch = data as { protected?: boolean; effective_branch_protection_name?: string };
    if (status === 404 || branch.protected !== true) return { rules: [] };
    const unseen = 'its protection, which takes an administrator of the repository';
    // The rule's name, which may be a pattern, is told to administrators alone.
    const name = branch.effective_branch_protection_name;
    if (!name) return { rules: [], unseen };
    const at = `${this.#at}/branch_protections/${encodeURIComponent(name)}`;
    const rule = await this.#rest.ask('GET', at, { what, accept: [403, 404] }, call);
    if (rule.status !== 200) return { rules: [], unseen };
    const { require_signed_commits: signed } = rule.data as { require_signed_commits?: boolean };
    return { rules: signed === true ? [{ kind: 'SIGNATURES' }] : [] };
  }

  async #get(number: number, call: Call): Promise<PullRequestSeen> {
    const ask = { what: `see pull request #${number}` };
    return seenOf((await this.#rest.ask('GET', `${this.#at}/pulls/${number}`, ask, call)).data as Pull);
  }

  async #create(wanted: NewPullRequest, what: string, call: Call): Promise<Created> {
    const { head, base, draft = false } = wanted;
    const title = `${draft ? 'WIP: ' : ''}${cut(wanted.title, MOST.title)}`;
    const body = { head, base, title, body: cut(wanted.body, MOST.body) };
    const ask = { what, accept: [409, 422], content: true, body };
    const { status, data, words } = await this.#rest.ask('POST', `${this.#at}/pulls`, ask, call);
    if (status === 201) return { status, words, seen: seenOf(data as Pull) };
    if (/no changes|no commits|nothing to compare/i.test(words))
      throw new NothingToPropose(`${head} has nothing that ${base} has not`);
    return { status, words, taken: status === 409 };
  }

  /** The newest touched first. */
  #all(what: string, call: Call, enough: (some: Pull[]) => boolean): Promise<Pull[]> {
    return pages(
      PAGE,
      async (page) => {
        const query = { state: 'all', sort: 'recentupdate', limit: PAGE, page };
        return (await this.#rest.ask('GET', `${this.#at}/pulls`, { what, query }, call)).data as Pull[];
      },
      enough,
    );
  }

  /** Labels and reviewers are sets: once more is the same. */
  async #complete(number: number, { labels = [], reviewers = [] }: NewPullRequest, call: Call): Promise<string[]> {
    const remarks: string[] = [];
    const remark = (what: string, words: string): void => {
      remarks.push(`it was not possible to ${what}: ${quoteWords(words)}`);
    };
    if (labels.length > 0) {
      const what = `label pull request #${number}`;
      const known = await pages(PAGE, async (page) => {
        const ask = { what, query: { limit: PAGE, page } };
        return (await this.#rest.ask('GET', `${this.#at}/labels`, ask, call)).data as { id: number; name: string }[];
      });
      const ids = labels.map((name) => known.find((each) => each.name === name)?.id);
      const missing = labels.filter((_, index) => ids[index] === undefined);
      if (missing.length > 0) remark(what, `the repository has no label ${missing.join(', ')}`);
      const there = ids.filter((id) => id !== undefined);
      if (there.length > 0) {
        const ask = { what, body: { labels: there }, accept: [403, 404, 422] };
        const { status, words } = await this.#rest.ask('POST', `${this.#at}/issues/${number}/labels`, ask, call);
        if (status >= 400) remark(what, words);
      }
    }
    for (const each of reviewers) {
      const what = `ask ${each} to review pull request #${number}`;
      const ask = { what, body: reviewRequest(each), accept: [403, 404, 422] };
      const path = `${this.#at}/pulls/${number}/requested_reviewers`;
      const { status, words } = await this.#rest.ask('POST', path, ask, call);
      if (status >= 400) remark(what, words);
    }
    return remarks;
  }
}

/** A branch of the same name in a fork is another one. */
function isOwn({ head, base }: Pull): boolean {
  if (head.repo_id !== undefined && base.repo_id !== undefined) return head.repo_id === base.repo_id;
  return head.repo?.full_name === base.repo?.full_name;
}

function seenOf(data: Pull): PullRequestSeen {
  const isMerged = data.merged === true || data.merged_at != null;
  const state = isMerged ? 'MERGED' : data.state === 'open' ? 'OPEN' : 'CLOSED';
  const isDraft = data.draft === true;
  // It says no to a draft, too, and while it has not looked yet: who asks twice learns whether that lasts.
  const mergeable = data.mergeable === undefined || isDraft ? 'UNKNOWN' : data.mergeable ? 'YES' : 'NO';
  const blocked = isDraft ? 'it is a draft' : mergeable === 'NO' ? `it has conflicts with ${data.base.ref}` : undefined;
  const by = data.merged_by?.login;
  return {
    number: data.number,
    url: data.html_url,
    state,
    draft: isDraft,
    title: data.title,
    head: { branch: data.head.ref, sha: data.head.sha },
    base: data.base.ref,
    mergeable,
    ...(state === 'OPEN' && blocked !== undefined && { blocked }),
    ...(isMerged && data.merged_at != null && { mergedAt: data.merged_at }),
    ...(isMerged && data.merge_commit_sha && { mergeCommit: data.merge_commit_sha }),
    ...(by !== undefined && { by }),
    updatedAt: data.updated_at,
    ...(data.base.repo?.archived === true && { archived: true }),
  };
}
