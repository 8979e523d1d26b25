import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Contract, readContract } from './contract.ts';

/**
 * The REST interface of the Argo server for workflows: submit, get, stop, and the archive. Its shapes are cut from the swagger document of
 * Argo Workflows, in contracts/argo-workflows.json, and hold for each request and each answer: what does not fit is among `problems`.
 * Refusals, and what is answered about what is over or gone, are those of its sources (server/workflow, workflow/util, server/utils).
 *
 * A workflow does nothing by itself: a test says what becomes of it, or its template does at each question about it (`plays`).
 */
export interface ArgoWorkflowsPeer {
  readonly url: string;
  readonly token: string;
  /** Workflows that were made, by name: how often, also after they were deleted. */
  readonly made: Map<string, number>;
  /** Each request, as `GET /api/v1/workflows/ci/NAME`, without its query. */
  readonly asked: string[];
  /** What did not fit the contract. */
  readonly problems: string[];
  /** The token is refused from now on, as one that has expired. */
  expired: boolean;
  /** Verbs that the token's role does not have. */
  forbidden: ReadonlySet<'create' | 'get' | 'patch'>;
  /** Too much is asked of it, or it is being restarted. */
  busy?: { status: 429 | 500 | 503; retryAfter?: string } | undefined;
  /** Whether it finds what was deleted: by itself (3.5 on), when its archive is asked, or not at all. */
  archive: 'BY_ITSELF' | 'WHEN_ASKED' | 'NONE';
  /** Called before each request is answered, and after it was done: it may end the answer by itself (true). */
  intercept?:
    | ((request: string, response: ServerResponse, done: boolean) => Promise<boolean | void> | boolean | void)
    | undefined;
  template(name: string, template?: PeerTemplate): void;
  /** The newest of its name; of all names when left out. */
  workflow(name?: string): PeerWorkflow;
  /** All that were ever there. */
  workflows(): readonly PeerWorkflow[];
  /** One that somebody else has made. */
  foreign(name: string): PeerWorkflow;
  close(): Promise<void>;
}

export interface PeerTemplate {
  clusterScope?: boolean;
  /** Parameters that have no default. */
  needs?: readonly string[];
  /** Called with a workflow of it whenever it is asked about. */
  plays?: (workflow: PeerWorkflow) => void;
}

interface Node {
  name: string;
  type: string;
  phase: string;
  message?: string;
}

type Answer = [number, object];

export class PeerWorkflow {
  readonly uid = randomUUID();
  phase = '';
  message = '';
  progress = '0/1';
  suspended = false;
  shutdown: string | undefined;
  /** How often its exit handlers were run: once at its end, unless it was terminated. */
  exitHandlers = 0;
  /** How often it was asked about. */
  looks = 0;
  deleted = false;
  outputs: Record<string, string> | undefined;
  readonly nodes: Node[] = [];

  constructor(
    readonly namespace: string,
    readonly name: string,
    readonly labels: Readonly<Record<string, string>>,
    readonly spec: object,
    readonly template?: PeerTemplate,
  ) {}

  get over(): boolean {
    return ['Succeeded', 'Failed', 'Error'].includes(this.phase);
  }

  runs(progress = '0/2'): this {
    return Object.assign(this, { phase: 'Running', progress });
  }

  /** At a node that a person resumes. */
  suspends(name: string): this {
    this.nodes.push({ name, type: 'Suspend', phase: 'Running', message: 'waits for the release manager' });
    return this.runs('1/2');
  }

  ends(
    phase: 'Succeeded' | 'Failed' | 'Error',
    message = '',
    more: { outputs?: Record<string, string>; nodes?: Node[] } = {},
  ): this {
    this.nodes.push({ name: this.name, type: 'DAG', phase, message }, ...(more.nodes ?? []));
    this.exitHandlers += 1;
    return Object.assign(this, { phase, message, progress: '2/2', outputs: more.outputs });
  }

