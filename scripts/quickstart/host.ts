import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { git, inWorkFolder } from './git.ts';

/**
 * A git host for one viewer, on loopback: the bare repositories of a folder over HTTP, pull requests in GitHub's protocol as far as
 * Sluice speaks it, pages for people, and webhooks as GitHub signs them. A push to `main` of a protected repository is refused to
 * everybody: what comes there comes by a pull request. It is no test double: tests have stricter ones.
 */
export interface SampleHost {
  /** A repository is at `${url}/OWNER/NAME.git`, the API at `${url}/api/v3`. */
  readonly url: string;
  /** The open ones, the oldest first. */
  open(): PullRequest[];
  /** As a person who looked at it. @returns why it was not merged; null: it is */
  merge(pull: PullRequest, by: string): Promise<string | null>;
  close(): Promise<void>;
}

export interface PullRequest {
  repository: string;
  number: number;
  title: string;
  body: string;
  head: string;
  base: string;
  sha: string;
  state: 'open' | 'closed';
  createdAt: string;
  updatedAt: string;
  mergedAt: string | null;
  mergeCommit: string | null;
  mergedBy: string | null;
}

interface Status {
  state: string;
  context: string;
  description: string;
}

/** How the host is reached, and where it tells what happens. */
export interface SampleHostOptions {
  /** With the bare repositories, as `NAME.git`. */
  root: string;
  owner: string;
  /** The same each time: definitions and pull requests hold the address. */
  port: number;
  /** Password by account; each may push and pull. */
  accounts: Readonly<Record<string, string>>;
  /** Names of repositories to whose `main` nobody pushes. */
  isProtected: readonly string[];
  /** Where webhooks go, and what they are signed with. */
  webhook: { url: string; secret: string };
}

type Answer = [status: number, body?: unknown];

