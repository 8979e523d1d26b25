import { createHmac, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Contract } from './contract.ts';
import { GITLAB } from './contracts/gitlab.ts';
import type { Delivery } from './deliveries.ts';
import type { Host, HostParts } from './host.ts';
import { ZERO } from './git.ts';
import type { RefMoved } from './git-host.ts';
import type { Method } from './merging.ts';
import { Blocked, commitsBetween, idOf } from './pull-requests.ts';
import type { ForgeEvent, Group, PullRequest, PullRequests, Status } from './pull-requests.ts';
import { No } from './rest.ts';
import type { Asked, Reply, Routes } from './rest.ts';

const rest = new Contract(GITLAB);
const P = '/projects/{id}';
const M = `${P}/merge_requests/{iid}`;
const T = `${P}/merge_trains/merge_requests/{iid}`;
/** What a member may do: reports, writes, merges into protected branches. */
const [DEVELOPER, MAINTAINER] = [30, 40];

/** GitLab's REST API, as far as Sluice calls it: merge requests on real repositories. A required status is a pipeline that must pass. */
export function gitlab({ forges, deliveries, gitHost, token, accounts, people }: HostParts): Host {
  const accountOf = (headers: IncomingMessage['headers']): string => {
    const value = String(headers['private-token'] ?? headers.authorization?.replace(/^Bearer /i, '') ?? '');
    const account = accounts.get(value);
    if (account === undefined) throw new No(401, { message: '401 Unauthorized' });
    return account;
  };
  const at = async (asked: Asked): Promise<PullRequests> => {
    const { id = '' } = asked.params;
    const renamed = gitHost.renamedTo(id);
    if (renamed !== undefined) {
      if (asked.method !== 'GET')
        throw new No(405, { message: '405 Non GET methods are not allowed for moved projects' });
      const location = `${asked.base}${asked.path.replace(/^\/projects\/[^/]+/, `/projects/${idOf(renamed)}`)}`;
      throw new No(301, { message: 'Moved Permanently' }, { location });
    }
    const all = forges.find(id) ?? forges.all().find((each) => String(idOf(each.repository.name)) === id);
    if (!all) throw new No(404, { message: '404 Project Not Found' });
    await all.current();
    return all;
  };
  const writing = async (asked: Asked): Promise<PullRequests> => {
    const all = await at(asked);
    if (all.repository.archived || !(all.settings.writers?.includes(asked.account) ?? true))
      throw new No(403, { message: '403 Forbidden' });
    return all;
  };
  const pullAt = (all: PullRequests, asked: Asked): PullRequest => {
    const pull = all.get(Number(asked.params['iid']));
    if (!pull) throw new No(404, { message: '404 Not found' });
    return pull;
  };

  const routes: Routes = {
    'GET /user': (asked) => ({ status: 200, body: user(asked.account) }),
    'GET /users': (asked) => {
      const name = asked.query.get('username') ?? '';
      return { status: 200, body: people && !people.includes(name) ? [] : [user(name)] };
    },
    [`GET ${P}`]: async (asked) => ({ status: 200, body: projectOf(await at(asked), asked.account) }),
    [`GET ${P}/approvals`]: async (asked) => {
      const all = await at(asked);
      const approvals = [...all.protections.values()].map((each) => each.approvals ?? 0);
      return { status: 200, body: { approvals_before_merge: Math.max(0, ...approvals) } };
    },
    [`GET ${P}/push_rule`]: async (asked) => {
      const all = await at(asked);
      const wants = [...all.protections.values()].find((each) => each.commits || each.hidden);
      if (!wants) throw new No(404, { message: '404 Not Found' });
      if (wants.hidden) throw new No(403, { message: '403 Forbidden' });
      const { signed = false, signedOff = false, authorEmail = '', message = '' } = wants.commits!;
      const body = {
        id: 1,
        project_id: idOf(all.repository.name),
        created_at: new Date().toISOString(),
        commit_message_regex: message,
        commit_message_negative_regex: '',
        branch_name_regex: '',
        deny_delete_tag: false,
        member_check: false,
        prevent_secrets: false,
        author_email_regex: authorEmail,
        file_name_regex: '',
        max_file_size: 0,
        commit_committer_check: false,
        commit_committer_name_check: false,
        reject_unsigned_commits: signed,
        reject_non_dco_commits: signedOff,
      };
      return { status: 200, body };
    },
    [`GET ${P}/protected_branches/{branch}`]: async (asked) => {
      const all = await at(asked);
      const name = asked.params['branch']!;
      const wants = all.protections.get(name);
      if (!wants) throw new No(404, { message: '404 Not found' });
      const level = (access: number): object => ({
        access_level: access,
        access_level_description: access === 0 ? 'No one' : 'Maintainers',
        user_id: null,
        group_id: null,
      });
      const merge = wants.mergers ? (wants.mergers.length > 0 ? MAINTAINER : 0) : DEVELOPER;
      const body = {
        id: idOf(name),
        name,
        push_access_levels: [level(wants.pushers?.length ? MAINTAINER : 0)],
        merge_access_levels: [level(merge)],
        allow_force_push: false,
      };
      return { status: 200, body };
    },
    [`GET ${P}/repository/branches/{branch}`]: async (asked) => {
      const all = await at(asked);
      const name = asked.params['branch']!;
      const id = await all.repository.head(name);
      if (id === undefined) throw new No(404, { message: '404 Branch Not Found' });
      const isProtected = all.protections.has(name);
      const isDefault = name === all.repository.branch;
      const body = {
        name,
        protected: isProtected,
        merged: false,
        default: isDefault,
        can_push: !isProtected,
        commit: { id },
      };
      return { status: 200, body };
    },
    [`DELETE ${P}/repository/branches/{branch}`]: async (asked) => {
      const all = await writing(asked);
      const name = asked.params['branch']!;
      if ((await all.repository.head(name)) === undefined) throw new No(404, { message: '404 Branch Not Found' });
      if (all.protections.has(name))
        throw new No(403, { message: '403 Forbidden - protected branches cannot be deleted' });
      await all.repository.deleteBranch(name, asked.account);
      await all.current();
      return { status: 204 };
    },
    [`GET ${P}/repository/commits/{ref}/statuses`]: async (asked) => {
      const all = await at(asked);
      const { ref = '' } = asked.params;
      const name = asked.query.get('name');
      const everyOne = asked.query.get('all') === 'true' ? all.statusesOf(ref) : all.combined(ref);
      return paged(
        asked,
        everyOne.filter((each) => name === null || name === each.context),
        statusOf,
      );
    },
    [`POST ${P}/statuses/{ref}`]: async (asked) => {
      const all = await writing(asked);
      const { ref: commit = '' } = asked.params;
      const { state, name, context, description, target_url } = asked.body as { [key: string]: string };
      const known = await all.repository.git('cat-file', '-e', `${commit}^{commit}`).catch(() => undefined);
      if (known === undefined) throw new No(404, { message: '404 Commit Not Found' });
      // Of the newest pipeline of the commit, else of a branch that holds it; a train's commit is in none, and has a pipeline.
      const refs = await all.repository.git('for-each-ref', '--contains', commit);
      if (refs === '') throw new No(404, { message: '404 References for commit Not Found' });
      const label = name ?? context ?? 'default';
      const now = all.combined(commit).find((each) => each.context === label)?.state;
      const refused = transition(now, state!);
      if (refused !== undefined) throw new No(400, { message: refused });
      const status = await all.setStatus({
        sha: commit,
        context: label,
        state: state!,
        description: description ?? null,
        url: target_url ?? null,
        by: asked.account,
      });
      return { status: 201, body: statusOf(status!) };
    },
    [`GET ${P}/merge_requests`]: async (asked) => {
      const all = await at(asked);
      const { query } = asked;
      const [state, source, target] = [
        query.get('state') ?? 'all',
        query.get('source_branch'),
        query.get('target_branch'),
      ];
      const after = query.get('updated_after');
      const found = all.all.filter(
        (each) =>
          (state === 'all' || state === STATES[each.state]) &&
          (source === null || source === each.head.branch) &&
          (target === null || target === each.base.branch) &&
          (after === null || each.updatedAt.getTime() >= Date.parse(after)),
      );
      const updated = query.get('order_by') === 'updated_at';
      const sorted = found.toSorted((a, b) => (updated ? a.order - b.order : a.number - b.number));
      const ordered = query.get('sort') === 'asc' ? sorted : sorted.toReversed();
      // A list does not compute what is not known yet.
      return paged(asked, ordered, (pull) => mergeRequestOf(all, pull, { merge: 'unchecked', detailed: 'unchecked' }));
    },
    [`POST ${P}/merge_requests`]: async (asked) => {
      const all = await writing(asked);
      const wanted = asked.body as NewMergeRequest;
      const open = all.all.find(
        (each) =>
          each.state === 'open' &&
          each.head.branch === wanted.source_branch &&
          each.base.branch === wanted.target_branch,
      );
      const opened = open
        ? { open }
        : await all.open({
            head: wanted.source_branch,
            base: wanted.target_branch,
            title: wanted.title.replace(/^Draft: /, ''),
            body: wanted.description,
            draft: wanted.title.startsWith('Draft: '),
            by: asked.account,
            mayBeEmpty: true,
          });
      if (opened === 'no head')
        throw new No(422, { message: ['Source branch "' + wanted.source_branch + '" does not exist'] });
      if (opened === 'no base' || opened === 'nothing')
        throw new No(422, { message: ['Target branch "' + wanted.target_branch + '" does not exist'] });
      if ('open' in opened)
        throw new No(409, {
          message: [`Another open merge request already exists for this source branch: !${opened.open.number}`],
        });
      await all.edit(opened, (each) => {
        each.labels = wanted.labels?.split(',').filter(Boolean) ?? [];
        each.reviewers = (wanted.reviewer_ids ?? []).map((id) => names.get(id) ?? String(id));
        each.removeSourceBranch = wanted.remove_source_branch ?? all.settings.deleteBranchOnMerge;
        each.squash = wanted.squash ?? false;
      });
      return { status: 201, body: mergeRequestOf(all, opened, { merge: 'checking', detailed: 'checking' }) };
    },
    [`GET ${M}`]: async (asked) => {
      const all = await at(asked);
      const pull = pullAt(all, asked);
      return { status: 200, body: mergeRequestOf(all, pull, await mergeStatus(all, pull)) };
    },
    [`PUT ${M}`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const {
        state_event: event,
        title,
        description,
        target_branch,
        labels,
        add_labels,
        reviewer_ids,
      } = asked.body as {
        [key: string]: string;
      } & { reviewer_ids?: number[] };
      if (event === 'close' && pull.state !== 'open') throw new No(422, { message: ['state_event cannot be applied'] });
      if (event === 'close') await all.close(pull, asked.account);
      if (event === 'reopen') await all.reopen(pull, asked.account);
      if (target_branch !== undefined) await all.retarget(pull, target_branch, asked.account);
      await all.edit(pull, (each) => {
        if (title !== undefined) each.draft = title.startsWith('Draft: ');
        each.title = title?.replace(/^Draft: /, '') ?? each.title;
        each.body = description ?? each.body;
        if (labels !== undefined) each.labels = labels.split(',').filter(Boolean);
        if (add_labels !== undefined) each.labels = [...new Set([...each.labels, ...add_labels.split(',')])];
        if (reviewer_ids) each.reviewers = reviewer_ids.map((id) => names.get(id) ?? String(id));
      });
      return { status: 200, body: mergeRequestOf(all, pull, await mergeStatus(all, pull)) };
    },
    [`PUT ${M}/merge`]: async (asked) => {
      const all = await at(asked);
      const pull = pullAt(all, asked);
      const wanted = (asked.body ?? {}) as {
        sha?: string;
        squash?: boolean;
        auto_merge?: boolean;
        merge_when_pipeline_succeeds?: boolean;
        squash_commit_message?: string;
        merge_commit_message?: string;
        should_remove_source_branch?: boolean;
      };
      if (all.repository.archived) throw new No(403, { message: '403 Forbidden' });
      if (!all.mayMerge(asked.account, pull.base.branch)) throw new No(401, { message: '401 Unauthorized' });
      if (pull.state !== 'open') throw new No(405, { message: '405 Method Not Allowed' });
      if (wanted.sha !== undefined && wanted.sha !== pull.head.sha)
        throw new No(409, { message: `SHA does not match HEAD of source branch: ${pull.head.sha}` });
      const squash = wanted.squash ?? pull.squash ?? false;
      const method: Method = squash ? 'squash' : all.settings.methods.length === 1 ? all.settings.methods[0]! : 'merge';
      if (wanted.should_remove_source_branch) await all.edit(pull, (each) => void (each.removeSourceBranch = true));
      try {
        if (wanted.auto_merge || wanted.merge_when_pipeline_succeeds)
          await all.mergeWhenGreen(pull, method, asked.account);
        else
          await all.merge(pull, method, {
            by: asked.account,
            title: wanted.squash_commit_message ?? wanted.merge_commit_message,
          });
      } catch (error) {
        if (!(error instanceof Blocked)) throw error;
        const conflicts = error.obstacles.some(({ kind }) => kind === 'conflict');
        throw conflicts
          ? new No(422, { message: 'Branch cannot be merged' })
          : new No(405, { message: '405 Method Not Allowed' });
      }
      return { status: 200, body: mergeRequestOf(all, pull, await mergeStatus(all, pull)) };
    },
    [`GET ${T}`]: async (asked) => {
      const all = await at(asked);
      const car = carOf(all, pullAt(all, asked));
      if (!car) throw new No(404, { message: '404 Not Found' });
      return { status: 200, body: car };
    },
    [`POST ${T}`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      if (!hasTrain(all)) throw new No(403, { message: '403 Forbidden' });
      const wanted = (asked.body ?? {}) as { sha?: string; squash?: boolean; auto_merge?: boolean };
      if (wanted.sha !== undefined && wanted.sha !== pull.head.sha)
        throw new No(409, { message: `SHA does not match HEAD of source branch: ${pull.head.sha}` });
      if (pull.state !== 'open') throw new No(400, { message: '400 Bad request - Failed to merge' });
      if (pull.autoMerge) throw new No(409, { message: '409 Conflict - Merge request is already on a merge train' });
      // While it still looks for conflicts it takes the call, and does nothing.
      const taken = (await all.look(pull)) !== undefined;
      if (taken) await all.mergeWhenGreen(pull, wanted.squash ? 'squash' : 'merge', asked.account);
      const cars = all.queue.map((each) => carOf(all, each.pull)!);
      return { status: taken && all.queue.some((each) => each.pull === pull) ? 201 : 202, body: cars };
    },
    [`GET ${M}/notes`]: async (asked) => {
      const pull = pullAt(await at(asked), asked);
      return paged(asked, asked.query.get('sort') === 'asc' ? pull.comments : pull.comments.toReversed(), note);
    },
    [`POST ${M}/notes`]: async (asked) => {
      const all = await writing(asked);
      const pull = pullAt(all, asked);
      const id = 1 + all.all.reduce((sum, each) => sum + each.comments.length, 0);
      const comment = { id, body: (asked.body as { body: string }).body, by: asked.account, at: new Date(), edits: 0 };
      await all.edit(pull, (each) => void each.comments.push(comment));
      return { status: 201, body: note(comment) };
    },
    [`PUT ${M}/notes/{note}`]: async (asked) => {
      const all = await writing(asked);
      const comment = pullAt(all, asked).comments.find(({ id }) => id === Number(asked.params['note']));
      if (!comment) throw new No(404, { message: '404 Note Not Found' });
      Object.assign(comment, { body: (asked.body as { body: string }).body, edits: comment.edits + 1 });
      return { status: 200, body: note(comment) };
    },
  };

  const names = new Map<number, string>();
  const user = (name: string): object => {
    const id = idOf(name);
    names.set(id, name);
    return { id, username: name, name, state: 'active', web_url: `${gitHost.url}/${name}`, avatar_url: null };
  };
  const note = (each: PullRequest['comments'][number]): object => ({
    id: each.id,
    body: each.body,
    author: user(each.by),
    created_at: each.at.toISOString(),
    updated_at: new Date().toISOString(),
    system: false,
  });
  const statusOf = (each: Status): object => ({
    id: each.id,
    sha: each.sha,
    ref: null,
    status: each.state,
    name: each.context,
    target_url: each.url,
    description: each.description,
    created_at: each.at.toISOString(),
    started_at: null,
    finished_at: null,
    allow_failure: false,
    coverage: null,
    pipeline_id: 1,
    author: user(each.by),
  });
  const projectOf = (all: PullRequests, account: string): object => {
    const { repository, settings } = all;
    const level = all.mayMerge(account, repository.branch) ? MAINTAINER : DEVELOPER;
    return {
      id: idOf(repository.name),
      name: repository.name.split('/').at(-1),
      path_with_namespace: repository.name,
      web_url: webUrl(all),
      http_url_to_repo: repository.url,
      default_branch: repository.branch,
      archived: repository.archived,
      merge_method:
        settings.methods.length > 1 ? 'merge' : settings.methods[0] === 'fast-forward' ? 'ff' : 'rebase_merge',
      squash_option: 'default_off',
      only_allow_merge_if_pipeline_succeeds: [...all.protections.values()].some(
        (each) => (each.contexts ?? []).length > 0,
      ),
      remove_source_branch_after_merge: settings.deleteBranchOnMerge,
      merge_pipelines_enabled: hasTrain(all),
      merge_trains_enabled: hasTrain(all),
      permissions: { project_access: { access_level: level, notification_level: 3 }, group_access: null },
    };
  };
  const mergeRequestOf = (all: PullRequests, pull: PullRequest, now: { merge: string; detailed: string }): object => {
    const ended = pull.closedAt?.toISOString() ?? null;
    const [merged, closed] = [pull.state === 'merged', pull.state === 'closed'];
    const by = merged ? user(pull.mergedBy!) : null;
    return {
      id: idOf(`${pull.repository}!${pull.number}`),
      iid: pull.number,
      project_id: idOf(all.repository.name),
      title: `${pull.draft ? 'Draft: ' : ''}${pull.title}`,
      description: pull.body,
      state: STATES[pull.state],
      created_at: pull.createdAt.toISOString(),
      updated_at: pull.updatedAt.toISOString(),
      merged_by: by,
      merge_user: by,
      merged_at: merged ? ended : null,
      closed_by: closed ? user(pull.closedBy!) : null,
      closed_at: closed ? ended : null,
      target_branch: pull.base.branch,
      source_branch: pull.head.branch,
      user_notes_count: pull.comments.length,
      author: user(pull.author),
      assignees: [],
      reviewers: pull.reviewers.map(user),
      source_project_id: idOf(all.repository.name),
      target_project_id: idOf(all.repository.name),
      labels: pull.labels,
      draft: pull.draft,
      work_in_progress: pull.draft,
      merge_when_pipeline_succeeds: pull.autoMerge !== undefined,
      merge_status: now.merge,
      detailed_merge_status: now.detailed,
      sha: pull.head.sha,
      // Only a merge commit has it: after a fast-forward it is null.
      merge_commit_sha: merged && pull.method === 'merge' ? pull.mergeCommit : null,
      squash_commit_sha: merged && pull.method === 'squash' ? pull.mergeCommit : null,
      should_remove_source_branch: pull.removeSourceBranch ?? null,
      force_remove_source_branch: null,
      web_url: `${webUrl(all)}/-/merge_requests/${pull.number}`,
      squash: pull.squash ?? false,
      has_conflicts: now.detailed === 'conflict',
      blocking_discussions_resolved: true,
    };
  };

  const carOf = (all: PullRequests, pull: PullRequest): object | undefined => {
    const group = all.queue.find((each) => each.pull === pull);
    if (!group) return undefined;
    const at = pull.updatedAt.toISOString();
    const { number: iid, title, body: description } = pull;
    const request = {
      id: idOf(`${pull.repository}!${iid}`),
      iid,
      project_id: idOf(all.repository.name),
      title,
      description,
    };
    const times = { created_at: at, updated_at: at };
    return {
      id: idOf(group.headSha),
      merge_request: {
        ...request,
        state: STATES[pull.state],
        ...times,
        web_url: `${webUrl(all)}/-/merge_requests/${iid}`,
      },
      user: user(pull.autoMerge?.by ?? pull.author),
      pipeline: {
        id: idOf(group.headSha),
        iid,
        project_id: idOf(all.repository.name),
        sha: group.headSha,
        ref: group.ref,
        status: 'running',
        source: 'merge_request_event',
        ...times,
        web_url: `${webUrl(all)}/-/pipelines/${idOf(group.headSha)}`,
      },
      ...times,
      target_branch: group.base,
      status: 'fresh',
      merged_at: null,
      duration: null,
    };
  };
  /** The pipeline of a merge train; its `ref` is the source branch, and `sha` the commit of the train. */
  const trainBegan = (all: PullRequests, { pull, headSha }: Group): object => ({
    object_kind: 'pipeline',
    object_attributes: {
      id: idOf(headSha),
      iid: pull.number,
      ref: pull.head.branch,
      tag: false,
      sha: headSha,
      before_sha: ZERO,
      source: 'merge_request_event',
      status: 'pending',
      detailed_status: 'pending',
      url: `${webUrl(all)}/-/pipelines/${idOf(headSha)}`,
    },
    merge_request: {
      id: idOf(`${pull.repository}!${pull.number}`),
      iid: pull.number,
      title: pull.title,
      source_branch: pull.head.branch,
      source_project_id: idOf(all.repository.name),
      target_branch: pull.base.branch,
      target_project_id: idOf(all.repository.name),
      state: STATES[pull.state],
      merge_status: 'can_be_merged',
      url: `${webUrl(all)}/-/merge_requests/${pull.number}`,
    },
    project: hookProject(all),
  });
  const hookProject = (all: PullRequests): object => ({
    id: idOf(all.repository.name),
    name: all.repository.name.split('/').at(-1),
    web_url: webUrl(all),
    git_http_url: all.repository.url,
    git_ssh_url: `git@gitlab.example:${all.repository.name}.git`,
    namespace: all.repository.name.split('/')[0],
    path_with_namespace: all.repository.name,
    default_branch: all.repository.branch,
  });
  const pushed = async (all: PullRequests, { ref, before, after, by }: RefMoved): Promise<[string, object]> => {
    const kind = ref.startsWith('refs/tags/') ? 'tag_push' : 'push';
    const gone = after === ZERO;
    const commits = gone || kind === 'tag_push' ? [] : await commitsBetween(all.repository, before, after);
    const shaped = commits
      .slice(0, 20)
      .toReversed()
      .map(({ sha, message, at: timestamp, author, files }) => {
        const of = (letter: string): string[] => Object.keys(files).filter((path) => files[path] === letter);
        const [added, modified, removed] = [of('A'), of('M'), of('D')];
        const url = `${webUrl(all)}/-/commit/${sha}`;
        return { id: sha, message, title: message.split('\n')[0], timestamp, url, author, added, modified, removed };
      });
    const body = {
      object_kind: kind,
      event_name: kind,
      before,
      after,
      ref,
      checkout_sha: gone ? null : after,
      user_id: idOf(by),
      user_name: by,
      user_username: by,
      project_id: idOf(all.repository.name),
      project: hookProject(all),
      commits: shaped,
      total_commits_count: commits.length,
    };
    return [kind, body];
  };
  const mergeRequested = (all: PullRequests, event: ForgeEvent & { kind: 'pull' }): object => {
    const { pull, by, action, before } = event;
    const project = idOf(all.repository.name);
    return {
      object_kind: 'merge_request',
      event_type: 'merge_request',
      user: { id: idOf(by), name: by, username: by, email: `${by}@example.com` },
      project: hookProject(all),
      object_attributes: {
        id: idOf(`${pull.repository}!${pull.number}`),
        iid: pull.number,
        title: pull.title,
        state: STATES[pull.state],
        action: ACTIONS[action],
        source_branch: pull.head.branch,
        target_branch: pull.base.branch,
        source_project_id: project,
        target_project_id: project,
        merge_status: 'unchecked',
        merge_commit_sha: pull.method === 'merge' ? (pull.mergeCommit ?? null) : null,
        draft: pull.draft,
        url: `${webUrl(all)}/-/merge_requests/${pull.number}`,
        updated_at: pull.updatedAt.toISOString(),
        last_commit: { id: pull.head.sha, message: pull.title },
        ...(action === 'synchronize' && { oldrev: before }),
      },
    };
  };

  return {
    prefix: '/api/v4',
    contract: rest,
    routes,
    account: accountOf,
    error: (status, message) => ({ message: status === 404 ? '404 Not Found' : message }),
    async told(event) {
      if (event.kind === 'status' || (event.kind === 'group' && event.action === 'destroyed')) return;
      // Refs of merge requests are GitLab's own.
      if (event.kind === 'push' && event.moved.ref.startsWith('refs/merge-requests/')) return;
      const name =
        event.kind === 'push'
          ? event.moved.repository.name
          : event.kind === 'group'
            ? event.repository.name
            : event.pull.repository;
      const all = forges.find(name)!;
      if (event.kind === 'pull' && ACTIONS[event.action] === undefined) return;
      const [kind, body] =
        event.kind === 'push'
          ? await pushed(all, event.moved)
          : event.kind === 'group'
            ? ['pipeline', trainBegan(all, event.group)]
            : ['merge_request', mergeRequested(all, event)];
      const problems = rest.event(kind, body);
      if (problems.length > 0) throw new Error(`this webhook is none of GitLab's: ${problems.join('; ')}`);
      deliveries.send(all.repository.name, kind, null, body);
    },
    sign: signed,
    gitLogin: { username: 'oauth2', password: token },
  };
}

