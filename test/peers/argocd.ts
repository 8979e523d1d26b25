import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Contract, readContract } from './contract.ts';
import { git } from './git.ts';

/**
 * Argo CD's REST interface over real bare repositories. It compares the revision that it tracks with what it synced last, by the
 * trees of git, and a sync makes that tree the live one. Its shapes are written from the swagger document of Argo CD, in
 * contracts/argocd.json, and hold for each request and each answer: what does not fit is among `problems`.
 *
 * It reconciles when it is asked to refresh, after an operation, and when a test says so (`reconcile`); a real one does it every three
 * minutes besides.
 */
export interface ArgoCdPeer {
  readonly url: string;
  readonly token: string;
  /** Accepted syncs by the key among their infos; '' for those without one. */
  readonly syncs: Map<string, number>;
  /** Each request, as `GET /api/v1/applications/NAME?…`. */
  readonly asked: string[];
  /** Which project each of them named, in its address or its body. */
  readonly projects: unknown[];
  /** What did not fit the contract. */
  readonly problems: string[];
  /** The token is refused from now on, as one that has expired. */
  expired: boolean;
  /** Too much is asked of it, or it is being restarted: what fits is refused with this status, and with this Retry-After. */
  busy?: { status: 429 | 503; retryAfter: string; only?: 'POST' };
  /** Called before each request is answered: it may wait, or end the answer by itself (true). */
  intercept?: (request: string, response: ServerResponse) => Promise<boolean | void> | boolean | void;
  application(name: string, wanted: WantedApplication): PeerApplication;
  close(): Promise<void>;
}

export interface PeerSource {
  repoURL: string;
  path?: string;
  targetRevision?: string;
  chart?: string;
  ref?: string;
}

export interface WantedApplication {
  project?: string;
  namespace?: string;
  /** One; several are a multi-source application. */
  sources: PeerSource[];
  auto?: boolean;
  /** The sources are hydrated: the first is the dry one, and `branch` is where what comes of it is committed, below `path`. */
  hydrator?: { branch: string; path: string };
  /** A revision in which nothing below the source's path changed does not count as a new one. */
  generatePaths?: boolean;
}

export type Phase = 'Running' | 'Succeeded' | 'Failed' | 'Error' | 'Terminating';

interface Operation {
  info: { name: string; value: string }[];
  by: string;
  revisions: string[] | null;
}