export async function startSampleHost(options: SampleHostOptions): Promise<SampleHost> {
  const { root, owner, accounts, isProtected } = options;
  const file = join(root, 'pull-requests.json');
  const pulls: PullRequest[] = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PullRequest[]) : [];
  const statusFile = join(root, 'statuses.json');
  const statuses = new Map(
    existsSync(statusFile) ? (JSON.parse(readFileSync(statusFile, 'utf8')) as [string, Status[]][]) : [],
  );
  const saved = (pull: PullRequest): PullRequest => {
    pull.updatedAt = now();
    writeFileSync(file, JSON.stringify(pulls, null, 1));
    return pull;
  };
  for (const name of isProtected)
    writeFileSync(join(root, `${name}.git`, 'hooks', 'pre-receive'), PROTECTION, { mode: 0o755 });

  const heads = async (repository: string): Promise<Map<string, string>> => {
    const said = await git(bare(repository), 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads');
    const lines = said.split('\n').filter(Boolean);
    return new Map(lines.map((line) => line.split(' ') as [string, string]));
  };
  const bare = (repository: string): string => join(root, `${repository}.git`);
  const tell = (event: string, body: object): void => {
    const text = JSON.stringify(body);
    const signature = createHmac('sha256', options.webhook.secret).update(text).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${signature}`,
    };
    // A receiver that does not answer misses it: Sluice looks by itself now and then.
    fetch(options.webhook.url, { method: 'POST', headers, body: text }).catch(() => undefined);
  };
  const tellMoves = async (repository: string, before: Map<string, string>, by: string): Promise<void> => {
    const after = await heads(repository);
    for (const ref of new Set([...before.keys(), ...after.keys()])) {
      const [from, to] = [before.get(ref) ?? ZERO, after.get(ref) ?? ZERO];
      if (from !== to)
        tell('push', {
          ref,
          before: from,
          after: to,
          created: from === ZERO,
          deleted: to === ZERO,
          forced: false,
          commits: [],
          repository: shownRepository(repository),
          pusher: { name: by },
          sender: { login: by },
        });
      for (const pull of pulls)
        if (pull.repository === repository && pull.state === 'open' && ref === `refs/heads/${pull.head}`) {
          if (to === ZERO) saved(Object.assign(pull, { state: 'closed' }));
          else saved(Object.assign(pull, { sha: to }));
        }
    }
  };
  const shownRepository = (repository: string): object => ({
    name: repository,
    full_name: `${owner}/${repository}`,
    archived: false,
    default_branch: 'main',
    clone_url: `${host.url}/${owner}/${repository}.git`,
    html_url: `${host.url}/${owner}/${repository}`,
    owner: { login: owner },
    permissions: { admin: false, push: true, pull: true },
  });
  const shown = (pull: PullRequest): object => ({
    number: pull.number,
    html_url: pageOf(pull),
    state: pull.state,
    draft: false,
    title: pull.title,
    body: pull.body,
    head: {
      ref: pull.head,
      sha: pull.sha,
      label: `${owner}:${pull.head}`,
      repo: shownRepository(pull.repository),
    },
    base: { ref: pull.base, label: `${owner}:${pull.base}`, repo: shownRepository(pull.repository) },
    mergeable: pull.state === 'open' ? true : null,
    mergeable_state: pull.state === 'open' ? 'clean' : 'unknown',
    merged: pull.mergedAt !== null,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    merged_by: pull.mergedBy === null ? null : { login: pull.mergedBy },
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
  });
  const pageOf = (pull: PullRequest): string => `${host.url}/${owner}/${pull.repository}/pull/${pull.number}`;

  /** One after the other: the second of two finds what the first one left. */
  let last: Promise<unknown> = Promise.resolve();
  function merge(pull: PullRequest, by: string, title?: string): Promise<void> {
    const merging = last.then(() => (pull.state === 'open' ? mergeNow(pull, by, title) : undefined));
    last = merging.catch(() => undefined);
    return merging;
  }

  async function mergeNow(pull: PullRequest, by: string, title?: string): Promise<void> {
    const before = await heads(pull.repository);
    await inWorkFolder(root, async (work) => {
      const tree = join(work, 'tree');
      await git(work, 'clone', '--quiet', '--branch', pull.base, bare(pull.repository), tree);
      const message = title ?? `Merge pull request #${pull.number} from ${owner}/${pull.head}`;
      await git(tree, 'merge', '--quiet', '--no-ff', '--message', message, pull.sha);
      pull.mergeCommit = (await git(tree, 'rev-parse', 'HEAD')).trim();
      await git(tree, 'push', '--quiet', 'origin', pull.base);
    });
    saved(Object.assign(pull, { state: 'closed', mergedAt: now(), mergedBy: by }));
    await tellMoves(pull.repository, before, by);
    tell('pull_request', {
      action: 'closed',
      number: pull.number,
      pull_request: shown(pull),
      repository: shownRepository(pull.repository),
      sender: { login: by },
    });
  }

  async function api(method: string, path: string, query: URLSearchParams, body: Body, by: string): Promise<Answer> {
    const [, repository = '', rest = ''] = /^\/repos\/[^/]+\/([^/]+)(.*)$/.exec(path) ?? [];
    if (!existsSync(bare(repository))) return NOT_FOUND;
    const mine = pulls.filter((each) => each.repository === repository);
    const [, number, more = ''] = /^\/(?:pulls|issues)\/(\d+)(.*)$/.exec(rest) ?? [];
    const pull = mine.find((each) => each.number === Number(number));
    if (number !== undefined && pull === undefined) return NOT_FOUND;
    const [, ref = ''] = /^\/git\/refs\/(.+)$/.exec(rest) ?? [];
    const [, sha = ''] = /^\/(?:statuses|commits)\/([0-9a-f]+)/.exec(rest) ?? [];
    switch (`${method} ${route(rest)}`) {
      case 'GET ':
        return [200, shownRepository(repository)];
      case 'GET /pulls':
        return [200, listed(mine, query).map(shown)];
      case 'POST /pulls':
        return openPull(repository, mine, body);
      case 'GET /pulls/N':
        return [200, shown(pull!)];
      case 'GET /issues/N':
        return [200, { number: pull!.number, state: pull!.state, closed_by: null }];
      case 'PATCH /pulls/N':
        if (pull!.state === 'open' && body['state'] === 'closed') saved(Object.assign(pull!, { state: 'closed' }));
        return [200, shown(pull!)];
      case 'PUT /pulls/N':
        if (more !== '/merge' || pull!.state !== 'open') return [405, { message: 'Pull Request is not mergeable' }];
        if (body['sha'] !== pull!.sha)
          return [409, { message: 'Head branch was modified. Review and try the merge again.' }];
        await merge(pull!, by, text(body['commit_title']));
        return [200, { sha: pull!.mergeCommit, merged: true, message: 'Pull Request successfully merged' }];
      case 'DELETE /git':
        return deleteRef(repository, ref, by);
      case 'POST /statuses': {
        const { state, context, description } = body as Record<string, string>;
        const others = (statuses.get(sha) ?? []).filter((each) => each.context !== context);
        statuses.set(sha, [{ state: state!, context: context!, description: description ?? '' }, ...others]);
        writeFileSync(statusFile, JSON.stringify([...statuses], null, 1));
        return [201, { state, context, description }];
      }
      case 'GET /commits':
        return [200, { state: 'pending', statuses: statuses.get(sha) ?? [] }];
      case 'GET /rules':
        return [200, []];
      case 'GET /branches':
        return rest.endsWith('/protection')
          ? [200, { required_pull_request_reviews: { required_approving_review_count: 0 } }]
          : [200, { name: 'main', protected: isProtected.includes(repository) }];
      default:
        return NOT_FOUND;
    }
  }

  async function openPull(repository: string, mine: PullRequest[], body: Body): Promise<Answer> {
    const [head, base] = [text(body['head']) ?? '', text(body['base']) ?? 'main'];
    const sha = (await heads(repository)).get(`refs/heads/${head}`);
    if (sha === undefined) return [422, { message: 'Validation Failed', errors: [{ field: 'head', code: 'invalid' }] }];
    if (mine.some((each) => each.state === 'open' && each.head === head && each.base === base))
      return [
        422,
        { message: 'Validation Failed', errors: [{ message: `A pull request already exists for ${owner}:${head}.` }] },
      ];
    const times = { createdAt: now(), updatedAt: now(), mergedAt: null, mergeCommit: null, mergedBy: null };
    const pull: PullRequest = {
      repository,
      number: mine.length + 1,
      head,
      base,
      sha,
      state: 'open',
      title: text(body['title']) ?? '',
      body: text(body['body']) ?? '',
      ...times,
    };
    pulls.push(pull);
    return [201, shown(saved(pull))];
  }

  async function deleteRef(repository: string, ref: string, by: string): Promise<Answer> {
    const before = await heads(repository);
    if (!before.has(`refs/${ref}`)) return [422, { message: 'Reference does not exist' }];
    await git(bare(repository), 'update-ref', '-d', `refs/${ref}`);
    await tellMoves(repository, before, by);
    return [204];
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', host.url);
    if (url.pathname.startsWith('/api/v3/')) {
      const [, token] = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
      const by = Object.keys(accounts).find((each) => accounts[each] === token);
      if (by === undefined) return json(response, [401, { message: 'Bad credentials' }]);
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const sent = Buffer.concat(chunks).toString();
      const body = sent === '' ? {} : (JSON.parse(sent) as Body);
      const path = decodeURIComponent(url.pathname.slice('/api/v3'.length));
      return json(response, await api(request.method ?? 'GET', path, url.searchParams, body, by));
    }
    const [, name = '', rest = ''] = /^\/[^/]+\/([^/]+?)\.git(\/.*)$/.exec(url.pathname) ?? [];
    if (name !== '' && existsSync(bare(name))) return serveGit(name, rest, url.search, request, response);
    const [, of = '', number] = /^\/[^/]+\/([^/]+)\/pull\/(\d+)$/.exec(url.pathname) ?? [];
    const pull = pulls.find((each) => each.repository === of && each.number === Number(number));
    if (!pull) return void response.writeHead(404).end('There is nothing here.');
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(page(pull, statuses.get(pull.sha) ?? []));
  }

  /** git's own CGI program. */
  async function serveGit(
    name: string,
    rest: string,
    search: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const [, encoded = ''] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const [by = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':');
    if (accounts[by] === undefined || accounts[by] !== password.join(':'))
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="sample"' }).end();
    const isPush = request.method === 'POST' && rest === '/git-receive-pack';
    const before = isPush ? await heads(name) : null;
    const cgi = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        PATH_INFO: `/${name}.git${rest}`,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        REMOTE_USER: by,
      },
    });
    request.pipe(cgi.stdin);
    cgi.stdin.on('error', () => undefined);
    const out: Buffer[] = [];
    cgi.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    await new Promise((ended) => cgi.on('close', ended));
    const all = Buffer.concat(out);
    const end = all.indexOf('\r\n\r\n');
    const lines = all.subarray(0, end).toString().split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
    const { Status: status = '200', ...others } = headers;
    response.writeHead(Number.parseInt(status, 10), others).end(all.subarray(end + 4));
    if (before) await tellMoves(name, before, by);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const host: SampleHost = {
    url: `http://127.0.0.1:${options.port}`,
    open: () => pulls.filter(({ state }) => state === 'open'),
    async merge(pull, by) {
      const red = (statuses.get(pull.sha) ?? []).find(({ state }) => state !== 'success');
      if (red) return `${red.context} is ${red.state}: ${red.description}`;
      if (!statuses.has(pull.sha)) return 'its commit has no status yet';
      await merge(pull, by);
      return null;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return host;
}

type Body = Record<string, unknown>;

const ZERO = '0'.repeat(40);
const NOT_FOUND: Answer = [404, { message: 'Not Found' }];
const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The branch is protected: the host itself, when it merges, comes without an account. */
const PROTECTION = `#!/bin/sh
test -z "$REMOTE_USER" && exit 0
while read -r before after ref; do
  test "$ref" = refs/heads/main && echo "main is a protected branch: open a pull request" >&2 && exit 1
done
exit 0
`;

/** `/pulls/7/merge` → `/pulls/N`, `/branches/main/protection` → `/branches`. */
function route(rest: string): string {
  const [, kind = '', id] = /^\/([^/]+)(?:\/([^/]+))?/.exec(rest) ?? [];
  if (kind === '') return '';
  return (kind === 'pulls' || kind === 'issues') && id !== undefined ? `/${kind}/N` : `/${kind}`;
}

function listed(mine: PullRequest[], query: URLSearchParams): PullRequest[] {
  const [state, head, base] = ['state', 'head', 'base'].map((each) => query.get(each));
  const found = mine.filter(
    (each) =>
      (state === 'all' || each.state === (state ?? 'open')) &&
      (!head || head.replace(/^[^:]+:/, '') === each.head) &&
      (!base || base === each.base),
  );
  const by = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const sorted = found.toSorted((a, b) => b[by].localeCompare(a[by]) || b.number - a.number);
  const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('per_page') ?? 30)];
  return sorted.slice((page - 1) * size, page * size);
}

function json(response: ServerResponse, [status, body]: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** What a reviewer would see. */
function page(pull: PullRequest, statuses: Status[]): string {
  const said = pull.mergedAt ? `merged by ${pull.mergedBy}` : pull.state;
  const checks = statuses.map(
    ({ context, state, description }) => `<li>${escape(`${context}: ${state}. ${description}`)}</li>`,
  );
  return `<!doctype html><meta charset="utf-8"><title>${escape(pull.title)}</title>
<style>body { font: 16px/1.5 system-ui; max-width: 50rem; margin: 2rem auto } pre { white-space: pre-wrap }</style>
<h1>${escape(pull.title)}</h1><p>Pull request ${pull.number} of ${escape(pull.repository)}: ${escape(said)}</p>
<ul>${checks.join('')}</ul><pre>${escape(pull.body)}</pre>`;
}

const escape = (value: string): string =>
  value.replace(/[&<>"]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]!);
