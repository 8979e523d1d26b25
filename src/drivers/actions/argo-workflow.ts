import { createHash } from 'node:crypto';
import { doneBy } from '../../core/done-by.ts';
import { spell } from '../../core/duration.ts';
import type { Progress } from '../../core/release.ts';
import { ArgoWorkflows } from '../argo-workflows/client.ts';
import { KEY_LABEL } from '../argo-workflows/read.ts';
import type { ArgoNode, ArgoWorkflow } from '../argo-workflows/read.ts';
import { ArgoRefusal } from '../argo-server.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { openUrl } from '../http.ts';
import { checkSending } from '../secret-references.ts';
import type { ActionAnswer } from './answer.ts';
import type { At, Ending } from './at.ts';
import type { ParametersOf } from './parameters.ts';

type Parameters = ParametersOf<'argoWorkflow'>;

/** How long a submission that was begun may take to arrive, in milliseconds. */
const ARRIVES_WITHIN = 60_000;

/** What is kept from one look to the next. */
interface Kept {
  /** Counts the workflows of this attempt, from 1: one that ended as Error is not the one that is followed next. */
  run: number;
  /** Known once it was seen: then it is there, or was deleted. */
  uid?: string;
  /** Where it was submitted, whatever the parameters come to later. */
  server?: string;
  namespace?: string;
  /** What the log said last. */
  said?: string;
}

const keptIn = (progress: Progress | null): Kept => ({ run: 1, ...(progress as Partial<Kept> | null) });
const keep = (kept: Kept): Progress => ({ ...kept });

/** One workflow of Argo that is this action's, by the name that follows from its key. */
interface Own {
  argo: ArgoWorkflows;
  name: string;
  /** The value of its label. */
  key: string;
  /** For messages: `workflow ci/sluice-…`. */
  called: string;
}

/**
 * Submits a workflow under a name that follows from the action's key, and looks at it until it is over. A worker that takes over finds it by
 * its name, and its label says whose it is: the same key submits it once. A workflow that ended as Error (its pods could not be run) is
 * tried again under another name, one that Failed has said no.
 */
export async function lookAtArgoWorkflow(
  parameters: Parameters,
  at: Pick<At, 'context' | 'http' | 'opened' | 'look' | 'log' | 'lastTry'>,
): Promise<ActionAnswer> {
  const kept = keptIn(at.look.progress);
  const own = ownOf({ ...parameters, ...whereOf(kept, parameters) }, kept, at);
  return kept.uid === undefined ? begin(parameters, own, kept, at) : follow(parameters, own, kept, at);
}

type Looking = Pick<At, 'context' | 'opened' | 'look' | 'log' | 'lastTry'>;

function ownOf(
  { server, namespace, token }: Pick<Parameters, 'server' | 'namespace' | 'token'>,
  { run }: Kept,
  { context, http, opened }: Pick<At, 'context' | 'http' | 'opened'>,
): Own {
  const address = addressOf(server);
  checkSending(opened, address, context.product);
  const { product, signal, key } = context;
  // A header takes no line break, which the end of a file leaves behind.
  const argo = new ArgoWorkflows({ address, token: token?.trim(), product, signal, http }, namespace);
  const digest = createHash('sha256').update(key).digest('hex');
  const name = `sluice-${digest.slice(0, 20)}${run === 1 ? '' : `-${run}`}`;
  return { argo, name, key: digest.slice(0, 40), called: `workflow ${namespace}/${name}` };
}

function addressOf(server: string): URL {
  try {
    return openUrl(server).url;
  } catch {
    throw new PermanentError('the address of the Argo server is no http or https URL');
  }
}

const whereOf = ({ server, namespace }: Kept, given: Pick<Parameters, 'server' | 'namespace'>) => ({
  server: server ?? given.server,
  namespace: namespace ?? given.namespace,
});

