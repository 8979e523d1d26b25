import { foreign } from '../../foreign/index.ts';
import type { ArgoCdSpec } from '../../core/definitions.ts';
import { secretsIn } from '../../core/secrets.ts';
import { interpolate } from '../actions/interpolate.ts';
import type { SecretSource } from '../secret-source.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type { HttpClient } from '../http.ts';
import { openUrl } from '../http.ts';
import { ArgoRefusal, askArgo } from '../argo-server.ts';
import { checkSending, openReferenced, valuesOf } from '../secret-references.ts';
import type { ArgoApplication, ArgoResource, ArgoWindows } from './read.ts';
import { doneBy } from '../../core/done-by.ts';

const DEFAULT_TIMEOUT = 10_000;
/** A refresh compares the application anew before it is answered; with a large repository that takes its time. */
const REFRESH_TIMEOUT = 30_000;

/** Who asks, and until when. */
export interface ArgoCdCaller {
  product: string;
  signal: AbortSignal;
  /** For one answer, in milliseconds. */
  timeout?: number;
}

/** What a sync of the change is asked for with. */
export interface SyncRequest {
  /** Of the source at `position`, counted from 0; the head of what Argo CD tracks where absent. */
  revision?: string;
  /** Absent where the application has one source. */
  position?: number;
  key: string;
  keyName: string;
}

/** One Argo CD application, as one look sees it. Each call @throws ArgoRefusal; PermanentError when its token is refused. */
export interface ArgoCd {
  /** `refresh`: compared with git anew before it is answered. */
  application(refresh?: boolean): Promise<ArgoApplication>;
  tree(): Promise<ArgoResource[]>;
  windows(): Promise<ArgoWindows>;
  sync(request: SyncRequest): Promise<void>;
}

/** @throws PermanentError when the token's secret is not there, or may not be sent to the server. */
export async function openArgoCd(
  spec: ArgoCdSpec,
  { product, signal, timeout = spec.timeout ?? DEFAULT_TIMEOUT }: ArgoCdCaller,
  http: HttpClient,
  secrets: SecretSource,
): Promise<ArgoCd> {
  const { url: server } = openUrl(spec.server);
  const opened = await openReferenced(spec.token, secrets);
  checkSending(opened, server, product);
  const token = interpolate(spec.token, valuesOf(opened)).trim();
  const application = encodeURIComponent(spec.application);
  const what = `the answer of Argo CD about ${spec.application}`;

  const at = { called: 'Argo CD', address: server, token, product, signal, http };

  async function ask(path: string, query: Record<string, string>, body?: object, within = timeout): Promise<string> {
    const asked = { path: `/api/v1/applications/${application}${path}`, query, within };
    try {
      return await askArgo(at, { method: body ? 'POST' : 'GET', ...asked, ...(body && { body }) });
    } catch (error) {
      throw error instanceof ArgoRefusal ? explained(error) : error;
    }
  }

  function explained(refusal: ArgoRefusal): Error {
    const { status, said } = refusal;
    const why = said === '' ? '' : `: ${said}`;
    if (status === 401) {
      const [name] = secretsIn(spec.token);
      return new PermanentError(
        `Argo CD at ${server.host} does not accept the token in secret "${name}"${why}. It may have expired: make a new one and set it with ${doneBy('secretSet', `secret set ${name}`)}`,
      );
    }
    if (status === 404 || (status === 403 && !/sync window/i.test(said)))
      return new ArgoRefusal(
        status,
        `Argo CD at ${server.host} has no application "${spec.application}" in project "${spec.project}", or the token may not see it (${status}${why}): it needs \`applications, get\` and, to ask for syncs, \`applications, sync\` on ${spec.project}/${spec.application}`,
        refusal,
      );
    return refusal;
  }

  const reading = { caller: product, what, signal };
  // A login page of a proxy is an answer of today.
  const unreadable = (error: unknown): never => {
    signal.throwIfAborted();
    if (error instanceof PermanentError || error instanceof TransientError) throw new ArgoRefusal(0, error.message);
    throw error;
  };
  // Without its project a missing application is answered as one that is forbidden.
  const named = { project: spec.project, ...(spec.namespace !== undefined && { appNamespace: spec.namespace }) };
  return {
    async application(refresh = false) {
      const query = { ...named, ...(refresh && { refresh: 'normal' }) };
      const text = await ask('', query, undefined, refresh ? Math.max(timeout, REFRESH_TIMEOUT) : timeout);
      return foreign.ask('argoApplication', { text }, reading).catch(unreadable);
    },
    async tree() {
      const text = await ask('/resource-tree', named);
      return foreign.ask('argoTree', { text }, reading).catch(unreadable);
    },
    async windows() {
      const text = await ask('/syncwindows', named);
      return foreign.ask('argoWindows', { text }, reading).catch(unreadable);
    },
    async sync({ revision, position, key, keyName }) {
      const which =
        revision === undefined
          ? {}
          : position === undefined
            ? { revision }
            : // Argo CD counts sources from 1.
              { revisions: [revision], sourcePositions: [String(position + 1)] };
      const infos = [{ name: keyName, value: key }];
      await ask('/sync', {}, { name: spec.application, ...named, ...which, prune: spec.prune, infos });
    },
  };
}