interface NewMergeRequest {
  source_branch: string;
  target_branch: string;
  title: string;
  description?: string;
  labels?: string;
  reviewer_ids?: number[];
  remove_source_branch?: boolean;
  squash?: boolean;
}

const STATES = { open: 'opened', closed: 'closed', merged: 'merged' } as const;
const ACTIONS: Record<string, string> = {
  opened: 'open',
  closed: 'close',
  merged: 'merge',
  reopened: 'reopen',
  edited: 'update',
  synchronize: 'update',
};

const EVENTS: Record<string, string> = {
  push: 'Push Hook',
  tag_push: 'Tag Push Hook',
  merge_request: 'Merge Request Hook',
  pipeline: 'Pipeline Hook',
};

/** By a token in the clear; a secret that begins with `whsec_` is a signing token: Standard Webhooks. */
function signed({ event, guid, hook, body }: Delivery): Record<string, string> {
  const headers = {
    'user-agent': 'GitLab/stand-in',
    'x-gitlab-event': EVENTS[event] ?? event,
    'x-gitlab-event-uuid': randomUUID(),
    'x-gitlab-webhook-uuid': `hook-${hook.id}`,
    'idempotency-key': guid,
  };
  if (!hook.secret.startsWith('whsec_')) return { ...headers, 'x-gitlab-token': hook.secret };
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(hook.secret.slice('whsec_'.length), 'base64');
  const mac = createHmac('sha256', key).update(`${guid}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-id': guid, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}

/** Why a status does not go from one state to another; undefined where it does. Ended ones begin anew. */
function transition(from: string | undefined, to: string): string | undefined {
  const event = { pending: 'enqueue', running: 'run', success: 'success', failed: 'drop', canceled: 'cancel' }[to];
  const stays = from === to && (to === 'pending' || to === 'running');
  if (!stays && !(from === 'running' && to === 'pending')) return undefined;
  return `Cannot transition status via :${event} from :${from} (Reason(s): Status cannot transition via "${event}")`;
}

async function mergeStatus(all: PullRequests, pull: PullRequest): Promise<{ merge: string; detailed: string }> {
  if (pull.state !== 'open') return { merge: 'can_be_merged', detailed: 'not_open' };
  const together = await all.look(pull);
  if (together === undefined) return { merge: 'checking', detailed: 'checking' };
  if (!together) return { merge: 'cannot_be_merged', detailed: 'conflict' };
  const kinds = new Set((await all.obstacles(pull)).map(({ kind }) => kind));
  const detailed = kinds.has('empty')
    ? 'commits_status'
    : kinds.has('draft')
      ? 'draft_status'
      : kinds.has('context')
        ? 'ci_must_pass'
        : kinds.has('approvals')
          ? 'not_approved'
          : kinds.has('behind')
            ? 'need_rebase'
            : 'mergeable';
  return { merge: 'can_be_merged', detailed };
}

const hasTrain = (all: PullRequests): boolean => [...all.protections.values()].some(({ queue }) => queue === true);

const webUrl = (all: PullRequests): string => all.repository.url.replace(/\.git$/, '');

function paged<T>(asked: Asked, found: T[], shape: (each: T) => object): Reply {
  const [size, page] = [Number(asked.query.get('per_page') ?? 20), Number(asked.query.get('page') ?? 1)];
  const more = found.length > page * size;
  return {
    status: 200,
    body: found.slice((page - 1) * size, page * size).map(shape),
    headers: { 'x-next-page': more ? String(page + 1) : '', 'x-page': String(page), 'x-per-page': String(size) },
  };
}