/** Nothing of it was recorded: it is looked for, since a worker that is gone may have submitted it, and submitted where it is not there. */
async function begin(parameters: Parameters, own: Own, kept: Kept, at: Looking): Promise<ActionAnswer> {
  const { argo, called, key, name } = own;
  const { context, log } = at;
  try {
    const there = await argo.find(name);
    if (there) return await adopt(parameters, own, kept, at, there);
    if (context.stillMine && !(await context.stillMine()))
      throw new TransientError('it is not this run of its job that does it');
    const { template, clusterScope, entrypoint, serviceAccount, parameters: given = {} } = parameters;
    const labels = { [KEY_LABEL]: key, 'sluice.dev/release': context.releaseId };
    const about = { template, clusterScope, entrypoint, serviceAccount, parameters: given, labels };
    const { uid } = await argo.submit({ name, ...about });
    log.say(`submitted ${called} of template ${template}: ${linkTo(parameters, own)}`);
    // The errand that stops it may have looked before it was there.
    if (await context.givenUp?.()) {
      await argo.stop(name, 'given up while it was submitted');
      throw new TransientError(`${called} was given up while it was submitted: it is stopped again`);
    }
    return waits(parameters, `${called} is submitted: ${linkTo(parameters, own)}`, seen(parameters, kept, uid));
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ArgoRefusal)) throw error;
    if (error.status === 409) {
      const there = await argo.find(name).catch(() => undefined);
      if (there) return adopt(parameters, own, kept, at, there);
    }
    const refused = [400, 401, 403, 404, 405, 412, 422].includes(error.status);
    if (!refused) throw new TransientError(`${called} could not be submitted: ${error.message}`, error);
    // What its worker is refused now, one before it would have been refused as well: nothing was begun.
    return { kind: 'failed', message: `was not submitted: ${explained(error, parameters, at)}`, over: true };
  }
}

/** It is there already. Another action's, or a person's, is left alone. */
async function adopt(
  parameters: Parameters,
  own: Own,
  kept: Kept,
  at: Looking,
  there: ArgoWorkflow,
): Promise<ActionAnswer> {
  if (there.key !== own.key) {
    const its = there.key === '' ? 'has no such label' : `has "${there.key}"`;
    const message = `was not submitted: ${own.called} is there already, and is not of this action: its label ${KEY_LABEL} is to be "${own.key}", and it ${its}. Delete it, or retry the promotion, which takes another name`;
    return { kind: 'failed', message, over: true };
  }
  at.log.say(`found ${own.called}, which was submitted before: ${linkTo(parameters, own)}`);
  return judge(parameters, own, seen(parameters, kept, there.uid), at, there);
}

const seen = ({ server, namespace }: Parameters, kept: Kept, uid: string): Kept => ({
  ...kept,
  uid,
  server,
  namespace,
});

async function follow(parameters: Parameters, own: Own, kept: Kept, at: Looking): Promise<ActionAnswer> {
  const { called, argo, name } = own;
  try {
    const there = await argo.find(name, kept.uid);
    if (there) return judge(parameters, own, kept, at, there);
    const message = `does not know how ${called} ended: it was deleted before that was seen. Its template can keep it for longer (\`ttlStrategy\`), or the server can archive it`;
    return { kind: 'failed', message, unclear: true, over: true };
  } catch (error) {
    at.context.signal.throwIfAborted();
    if (!(error instanceof ArgoRefusal)) throw error;
    // It goes on without being looked at: that is no failure of it.
    const reason = `it is not known how ${called} is: ${explained(error, parameters, at)}`;
    return waits(parameters, reason, saying(at, kept, reason), { retryAfter: error.retryAfter });
  }
}

function judge(parameters: Parameters, own: Own, kept: Kept, at: Looking, there: ArgoWorkflow): ActionAnswer {
  const { called } = own;
  const link = linkTo(parameters, own);
  const { phase, message, progress, suspended, failed } = there;
  switch (phase) {
    case 'Succeeded':
      at.log.say(`${called} is Succeeded${progress && ` (${progress})`}`);
      return {
        kind: 'succeeded',
        outputs: { ...outputsOf(parameters, own, there), WORKFLOW: own.name, WORKFLOW_URL: link },
      };
    case 'Failed':
    case 'Error': {
      const nodes = failed.filter((node) => node.message !== message).map(described);
      const why = [message, ...nodes].filter((each) => each !== '').join('; ');
      const ended = `ended ${called} as ${phase}${why && `: ${why}`}. See ${link}`;
      if (phase === 'Failed' || at.context.tries >= at.lastTry) return { kind: 'failed', message: ended, over: true };
      const again: Kept = { run: kept.run + 1 };
      at.log.say(`${called} ended as ${phase}${why && `: ${why}`}; another one is submitted`);
      return { kind: 'transient', message: ended, progress: keep(again) };
    }
    default: {
      const stands = phase === '' || phase === 'Pending' ? 'has not begun yet' : 'runs';
      const reason = suspended
        ? `${called} is suspended${suspended.name && ` at ${described(suspended)}`}: a person resumes it there: ${link}`
        : `${called} ${stands}${message && `: ${message}`}: ${link}`;
      // How far it is goes to the log alone: a reason that changes with each node would be an event each time.
      const said = suspended
        ? reason
        : `${called} ${stands}${progress && ` (${progress})`}${message && `: ${message}`}`;
      return waits(parameters, reason, saying(at, kept, said), suspended && { waitsFor: 'PERSON' });
    }
  }
}

