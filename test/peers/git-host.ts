import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerGit } from '../support/git-http.ts';
import { ADA, git, GitFailed, ZERO } from './git.ts';
import type { Person } from './git.ts';
import { RULES_HOOK, rulesFile } from './rules.ts';
import type { Rules } from './rules.ts';

/** A ref that moved, whoever moved it. A created ref comes from `ZERO`, a deleted one goes there. */
export interface RefMoved {
  repository: HostedRepository;
  /** `refs/heads/main`. */
  ref: string;
  before: string;
  after: string;
  /** The account that pushed, or the person of a stand-in who did it there. */
  by: string;
}

/** How often a repository was asked for what, over HTTP. */
export interface GitAsked {
  /** `info/refs` for a fetch: what `ls-remote`, and a fetch before it fetches, ask. */
  refs: number;
  fetches: number;
  pushes: number;
}

export interface GitHostOptions {
  /** Absent: everybody may come in. More accounts: see `addLogin`. */
  login?: { username: string; password: string };
  /** A folder of its own; absent: a temporary one, which `close` deletes. */
  root?: string;
}

/**
 * A real git host on loopback: bare repositories behind `git http-backend`, with basic authentication, protected branches and rules
 * for commits. The driver reaches it with `SLUICE_GIT_PROTOCOLS=http` and 127.0.0.0/8 among the allowed networks.
 */
export interface GitHost {
  /** `http://127.0.0.1:PORT`; a repository is at `${url}/OWNER/NAME.git`. */
  readonly url: string;
  readonly root: string;
  /** How others call it, where a proxy stands in front of it: addresses of repositories begin so. */
  publicUrl: string;
  /** While it is away, callers are cut off without a word. */
  away: boolean;
  /** One more password of an account, which may have several. */
  addLogin(username: string, password: string): void;
  /** Made when it is not there yet. A name without an owner belongs to `acme`. */
  repository(name: string, options?: { branch?: string }): Promise<HostedRepository>;
  /** Absent: there is none. */
  find(name: string): HostedRepository | undefined;
  /** A repository gets another name; the old address answers 301 with the new one, until another repository takes it. */
  rename(from: string, to: string): void;
  /** The name that a repository has now; undefined where this name is no old one. */
  renamedTo(name: string): string | undefined;
  /** Calls the listener after each move of a ref, in the order of the moves of one ref. */
  onRefMoved(listener: (moved: RefMoved) => void): void;
  close(): Promise<void>;
}

