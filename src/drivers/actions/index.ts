import { systemClock } from '../../clock.ts';
import { DEFAULT_RETRY } from '../../core/definitions.ts';
import type { WorkflowAction } from '../../core/definitions.ts';
import { ACTIONS, MANNERS } from '../../core/kinds/actions.ts';
import type { ActionType } from '../../core/kinds/actions.ts';
import type { ObjectShape } from '../../core/kinds/shape.ts';
import type { EffectContext } from '../driver.ts';
import type { SecretSource } from '../secret-source.ts';
import type { HttpClient } from '../http.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { lookAtAnalysis } from './analysis.ts';
import type { ActionAnswer, ActionLook } from './answer.ts';
import { lookAtArgoWorkflow, stopArgoWorkflow } from './argo-workflow.ts';
import type { At, CommandSettings, Ending } from './at.ts';
import { lookAtApproval } from './approval.ts';
import { runCommand } from './command.ts';
import { runHttp } from './http.ts';
import { openReferenced, valuesOf } from '../secret-references.ts';
import { interpolate } from './interpolate.ts';
import { NO_LOG } from './log.ts';
import type { ActionLog } from './log.ts';
import { checkOutputs } from './outputs.ts';
import { quoteMarkup, runNotify } from './notify.ts';
import { readParameters } from './parameters.ts';
import type { ParametersOf } from './parameters.ts';
import { runSimulate } from './simulate.ts';
import { lookAtWait } from './wait.ts';

type Run<T extends ActionType> = (parameters: ParametersOf<T>, at: At) => ActionAnswer | Promise<ActionAnswer>;

/** Every type of action has one: a new type does not compile without it. */
const RUN: { readonly [T in ActionType]: Run<T> } = {
  http: async (parameters, at) => done(await runHttp(parameters, at)),
  simulate: async (parameters, at) => done(await runSimulate(parameters, at)),
  wait: (parameters, { look, log }) => lookAtWait(parameters, look, log),
  approval: (parameters, { look, log }) => lookAtApproval(parameters, look, log),
  analysis: (parameters, at) => lookAtAnalysis(parameters, at),
  command: (parameters, at) => runCommand(parameters, at),
  notify: async (parameters, at) => done(await runNotify(parameters, at.context, at)),
  argoWorkflow: (parameters, at) => lookAtArgoWorkflow(parameters, at),
};

/** How what an action of this type began is ended, and by which of its parameters: others may hold what is not known any more. */
interface End {
  needs: readonly string[];
  run(parameters: never, at: Pick<At, 'context' | 'http' | 'opened'>, ending: Ending): Promise<void>;
}

/** Every type that outlives its action has one. */
export const END: { readonly [T in ActionType]?: End } = {
  argoWorkflow: { needs: ['server', 'namespace', 'token'], run: stopArgoWorkflow },
};

const done = (outputs: Record<string, string>): ActionAnswer => ({ kind: 'succeeded', outputs });

/** A worker whose settings list no program. */
const NO_COMMANDS: CommandSettings = { programs: [], begin: () => Promise.resolve(false) };

/**
 * One look at one action, with `${NAME}` in its parameters replaced: it does what it is for, or says what it waits for.
 * @throws PermanentError or TransientError, naming the action; the signal's reason when it was aborted.
 */
export async function runAction(
  action: WorkflowAction,
  parameters: Record<string, string>,
  context: EffectContext,
  http: HttpClient,
  secrets: SecretSource,
  look: ActionLook,
  { commands = NO_COMMANDS, log = NO_LOG }: { commands?: CommandSettings; log?: ActionLog } = {},
): Promise<ActionAnswer> {
  context.signal.throwIfAborted();
  // A simulated action may take as long as it says; only its own timeout cuts it.
  const { look: usual, waits } = MANNERS[action.type];
  const timeout = waits ? usual : (action.timeout ?? usual);
  const deadline = timeout === undefined ? undefined : systemClock.limit('action', timeout);
  const signal = deadline ? AbortSignal.any([context.signal, deadline]) : context.signal;
  try {
    const opened = await openReferenced(action.parameters, secrets);
    const given = action.type === 'notify' ? quoted(parameters) : parameters;
    const filled = interpolate(action.parameters, { ...given, ...valuesOf(opened) });
    // What was read by the shape of a type goes to the function of that type, which the compiler does not follow through an index.
    const run = RUN[action.type] as Run<never>;
    const answer = await run(readParameters(ACTIONS[action.type], filled) as never, {
      context,
      signal,
      http,
      opened,
      look,
      commands,
      log,
      lastTry: (action.retry ?? DEFAULT_RETRY).limit,
    });
    if (answer.kind === 'succeeded') checkOutputs(answer.outputs);
    return answer.kind === 'failed' || answer.kind === 'transient'
      ? { ...answer, message: `action "${action.name}" ${answer.message}` }
      : answer;
  } catch (error) {
    context.signal.throwIfAborted();
    const name = `action "${action.name}"`;
    if (deadline?.aborted) throw new TransientError(`${name} took longer than ${timeout} ms`);
    if (error instanceof PermanentError) throw new PermanentError(`${name}: ${error.message}`);
    if (error instanceof TransientError) throw error.saying(`${name}: ${error.message}`);
    throw error;
  }
}

/**
 * Ends what an action began that did not succeed, and that goes on by itself. Done twice it is done once.
 * @throws whatever keeps it from being done: it is to be tried again
 */
export async function endAction(
  action: WorkflowAction,
  parameters: Record<string, string>,
  context: EffectContext,
  http: HttpClient,
  secrets: SecretSource,
  ending: Ending,
): Promise<void> {
  const end = END[action.type];
  if (end === undefined) return;
  try {
    const needed = (part: object): object =>
      Object.fromEntries(Object.entries(part).filter(([name]) => end.needs.includes(name)));
    const shape: ObjectShape = ACTIONS[action.type];
    const given = needed(action.parameters);
    const opened = await openReferenced(given, secrets);
    const filled = interpolate(given, { ...parameters, ...valuesOf(opened) });
    const read = readParameters({ ...shape, fields: needed(shape.fields) as ObjectShape['fields'] }, filled);
    await end.run(read as never, { context, http, opened }, ending);
  } catch (error) {
    // With what cannot be used nothing was begun: there is no record of it, and it would have been refused then as well.
    if (error instanceof PermanentError && ending.progress === null) return;
    throw error;
  }
}

/** As values in a message. */
const quoted = (parameters: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, quoteMarkup(value)]));
