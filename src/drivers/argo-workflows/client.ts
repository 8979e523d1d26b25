import { foreign } from '../../foreign/index.ts';
import type { ArgoQuestion, ArgoServer } from '../argo-server.ts';
import { ArgoRefusal, ArgoTooLong, askArgo } from '../argo-server.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type { ArgoWorkflow } from './read.ts';

/** Milliseconds for one answer. */
const WITHIN = 15_000;

/** What decides of a workflow; its nodes, which say where it waits and why it failed, may be megabytes. */
const FIELDS = ['metadata.name', 'metadata.uid', 'metadata.labels', 'spec.suspend']
  .concat(['phase', 'message', 'progress', 'outputs'].map((each) => `status.${each}`))
  .join();

/** What is submitted. */
export interface Submission {
  name: string;
  template: string;
  clusterScope: boolean;
  entrypoint?: string;
  serviceAccount?: string;
  parameters: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
}

/**
 * The workflows of one namespace, as the REST API of the Argo server has them.
 * https://argo-workflows.readthedocs.io/en/latest/swagger/. Each call @throws ArgoRefusal
 */
export class ArgoWorkflows {
  readonly #server: ArgoServer;
  readonly #namespace: string;

  constructor(server: Omit<ArgoServer, 'called'>, namespace: string) {
    this.#server = { ...server, called: 'Argo Workflows' };
    this.#namespace = namespace;
  }

  /** Makes a workflow of its template. A refusal of status 409: there is one of that name. */
  async submit(submission: Submission): Promise<ArgoWorkflow> {
    const { name, template, clusterScope, entrypoint, serviceAccount, parameters, labels } = submission;
    const pairs = (of: Readonly<Record<string, string>>): string[] =>
      Object.entries(of).map(([key, value]) => `${key}=${value}`);
    const body = {
      namespace: this.#namespace,
      resourceKind: clusterScope ? 'ClusterWorkflowTemplate' : 'WorkflowTemplate',
      resourceName: template,
      submitOptions: {
        name,
        labels: pairs(labels).join(),
        ...(Object.keys(parameters).length > 0 && { parameters: pairs(parameters) }),
        ...(entrypoint !== undefined && { entryPoint: entrypoint }),
        ...(serviceAccount !== undefined && { serviceAccount }),
      },
    };
    return this.#read({ method: 'POST', path: `${this.#path}/submit`, body, within: WITHIN });
  }

  /**
   * Undefined: there is none of that name, or it was deleted. Servers from 3.5 on look into their archive by themselves; others are
   * asked for it where the `uid` is known.
   */
  async find(name: string, uid?: string): Promise<ArgoWorkflow | undefined> {
    const path = `${this.#path}/${encodeURIComponent(name)}`;
    const ask = (fields: string): Promise<ArgoWorkflow> =>
      this.#read({ method: 'GET', path, query: { fields }, within: WITHIN });
    try {
      const found = await ask(`${FIELDS},status.nodes`).catch((error: unknown) => {
        if (error instanceof ArgoTooLong) return ask(FIELDS);
        throw error;
      });
      // Another one took its name after it was deleted.
      if (uid === undefined || found.uid === uid) return found;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return uid === undefined ? undefined : this.#archived(name, uid);
  }

  /** Starts nothing more of it, and runs its exit handlers. One that is over stays as it is, and is refused. */
  async stop(name: string, message: string): Promise<void> {
    const body = { namespace: this.#namespace, name, message };
    await this.#ask({ method: 'PUT', path: `${this.#path}/${encodeURIComponent(name)}/stop`, body, within: WITHIN });
  }

  async #archived(name: string, uid: string): Promise<ArgoWorkflow | undefined> {
    const query = { namespace: this.#namespace, name };
    const path = `/api/v1/archived-workflows/${encodeURIComponent(uid)}`;
    try {
      return await this.#read({ method: 'GET', path, query, within: WITHIN });
    } catch (error) {
      // Without an archive the server has no such question, or does not answer it.
      if (error instanceof ArgoRefusal && (isNotFound(error) || error.status === 501)) return undefined;
      throw error;
    }
  }

  get #path(): string {
    return `/api/v1/workflows/${encodeURIComponent(this.#namespace)}`;
  }

  #ask(question: ArgoQuestion): Promise<string> {
    return askArgo(this.#server, question);
  }

  async #read(question: ArgoQuestion): Promise<ArgoWorkflow> {
    const text = await this.#ask(question);
    const { product: caller, signal, called } = this.#server;
    const read = foreign.ask('argoWorkflow', { text }, { caller, what: `the answer of ${called}`, signal });
    return read.catch((error: unknown) => {
      signal.throwIfAborted();
      // A login page of a proxy is an answer of today.
      if (error instanceof PermanentError || error instanceof TransientError) throw new ArgoRefusal(0, error.message);
      throw error;
    });
  }
}

const isNotFound = (error: unknown): boolean => error instanceof ArgoRefusal && error.status === 404;