export async function startGitHost(options: GitHostOptions = {}): Promise<GitHost> {
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'sluice-git-host-'));
  mkdirSync(root, { recursive: true });
  const repositories = new Map<string, HostedRepository>();
  const moved = new Map<string, string>();
  const logins = new Map<string, Set<string>>();
  const listeners: ((moved: RefMoved) => void)[] = [];
  const addLogin = (username: string, password: string): void =>
    void logins.set(username, (logins.get(username) ?? new Set()).add(password));
  if (options.login) addLogin(options.login.username, options.login.password);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (host.away) return void request.socket.destroy();
    const url = new URL(request.url ?? '/', host.url);
    const [, name = '', rest = ''] = /^\/([^/]+\/[^/]+?)\.git\/(.*)$/.exec(url.pathname) ?? [];
    const newName = moved.get(name);
    if (newName !== undefined)
      return void response
        .writeHead(301, { location: `${host.url}/${newName}.git/${rest}${url.search}` })
        .end('moved permanently');
    const account = accountOf(request, logins);
    if (account === undefined)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you?');
    const repository = repositories.get(name);
    // A host does not tell strangers which repositories there are, and a member neither.
    if (!repository) return void response.writeHead(404).end('Repository not found.');
    const service = url.searchParams.get('service');
    if (rest === 'info/refs' && service === 'git-upload-pack') repository.asked.refs += 1;
    const go = (): Promise<void> =>
      new Promise((ended) => answerGit(root, request, response, { user: account, ended }));
    if (request.method !== 'POST') return await go();
    if (rest === 'git-upload-pack') {
      repository.asked.fetches += 1;
      return await go();
    }
    repository.asked.pushes += 1;
    if (repository.archived)
      return void response.writeHead(403).end('remote: This repository was archived so it is read-only.');
    await repository.moving(account, go);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const named = (name: string): string => (name.includes('/') ? name : `acme/${name}`);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const host: GitHost = {
    url,
    publicUrl: url,
    root,
    away: false,
    addLogin,
    async repository(short, { branch = 'main' } = {}) {
      const name = named(short);
      const known = repositories.get(name);
      if (known) return known;
      const path = join(root, `${name}.git`);
      moved.delete(name);
      mkdirSync(path, { recursive: true });
      await git(path, ['init', '--quiet', '--bare', `--initial-branch=${branch}`]);
      await git(path, ['config', 'http.receivepack', 'true']);
      // The judge of a chaos run reads from it whether a branch was ever moved by force.
      await git(path, ['config', 'core.logAllRefUpdates', 'always']);
      writeFileSync(join(path, 'hooks', 'pre-receive'), RULES_HOOK, { mode: 0o755 });
      const made = new HostedRepository(
        name,
        () => host.publicUrl,
        path,
        branch,
        (each) => {
          for (const listener of listeners) listener(each);
        },
      );
      repositories.set(name, made);
      return made;
    },
    find: (name) => repositories.get(named(name)),
    rename(from, to) {
      const repository = repositories.get(named(from));
      if (!repository) throw new Error(`there is no repository "${from}"`);
      repositories.delete(named(from));
      repositories.set(named(to), repository);
      repository.name = named(to);
      mkdirSync(join(root, named(to), '..'), { recursive: true });
      const path = join(root, `${named(to)}.git`);
      renameSync(repository.path, path);
      repository.path = path;
      moved.set(named(from), named(to));
    },
    renamedTo: (name) => moved.get(named(name)),
    onRefMoved: (listener) => void listeners.push(listener),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([...repositories.values()].map((each) => each.settled()));
      if (options.root === undefined) rmSync(root, { recursive: true, force: true });
    },
  };
  return host;
}

/** @returns the account; undefined where the login is missing or wrong */
function accountOf(request: IncomingMessage, logins: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  if (logins.size === 0) return 'anybody';
  const [, encoded = ''] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const [username = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':');
  return logins.get(username)?.has(password.join(':')) ? username : undefined;
}

/** Content by path; null deletes the file. */
export type Files = Record<string, string | null>;