  toJSON(): object {
    const { name, namespace, uid, labels, phase, message, progress, outputs, nodes } = this;
    return {
      metadata: { name, namespace, uid, labels, creationTimestamp: '2026-11-29T10:00:00Z' },
      spec: {
        ...this.spec,
        ...(this.suspended && { suspend: true }),
        ...(this.shutdown && { shutdown: this.shutdown }),
      },
      status: {
        ...(phase && { phase }),
        ...(message && { message }),
        ...(phase && { progress }),
        ...(nodes.length > 0 && {
          nodes: Object.fromEntries(
            nodes.map((node, index) => [
              `${name}-${index}`,
              {
                id: `${name}-${index}`,
                displayName: node.name,
                ...node,
                finishedAt: `2026-11-29T10:00:${10 + index}Z`,
              },
            ]),
          ),
        }),
        ...(outputs && {
          outputs: {
            parameters: Object.entries(outputs).map(([each, value]) => ({ name: each, value, globalName: each })),
          },
        }),
      },
    };
  }
}

export async function startArgoWorkflows(): Promise<ArgoWorkflowsPeer> {
  const contract = new Contract(readContract('argo-workflows.json'));
  const templates = new Map<string, PeerTemplate>();
  const all: PeerWorkflow[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      peer.problems.push(String(error));
      response.destroy();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', peer.url);
    const line = `${request.method} ${url.pathname}`;
    peer.asked.push(line);
    if ((await peer.intercept?.(line, response, false)) === true) return;
    const operation = operationOf(line);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
    peer.problems.push(...contract.request(operation, url.searchParams, body));
    const [status, answered] = peer.busy
      ? refusal(peer.busy.status, peer.busy.status === 429 ? 8 : 14, 'try again later')
      : route(line, url.searchParams, body, request);
    peer.problems.push(...contract.answer(operation, status, answered));
    if ((await peer.intercept?.(line, response, true)) === true) return;
    const { retryAfter } = peer.busy ?? {};
    const headers = { 'content-type': 'application/json', ...(retryAfter && { 'retry-after': retryAfter }) };
    response.writeHead(status, headers).end(JSON.stringify(answered));
  }

  function route(
    line: string,
    query: URLSearchParams,
    body: Record<string, unknown> = {},
    request: IncomingMessage,
  ): Answer {
    if (request.headers.authorization !== `Bearer ${peer.token}` || peer.expired)
      return refusal(401, 16, 'token not valid. see https://argo-workflows.readthedocs.io/en/latest/faq/');
    const [, archived] = /^GET \/api\/v1\/archived-workflows\/(.+)$/.exec(line) ?? [];
    if (archived !== undefined) {
      if (peer.archive === 'NONE') return refusal(501, 12, 'getting archived workflows not supported');
      const found = all.find(({ uid }) => uid === archived);
      return found ? [200, found.toJSON()] : refusal(404, 5, 'not found');
    }
    const [, namespace = '', name = '', stops] = /\/workflows\/([^/]+)\/([^/]+)(\/stop)?$/.exec(line) ?? [];
    const verb = request.method === 'POST' ? 'create' : stops ? 'patch' : 'get';
    if (peer.forbidden.has(verb))
      return refusal(403, 7, `workflows.argoproj.io is forbidden: User "sluice" cannot ${verb} resource "workflows"`);
    if (verb === 'create') return submit(namespace, body);
    const living = all.find((each) => each.name === name && each.namespace === namespace && !each.deleted);
    const kept = all.findLast((each) => each.name === name && each.namespace === namespace);
    const found = living ?? (peer.archive === 'BY_ITSELF' ? kept : undefined);
    if (found === undefined) return refusal(404, 5, `workflows.argoproj.io "${name}" not found`);
    if (stops) {
      if (found.over)
        return refusal(500, 13, `cannot shutdown a completed workflow: workflow: "${name}", namespace: "${namespace}"`);
      found.shutdown = 'Stop';
      found.ends('Failed', "Stopped with strategy 'Stop'");
      return [200, found.toJSON()];
    }
    found.looks += 1;
    found.template?.plays?.(found);
    return [200, fieldsOf(found.toJSON(), query.get('fields'))];
  }

  function submit(namespace: string, body: Record<string, unknown>): Answer {
    const { resourceKind, resourceName, submitOptions } = body as unknown as Submitted;
    const clusterScope = resourceKind === 'ClusterWorkflowTemplate';
    const template = templates.get(`${resourceKind}/${resourceName}`);
    const kind = clusterScope ? 'clusterworkflowtemplates' : 'workflowtemplates';
    if (!template) return refusal(404, 5, `${kind}.argoproj.io "${resourceName}" not found`);
    const given = (submitOptions.parameters ?? []).map((each) => each.slice(0, each.indexOf('=')));
    const missing = template.needs?.find((each) => !given.includes(each));
    if (missing !== undefined)
      return refusal(400, 3, `spec.arguments.${missing}.value or spec.arguments.${missing}.valueFrom is required`);
    const { name = `${resourceName}-x7k2p`, labels = '' } = submitOptions;
    if (all.some((each) => each.name === name && each.namespace === namespace && !each.deleted))
      return refusal(409, 6, `workflows.argoproj.io "${name}" already exists`);
    const parameters = (submitOptions.parameters ?? []).map((each) => {
      const at = each.indexOf('=');
      return { name: each.slice(0, at), value: each.slice(at + 1) };
    });
    const spec = {
      workflowTemplateRef: { name: resourceName, ...(clusterScope && { clusterScope }) },
      arguments: { parameters },
      ...(submitOptions.entryPoint && { entrypoint: submitOptions.entryPoint }),
      ...(submitOptions.serviceAccount && { serviceAccountName: submitOptions.serviceAccount }),
    };
    const pairs = labels.split(',').map((each) => each.split('=') as [string, string]);
    const made = new PeerWorkflow(namespace, name, Object.fromEntries(pairs), spec, template);
    all.push(made);
    peer.made.set(name, (peer.made.get(name) ?? 0) + 1);
    return [200, made.toJSON()];
  }

  const peer: ArgoWorkflowsPeer = {
    url: '',
    token: 'argo-workflows-token-of-a-test',
    made: new Map(),
    asked: [],
    problems: [],
    expired: false,
    forbidden: new Set(),
    archive: 'NONE',
    template: (name, template = {}) =>
      void templates.set(`${template.clusterScope ? 'Cluster' : ''}WorkflowTemplate/${name}`, template),
    workflow(name) {
      const found = all.findLast((each) => name === undefined || each.name === name);
      if (!found) throw new Error('no workflow was submitted');
      return found;
    },
    workflows: () => all,
    foreign(name) {
      const made = new PeerWorkflow('ci', name, { 'app.kubernetes.io/managed-by': 'somebody' }, {});
      all.push(made);
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

interface Submitted {
  resourceKind: string;
  resourceName: string;
  submitOptions: {
    name?: string;
    labels?: string;
    parameters?: string[];
    entryPoint?: string;
    serviceAccount?: string;
  };
}

function operationOf(line: string): string {
  if (line.startsWith('GET /api/v1/archived-workflows/')) return 'GET /api/v1/archived-workflows/{uid}';
  if (line.endsWith('/submit')) return 'POST /api/v1/workflows/{namespace}/submit';
  return `${line.split(' ')[0]} /api/v1/workflows/{namespace}/{name}${line.endsWith('/stop') ? '/stop' : ''}`;
}

/** The parts that were asked for, as `status.phase,metadata.name`. */
function fieldsOf(whole: object, asked: string | null): object {
  if (asked === null) return whole;
  const wanted = asked.split(',').map((each) => each.split('.'));
  const cut = (value: object, path: string[]): object =>
    Object.fromEntries(
      Object.entries(value).flatMap(([key, each]): [string, unknown][] => {
        const here = [...path, key];
        if (wanted.some((want) => want.join('.') === here.join('.'))) return [[key, each]];
        const below = wanted.some((want) => want.length > here.length && here.every((part, at) => part === want[at]));
        return below ? [[key, cut(each as object, here)]] : [];
      }),
    );
  return cut(whole, []);
}

const refusal = (status: number, code: number, message: string): Answer => [status, { error: message, code, message }];