/** @param bareOf the folder of a bare repository by its address */
export async function startArgoCd(bareOf: (repoURL: string) => string | undefined): Promise<ArgoCdPeer> {
  const contract = new Contract(readContract('argocd.json'));
  const applications = new Map<string, PeerApplication>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      peer.problems.push(String(error));
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', peer.url);
    const line = `${request.method} ${url.pathname}${url.search}`;
    peer.asked.push(line);
    if ((await peer.intercept?.(line, response)) === true) return;
    const [, name = '', rest = ''] = /^\/api\/v1\/applications\/([^/]+)(\/[^/]+)?$/.exec(url.pathname) ?? [];
    const operation = `${request.method} /api/v1/applications/{name}${rest}`;
    const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
    peer.problems.push(...contract.request(operation, url.searchParams, body));
    const busy = peer.busy?.only === 'POST' && request.method !== 'POST' ? undefined : peer.busy;
    const [status, answered] = busy
      ? refusal(busy.status, busy.status === 429 ? 8 : 14, 'try again later')
      : await route(decodeURIComponent(name), rest, url.searchParams, body, request);
    peer.problems.push(...contract.answer(operation, status, answered));
    const headers = { 'content-type': 'application/json', ...(busy && { 'retry-after': busy.retryAfter }) };
    response.writeHead(status, headers).end(JSON.stringify(answered));
  }

  async function route(
    name: string,
    rest: string,
    query: URLSearchParams,
    body: Record<string, unknown> | undefined,
    request: IncomingMessage,
  ): Promise<[number, object]> {
    if (request.headers.authorization !== `Bearer ${peer.token}`) return refusal(401, 16, 'no session information');
    if (peer.expired) return refusal(401, 16, 'invalid session: token has invalid claims: token is expired');
    const application = applications.get(name);
    const project = query.get('project') ?? body?.['project'];
    peer.projects.push(project);
    // Without the project it does not tell what is missing from what is forbidden.
    if (application === undefined || (project && project !== application.project))
      return project
        ? refusal(404, 5, `applications.argoproj.io "${name}" not found`)
        : refusal(403, 7, 'permission denied');
    if (rest === '') {
      if (query.has('refresh')) await application.reconcile();
      return [200, application.toJSON()];
    }
    if (rest === '/resource-tree') return [200, application.tree()];
    if (rest === '/syncwindows') return [200, application.windows()];
    return await application.ask(body ?? {});
  }

  const peer: ArgoCdPeer = {
    url: '',
    token: 'argocd-token-of-a-test',
    syncs: new Map(),
    asked: [],
    projects: [],
    problems: [],
    expired: false,
    application(name, wanted) {
      const made = new PeerApplication(name, wanted, bareOf, (key) => {
        peer.syncs.set(key, (peer.syncs.get(key) ?? 0) + 1);
      });
      applications.set(name, made);
      return made;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(peer, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const refusal = (status: number, code: number, message: string): [number, object] => [
  status,
  { error: message, code, message },
];

/** One application, as Argo CD keeps it; a test scripts what its cluster does. */
export class PeerApplication {
  readonly project: string;
  auto: boolean;
  /** What the cluster says of the resources after a sync. */
  health: { status: string; message?: string } = { status: 'Healthy' };
  rollouts: { name: string; status?: string; message?: string }[] = [];
  /** Fields differ on purpose: it is never Synced. */
  ignoring = false;
  /** Whether it is compared right after an operation, as it is unless Argo CD is busy. */
  comparesAfterSync = true;
  /** How an operation ends; Running: when the test says so, by `finish`. */
  ends: Phase = 'Succeeded';
  window: { kind: 'allow' | 'deny'; manual: boolean } | null = null;
  conditions: { type: string; message: string }[] = [];
  /** Seconds by which its clock goes on with each thing that happens: its times have whole seconds. */
  #clock = Math.floor(Date.now() / 1_000) * 1_000;
  #tracked: string[] = [];
  #live: string[] = [];
  #compared: { status: string; revisions: string[] } = { status: 'Unknown', revisions: [] };
  #reconciledAt: string | undefined;
  #operation: (Operation & { phase: Phase; startedAt: string; finishedAt?: string; message: string }) | undefined;
  #tried = '';
  readonly #uid = randomUUID();
  #hydrated: { current: Hydration; last?: Hydration } | undefined;

  constructor(
    readonly name: string,
    private readonly wanted: WantedApplication,
    private readonly bareOf: (repoURL: string) => string | undefined,
    private readonly counted: (key: string) => void,
  ) {
    this.project = wanted.project ?? 'default';
    this.auto = wanted.auto ?? true;
  }

  get live(): readonly string[] {
    return this.#live;
  }

  /** Compares with git, hydrates before that, and syncs where auto-sync wants to. */
  async reconcile(): Promise<void> {
    if (this.wanted.hydrator) await this.#hydrate();
    const heads = await Promise.all(this.#synced().map((source) => this.#resolve(source)));
    this.#tracked = await Promise.all(
      heads.map(async (head, index) => {
        const before = this.#tracked[index];
        const stays = this.wanted.generatePaths && before && (await this.#same(index, before, head));
        return stays ? before : head;
      }),
    );
    await this.#compare();
    const blocked = this.window !== null;
    const target = this.#tracked.join();
    if (!this.auto || this.#compared.status === 'Synced' || blocked || this.#isBusy || this.#tried === target) return;
    this.#tried = target;
    await this.#begin({ info: [], by: 'auto', revisions: null });
  }

  /** An operation that goes on ends now. */
  async finish(phase: Phase = 'Succeeded', message = ''): Promise<void> {
    const operation = this.#operation;
    if (!operation) throw new Error(`nothing goes on in ${this.name}`);
    if (phase === 'Succeeded') this.#live = await this.#revisionsOf(operation);
    Object.assign(operation, { phase, message, finishedAt: this.#now() });
    if (this.comparesAfterSync) await this.#compare();
  }

  /** A person syncs it, by Argo CD's own means. */
  async syncBy(person: string): Promise<void> {
    await this.#begin({ info: [], by: person, revisions: null });
  }

  /** What `POST …/sync` comes to. */
  async ask(body: Record<string, unknown>): Promise<[number, object]> {
    const {
      revision,
      revisions,
      sourcePositions,
      infos = [],
    } = body as {
      revision?: string;
      revisions?: string[];
      sourcePositions?: string[];
      infos?: { name: string; value: string }[];
    };
    if (this.#isBusy) return refusal(400, 9, 'another operation is already in progress');
    if (this.window !== null && !this.window.manual) return refusal(403, 7, 'cannot sync: blocked by sync window');
    const asked = this.#tracked.map((tracked, index) => {
      const at = (sourcePositions ?? []).indexOf(String(index + 1));
      return (at >= 0 ? revisions?.[at] : revision) ?? tracked;
    });
    if (this.auto && asked.join() !== this.#tracked.join())
      return refusal(400, 9, `Cannot sync to ${asked.join()}: auto-sync currently set to ${this.#tracked.join()}`);
    this.counted(infos.find(({ name }) => name === 'sluice-key')?.value ?? '');
    await this.#begin({ info: infos, by: 'sluice', revisions: asked });
    return [200, this.toJSON()];
  }

  toJSON(): object {
    const { sources, hydrator, namespace } = this.wanted;
    const specs = sources.map((each) => ({ ...each, targetRevision: each.targetRevision ?? 'HEAD' }));
    const operation = this.#operation;
    const several = sources.length > 1;
    const revisionsOf = (revisions: readonly string[]): object =>
      several ? { revisions } : { revision: revisions[0] ?? '' };
    return {
      metadata: { name: this.name, namespace: namespace ?? 'argocd', uid: this.#uid },
      spec: {
        project: this.project,
        destination: { server: 'https://kubernetes.default.svc', namespace: 'billing' },
        ...(hydrator
          ? {
              sourceHydrator: {
                drySource: specs[0],
                syncSource: { targetBranch: hydrator.branch, path: hydrator.path },
              },
            }
          : several
            ? { sources: specs }
            : { source: specs[0] }),
        ...(this.auto && { syncPolicy: { automated: { prune: true } } }),
      },
      status: {
        sync: { status: this.#compared.status, ...revisionsOf(this.#compared.revisions) },
        health: { ...this.health },
        ...(this.#reconciledAt && { reconciledAt: this.#reconciledAt }),
        ...(this.conditions.length > 0 && { conditions: this.conditions }),
        ...(this.#hydrated && {
          sourceHydrator: {
            currentOperation: { ...this.#hydrated.current },
            ...(this.#hydrated.last && {
              lastSuccessfulOperation: {
                drySHA: this.#hydrated.last.drySHA,
                hydratedSHA: this.#hydrated.last.hydratedSHA,
              },
            }),
          },
        }),
        ...(operation && {
          operationState: {
            operation: {
              info: operation.info,
              initiatedBy: operation.by === 'auto' ? { automated: true } : { username: operation.by },
              sync: {},
            },
            phase: operation.phase,
            message: operation.message,
            startedAt: operation.startedAt,
            ...(operation.finishedAt && { finishedAt: operation.finishedAt }),
            syncResult: revisionsOf(operation.revisions ?? []),
          },
        }),
      },
    };
  }

  tree(): object {
    const rollouts = this.rollouts.map(({ name, status, message }) => ({
      group: 'argoproj.io',
      version: 'v1alpha1',
      kind: 'Rollout',
      namespace: 'billing',
      name,
      ...(status && { health: { status, ...(message && { message }) } }),
    }));
    return { nodes: [{ version: 'v1', kind: 'Service', namespace: 'billing', name: this.name }, ...rollouts] };
  }

  windows(): object {
    if (!this.window) return { canSync: true };
    const window = { kind: this.window.kind, schedule: '0 22 * * *', duration: '8h', manualSync: this.window.manual };
    const active = this.window.kind === 'deny' ? { activeWindows: [window] } : {};
    return { ...active, assignedWindows: [window], canSync: this.window.manual };
  }

  get #isBusy(): boolean {
    return this.#operation?.phase === 'Running' || this.#operation?.phase === 'Terminating';
  }

  async #begin(operation: Operation): Promise<void> {
    const startedAt = this.#now();
    const revisions = operation.revisions ?? [...this.#tracked];
    this.#operation = { ...operation, revisions, phase: 'Running', startedAt, message: '' };
    if (this.ends !== 'Running')
      await this.finish(this.ends, this.ends === 'Succeeded' ? '' : 'one or more hooks failed');
  }

  async #revisionsOf({ revisions }: Operation): Promise<string[]> {
    return revisions ?? [...this.#tracked];
  }

  async #compare(): Promise<void> {
    const same = await Promise.all(
      this.#tracked.map((revision, index) => this.#same(index, this.#live[index], revision)),
    );
    const status = same.every(Boolean) && !this.ignoring ? 'Synced' : 'OutOfSync';
    this.#compared = { status, revisions: [...this.#tracked] };
    this.#reconciledAt = this.#now();
  }

  /** What is synced: the hydrated branch where there is one. */
  #synced(): PeerSource[] {
    const { sources, hydrator } = this.wanted;
    const [dry] = sources;
    return hydrator ? [{ repoURL: dry!.repoURL, path: hydrator.path, targetRevision: hydrator.branch }] : sources;
  }

  async #resolve({ repoURL, targetRevision = 'HEAD', chart }: PeerSource): Promise<string> {
    if (chart !== undefined) return targetRevision;
    return (await this.#git(repoURL, ['rev-parse', '--verify', '--quiet', `${targetRevision}^{commit}`])) ?? '';
  }

  /** Whether the path of a source is the same at both revisions. */
  async #same(index: number, one: string | undefined, other: string): Promise<boolean> {
    const { repoURL, path = '', chart } = this.#synced()[index]!;
    if (one === undefined || one === '' || chart !== undefined) return one === other;
    const at = (revision: string): Promise<string | undefined> =>
      this.#git(repoURL, [
        'rev-parse',
        '--verify',
        '--quiet',
        path === '' ? `${revision}^{tree}` : `${revision}:${path}`,
      ]);
    return (await at(one)) === (await at(other));
  }

  /** What is below the dry source's path stands below `path` of the hydrated branch; where nothing differs there is no commit. */
  async #hydrate(): Promise<void> {
    const { branch, path } = this.wanted.hydrator!;
    const [dry] = this.wanted.sources;
    const drySHA = await this.#resolve(dry!);
    if (this.#hydrated?.last?.drySHA === drySHA || this.hydration === 'stuck') return;
    const startedAt = this.#now();
    if (this.hydration !== 'works') {
      const { last } = this.#hydrated ?? {};
      const current = { drySHA, hydratedSHA: '', phase: 'Failed', message: this.hydration, startedAt };
      this.#hydrated = { current, ...(last && { last }) };
      return;
    }
    const repository = this.bareOf(dry!.repoURL)!;
    const tree = await this.#git(dry!.repoURL, ['rev-parse', `${drySHA}:${dry!.path ?? ''}`]);
    const head = await this.#git(dry!.repoURL, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]);
    const there = head && (await this.#git(dry!.repoURL, ['rev-parse', '--verify', '--quiet', `${head}:${path}`]));
    let hydratedSHA = '';
    if (tree !== there) {
      const listing = await git(repository, ['mktree'], { input: `040000 tree ${tree}\t${path}\n` });
      const parent = head ? ['-p', head] : [];
      const made = await git(repository, ['commit-tree', listing.trim(), ...parent, '-m', `hydrate ${drySHA}`]);
      hydratedSHA = made.trim();
      await git(repository, ['update-ref', `refs/heads/${branch}`, hydratedSHA]);
    }
    const current = { drySHA, hydratedSHA, phase: 'Hydrated', message: '', startedAt, finishedAt: this.#now() };
    this.#hydrated = { current, last: current };
  }

  /** `works`, `stuck` (it never gets to a new commit), or the message with which it fails. */
  hydration = 'works';

  async #git(repoURL: string, args: string[]): Promise<string | undefined> {
    const bare = this.bareOf(repoURL);
    if (bare === undefined) return undefined;
    return git(bare, args).then(
      (said) => said.trim(),
      () => undefined,
    );
  }

  #now(): string {
    this.#clock += 1_000;
    return new Date(this.#clock).toISOString().replace('.000', '');
  }
}

interface Hydration {
  drySHA: string;
  hydratedSHA: string;
  phase: string;
  message: string;
  startedAt: string;
  finishedAt?: string;
}