/** A bare repository of the host, and what people do to it without a clone. */
export class HostedRepository {
  readonly asked: GitAsked = { refs: 0, fetches: 0, pushes: 0 };
  /** Reading goes on, pushes are refused. */
  archived = false;
  #rules: Rules = {};
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    public name: string,
    private readonly base: () => string,
    public path: string,
    readonly branch: string,
    private readonly tell: (moved: RefMoved) => void,
  ) {}

  /** Without a login. */
  get url(): string {
    return `${this.base()}/${this.name}.git`;
  }

  /** What its pre-receive hook insists on from now on; merges that the host makes itself are not asked. */
  insistOn(rules: Rules): void {
    this.#rules = { ...this.#rules, ...rules };
    for (const [name, content] of rulesFile(this.#rules)) writeFileSync(join(this.path, name), content);
  }

  get rules(): Rules {
    return this.#rules;
  }

  /** Refuses everything that is no fast-forward and deletions, as hosts do that are set up so. */
  async denyNonFastForwards(): Promise<void> {
    await this.git('config', 'receive.denyNonFastForwards', 'true');
  }

  /** @returns its output without line breaks at the end. @throws GitFailed */
  async git(...args: string[]): Promise<string> {
    return (await git(this.path, args)).trimEnd();
  }

  /**
   * A commit on the branch, as a person pushes it: the branch is made from the default branch when it is not there.
   * @returns its sha
   */
  commit(
    files: Files,
    message: string,
    how: { branch?: string; author?: Person; committer?: Person; by?: string; from?: string; at?: Date } = {},
  ): Promise<string> {
    const branch = how.branch ?? this.branch;
    const author = how.author ?? ADA;
    return this.moving(how.by ?? author.name, async () => {
      const ref = `refs/heads/${branch}`;
      const from = how.from ?? (await this.head(branch)) ?? (await this.head(this.branch));
      const now = Math.floor((how.at?.getTime() ?? Date.now()) / 1_000);
      const person = ({ name, email }: Person): string => `${name} <${email}> ${now} +0000`;
      const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
      const lines = [
        `commit ${ref}\nmark :1\nauthor ${person(author)}\ncommitter ${person(how.committer ?? author)}\n${data(message)}`,
        from === undefined ? '' : `from ${from}\n`,
        ...Object.entries(files).map(([path, content]) =>
          content === null ? `D ${path}\n` : `M 100644 inline ${path}\n${data(content)}`,
        ),
        '\nget-mark :1\ndone\n',
      ];
      const said = await git(this.path, ['fast-import', '--quiet', '--done', ...(how.from ? ['--force'] : [])], {
        input: lines.join(''),
      });
      return said.split('\n')[0]!;
    });
  }

  /** The sha of a branch; undefined when it is not there. */
  async head(branch = this.branch): Promise<string | undefined> {
    return await this.git('rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(notThere);
  }

  async branches(): Promise<string[]> {
    return (await this.git('for-each-ref', '--format=%(refname:short)', 'refs/heads')).split('\n').filter(Boolean);
  }

  /** The content of a file; undefined when it is not there. */
  async read(path: string, revision = this.branch): Promise<string | undefined> {
    return await git(this.path, ['show', `${revision}:${path}`]).catch(notThere);
  }

  /** Newest first: sha, subject and whole message of each commit of the branch. */
  async log(
    branch = this.branch,
  ): Promise<{ sha: string; parents: string[]; subject: string; message: string; author: string }[]> {
    const said = await this.git('log', '--format=%H%x00%P%x00%s%x00%B%x00%ae%x01', branch);
    return said.split('\x01').flatMap((each) => {
      const [sha, parents, subject, message, author] = each.trim().split('\0');
      return sha
        ? [
            {
              sha,
              parents: parents!.split(' ').filter(Boolean),
              subject: subject!,
              message: message!.trim(),
              author: author!,
            },
          ]
        : [];
    });
  }

  /** Sets, makes (`before` ZERO) or deletes (`after` ZERO) a ref, where it stands at `before` still. @throws GitFailed */
  setRef(ref: string, after: string, before: string | undefined, by: string): Promise<void> {
    return this.moving(by, async () => {
      await this.git('update-ref', ref, after, ...(before === undefined ? [] : [before]));
    });
  }

  /** Somebody rewrites a branch: it stands at `to`, whatever it was. */
  async forcePush(branch: string, to: string, by = ADA.name): Promise<void> {
    await this.setRef(`refs/heads/${branch}`, to, undefined, by);
  }

  async deleteBranch(branch: string, by = ADA.name): Promise<void> {
    await this.setRef(`refs/heads/${branch}`, ZERO, undefined, by);
  }

  async tag(name: string, at = this.branch, by = ADA.name): Promise<void> {
    await this.setRef(`refs/tags/${name}`, await this.git('rev-parse', at), undefined, by);
  }

  /** Runs `work` after all earlier moves, and tells of the refs that it moved. */
  moving<T>(by: string, work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      const before = await this.#refs();
      const done = await work();
      const after = await this.#refs();
      for (const ref of new Set([...before.keys(), ...after.keys()])) {
        const [from, to] = [before.get(ref) ?? ZERO, after.get(ref) ?? ZERO];
        if (from !== to) this.tell({ repository: this, ref, before: from, after: to, by });
      }
      return done;
    });
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** When nothing moves any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #refs(): Promise<Map<string, string>> {
    const said = await this.git('for-each-ref', '--format=%(refname) %(objectname)');
    return new Map(
      said
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' ') as [string, string]),
    );
  }
}

function notThere(error: unknown): undefined {
  if (error instanceof GitFailed) return undefined;
  throw error;
}