const described = ({ name, message }: ArgoNode): string => `${name}${message && `: ${message}`}`;

/** A look that finds what the look before it found says nothing. */
function saying({ log }: Looking, kept: Kept, line: string): Kept {
  // Of a long line its beginning tells it from others.
  const said = line.slice(0, 1_000);
  if (said !== kept.said) log.say(line);
  return { ...kept, said };
}

function waits(
  { interval }: Parameters,
  reason: string,
  kept: Kept,
  { retryAfter = 0, waitsFor }: { retryAfter?: number | undefined; waitsFor?: 'PERSON' } = {},
): ActionAnswer {
  const recheckAfter = Math.max(interval, retryAfter);
  return { kind: 'pending', reason, recheckAfter, progress: keep(kept), ...(waitsFor && { waitsFor }) };
}

function outputsOf({ outputs = {} }: Parameters, { called }: Own, there: ArgoWorkflow): Record<string, string> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, from]) => {
      if (Object.hasOwn(there.outputs, from)) return [name, there.outputs[from]!];
      const has = Object.keys(there.outputs).join(', ') || 'none';
      throw new PermanentError(
        `output "${name}": ${called} has no output parameter "${from}"; it has ${has}. Only those with a \`globalName\`, or of its entrypoint, are the workflow's own`,
      );
    }),
  );
}

function linkTo({ server, namespace, ui = server }: Parameters, { name }: Own): string {
  const { origin, pathname } = addressOf(ui);
  return `${origin}${pathname.replace(/\/$/, '')}/workflows/${encodeURIComponent(namespace)}/${name}`;
}

/** With what can be done about it. */
function explained({ status, message }: ArgoRefusal, { namespace }: Parameters, { opened }: Looking): string {
  const [secret] = opened.keys();
  if (status === 401 && secret !== undefined)
    return `${message}. The token in secret "${secret}" may have expired: make a new one and set it with ${doneBy('secretSet', `secret set ${secret}`)}`;
  if (status === 401 || status === 403)
    return `${message}. The token needs \`get\`, \`create\` and \`patch\` on workflows, and \`get\` on workflowtemplates, in namespace "${namespace}"`;
  return message;
}

/**
 * Stops the workflow that the action has begun, or may have begun: nothing more of it starts, and its exit handlers run. One that is over, and
 * one that is not this action's, stays as it is. Done twice it is done once.
 * @throws where it is to be tried again
 */
export async function stopArgoWorkflow(
  given: Pick<Parameters, 'server' | 'namespace' | 'token'>,
  { context, http, opened }: Pick<At, 'context' | 'http' | 'opened'>,
  { progress, reason, since, now }: Ending,
): Promise<void> {
  const kept = keptIn(progress);
  const own = ownOf({ token: given.token, ...whereOf(kept, given) }, kept, { context, http, opened });
  const there = await own.argo.find(own.name, kept.uid);
  if (there === undefined) {
    const gone = kept.uid !== undefined || now - since > ARRIVES_WITHIN;
    if (gone) return;
    const until = spell(ARRIVES_WITHIN);
    throw new TransientError(
      `${own.called} is not there: it is looked for during ${until}, since its submission may be on its way`,
    );
  }
  if (there.key !== own.key || ['Succeeded', 'Failed', 'Error'].includes(there.phase)) return;
  await own.argo.stop(own.name, `Sluice: ${reason}`.slice(0, 1_000));
}
