import type { ArgoCdSpec, HealthSourceSpec } from '../../core/definitions.ts';
import { ArgoRefusal } from '../argo-server.ts';
import { openArgoCd } from '../argocd/client.ts';
import type { ArgoCd } from '../argocd/client.ts';
import type { ArgoApplication, ArgoResource } from '../argocd/read.ts';
import type { SecretSource } from '../secret-source.ts';
import type { HealthAnswer, HealthContext } from './source.ts';
import type { HttpClient } from '../http.ts';

const DEFAULT_INTERVAL = 5_000;
/** Right after a change, resources are on their way; later they are gone. Milliseconds. */
const MISSING_LIMIT = 5 * 60_000;

/**
 * How Argo CD finds the application.
 *
 * Right after a sync its health may still be that of before: it counts only when the application was compared at or after the end of the
 * last operation. A Healthy application is not taken at its word where it has Rollouts: each of them is looked at in the resource
 * tree. One that is paused waits for a person, one that was aborted is DEGRADED although everything is Synced.
 */
export async function checkArgoCd(
  { interval, timeout }: Extract<HealthSourceSpec, { type: 'argocd' }>,
  context: HealthContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<HealthAnswer> {
  const recheckAfter = interval ?? DEFAULT_INTERVAL;
  const spec = context.argoCd;
  if (spec === undefined)
    return { status: 'UNKNOWN', message: 'its sync names no Argo CD application any more', recheckAfter };
  try {
    const argoCd = await openArgoCd(spec, { ...context, timeout }, http, secrets);
    return { recheckAfter, ...(await look(argoCd, spec, context)) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ArgoRefusal)) throw error;
    const { message, retryAfter = 0 } = error;
    return { status: 'UNKNOWN', message, recheckAfter: Math.max(recheckAfter, retryAfter) };
  }
}

async function look(argoCd: ArgoCd, spec: ArgoCdSpec, context: HealthContext): Promise<HealthAnswer> {
  const name = `Argo CD application ${spec.application}`;
  let seen = await argoCd.application();
  if (isOld(seen)) seen = await argoCd.application(true);
  if (seen.asked || seen.operation?.phase === 'Running' || seen.operation?.phase === 'Terminating')
    return { status: 'PROGRESSING', message: `${name} is syncing` };
  if (isOld(seen)) return { status: 'PROGRESSING', message: `${name} was not looked at since its last sync` };
  if (seen.errors.length > 0) return { status: 'UNKNOWN', message: `${name} has ${seen.errors.join('; ')}` };
  const { status, message } = seen.health;
  const said = `${name} is ${status || 'Unknown'}${message && `: ${message}`}`;
  switch (status) {
    case 'Healthy':
    case 'Suspended':
    case 'Degraded':
    case 'Progressing':
      return judge(said, status, await argoCd.tree(), spec);
    case 'Missing':
      return context.now.getTime() < context.since.getTime() + MISSING_LIMIT
        ? { status: 'PROGRESSING', message: said }
        : { status: 'DEGRADED', message: `${said}, for longer than ${MISSING_LIMIT / 60_000} min after its change` };
    default:
      return { status: 'UNKNOWN', message: said };
  }
}

/** The worst of what the application and its Rollouts say, with the resources that explain it. */
function judge(said: string, status: string, tree: ArgoResource[], spec: ArgoCdSpec): HealthAnswer {
  const rollouts = tree.filter(({ kind }) => kind === 'Rollout');
  const inState = (health: string, among = tree): ArgoResource[] => among.filter((each) => each.health === health);
  const told = (some: ArgoResource[]): string => [said, ...some.slice(0, MOST_TOLD).map(describe)].join('; ');
  if (status === 'Degraded' || inState('Degraded', rollouts).length > 0)
    return { status: 'DEGRADED', message: told(inState('Degraded')) };
  const paused = inState('Suspended');
  if (status === 'Suspended' || inState('Suspended', rollouts).length > 0)
    return { status: 'PROGRESSING', message: `${told(paused)}. ${whoGoesOn(paused, spec)}`, waitsFor: 'PERSON' };
  const moving = rollouts.filter(({ health }) => health !== 'Healthy');
  if (status === 'Progressing' || moving.length > 0)
    return { status: 'PROGRESSING', message: told(moving.length > 0 ? moving : inState('Progressing')) };
  return { status: 'HEALTHY', message: said };
}

const MOST_TOLD = 3;

const describe = ({ kind, namespace, name, health, message }: ArgoResource): string =>
  `${kind} ${namespace === '' ? '' : `${namespace}/`}${name} is ${health || 'not judged yet'}${message && `: ${message}`}`;

/** Who can let a paused resource go on. */
function whoGoesOn(paused: ArgoResource[], { project, application, server }: ArgoCdSpec): string {
  const rollout = paused.find(({ kind }) => kind === 'Rollout');
  if (rollout === undefined) return `A person resumes it, in Argo CD at ${server}`;
  const { name, namespace } = rollout;
  const may = `\`action/argoproj.io/Rollout/resume\` on ${project}/${application}`;
  return `A person promotes it: in Argo CD at ${server} (permission ${may}), or by \`kubectl argo rollouts promote ${name} -n ${namespace}\``;
}

/** Its health was judged before its last sync had ended. */
function isOld({ operation, reconciledAt }: ArgoApplication): boolean {
  if (operation?.finishedAt === undefined) return false;
  return reconciledAt === undefined || Date.parse(reconciledAt) < Date.parse(operation.finishedAt);
}
