import type { WorkflowAction } from '../../core/definitions.ts';
import { ACTIONS } from '../../core/kinds/actions.ts';
import type { EffectContext } from '../driver.ts';
import type { SecretSource } from '../secret-source.ts';
import type { HttpClient } from '../http.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { runHttp } from './http.ts';
import { openReferenced, type Opened, valuesOf } from '../secret-references.ts';
import { interpolate } from './interpolate.ts';
import { checkOutputs } from './outputs.ts';
import { readParameters } from './parameters.ts';
import { runSimulate } from './simulate.ts';

type Run = (
  filled: unknown,
  context: EffectContext,
  signal: AbortSignal,
  http: HttpClient,
  opened: Opened,
) => Promise<Record<string, string>>;

/** Every type of action has one: a new type does not compile without it. */
const RUN: { readonly [T in keyof typeof ACTIONS]: Run } = {
  http: (filled, ...at) => runHttp(readParameters(ACTIONS.http, filled), ...at),
  simulate: (filled, context, signal) => runSimulate(readParameters(ACTIONS.simulate, filled), context, signal),
};

/** Milliseconds that an `http` action may take, unless it has a timeout of its own. */
const DEFAULT_TIMEOUT = 60_000;

/**
 * Runs one action with `${NAME}` in its parameters replaced, and answers with its outputs.
 * @throws PermanentError or TransientError, naming the action; the signal's reason when it was aborted.
 */
export async function runAction(
  action: WorkflowAction,
  parameters: Record<string, string>,
  context: EffectContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<Record<string, string>> {
  context.signal.throwIfAborted();
  // A simulated action may take as long as it says; only its own timeout cuts it.
  const timeout = action.timeout ?? (action.type === 'http' ? DEFAULT_TIMEOUT : undefined);
  const deadline = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
  const signal = deadline ? AbortSignal.any([context.signal, deadline]) : context.signal;
  try {
    const opened = await openReferenced(action.parameters, secrets);
    const filled = interpolate(action.parameters, { ...parameters, ...valuesOf(opened) });
    return checkOutputs(await RUN[action.type](filled, context, signal, http, opened));
  } catch (error) {
    context.signal.throwIfAborted();
    const name = `action "${action.name}"`;
    if (deadline?.aborted) throw new TransientError(`${name} took longer than ${timeout} ms`);
    if (error instanceof PermanentError) throw new PermanentError(`${name}: ${error.message}`);
    if (error instanceof TransientError) throw error.saying(`${name}: ${error.message}`);
    throw error;
  }
}
