import { execute, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { Budget } from '../schema/budget.ts';
import type { ApiContext } from '../schema/context.ts';
import type { Introspection } from './introspection.ts';

/** `execute` of graphql-js for the transports that Apollo does not serve: within the budget, and what is known is not asked again. */
export async function answer(args: ExecutionArgs, introspection: Introspection): Promise<ExecutionResult> {
  const { document, operationName, variableValues: variables } = args;
  const text = introspection.answer({ document, operationName, variables });
  if (text !== undefined) return { data: JSON.parse(text) as Record<string, unknown> };
  return within((args.contextValue as ApiContext).budget, await execute(args));
}

/** An operation that ended before it was done is answered with the reason alone: what it has so far says nothing reliable. */
export function within(budget: Budget, result: ExecutionResult): ExecutionResult {
  return budget.error ? { data: null, errors: [budget.error] } : result;
}
