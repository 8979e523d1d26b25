import {
  createSourceEventStream,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Identity } from '../core/access/index.ts';
import type { ApiContext } from '../schema/context.ts';
import { within } from './execute.ts';
import type { Masking } from './masking.ts';

export interface FanOutParts {
  masking: Masking;
  /** A fresh context for each event: what a loader has cached would be the state of an earlier one. */
  freshContext: (context: ApiContext) => ApiContext;
}

/**
 * `subscribe` of graphql-js, but an event is executed once for all subscribers whose operation gives the same answer: the
 * same document, the same person, the same variables below the root field (those of the root field, `after` and `filter`,
 * only choose the events). A thousand portals that watch the same screen cost one execution per event.
 */
export class FanOut {
  readonly #parts: FanOutParts;
  /** Short-lived: a subscriber that catches up later must not be shown the release as it was then. */
  readonly #results = new LRUCache<object, Map<string, Promise<ExecutionResult>>>({
    max: 256,
    ttl: 1_000,
    ttlAutopurge: true,
  });
  executions = 0;

  constructor(parts: FanOutParts) {
    this.#parts = parts;
  }

  readonly subscribe = async (
    args: ExecutionArgs,
  ): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> => {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return this.#parts.masking.result(source);
    return new MappedIterator(source[Symbol.asyncIterator](), this.#executor(args));
  };

  #executor(args: ExecutionArgs): (event: object) => Promise<ExecutionResult> {
    const operation = operationKey(args);
    const context = args.contextValue as ApiContext;
    return (event) => {
      // Each time: what the caller may see can change while it listens.
      const key = `${operation} ${accessKey(context)}`;
      let byKey = this.#results.get(event);
      if (!byKey) this.#results.set(event, (byKey = new Map()));
      let result = byKey.get(key);
      if (!result) byKey.set(key, (result = this.#execute(args, event)));
      return result;
    };
  }

  async #execute(args: ExecutionArgs, event: object): Promise<ExecutionResult> {
    this.executions += 1;
    const contextValue = this.#parts.freshContext(args.contextValue as ApiContext);
    const result = await execute({ ...args, rootValue: event, contextValue });
    return this.#parts.masking.result(within(contextValue.budget, result));
  }
}

/** Written by hand: `return` must end the source at once, also while a caller waits for the next event. */
class MappedIterator implements AsyncIterableIterator<ExecutionResult> {
  readonly #source: AsyncIterator<unknown>;
  readonly #map: (event: object) => Promise<ExecutionResult>;

  constructor(source: AsyncIterator<unknown>, map: (event: object) => Promise<ExecutionResult>) {
    this.#source = source;
    this.#map = map;
  }

  async next(): Promise<IteratorResult<ExecutionResult>> {
    const { done, value } = await this.#source.next();
    return done ? { done: true, value: undefined } : { done: false, value: await this.#map(value as object) };
  }

  async return(): Promise<IteratorResult<ExecutionResult>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult>> {
    await this.#source.return?.();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const keys = new WeakMap<Identity, string>();

/** The same for callers who are shown the same. */
function accessKey({ identity, live, actor }: ApiContext): string {
  const current = live?.identity ?? identity;
  if (!current) return `open ${actor}`;
  let key = keys.get(current);
  if (key === undefined) keys.set(current, (key = JSON.stringify([current.caller, current.grants])));
  return key;
}

function operationKey(args: ExecutionArgs): string {
  const { document, operationName, variableValues } = args;
  const operation = getOperationAST(document, operationName);
  const names = operation ? variablesBelowRoot(args, operation) : Object.keys(variableValues ?? {});
  const values = names.map((name) => [name, variableValues?.[name]]);
  const text = document.loc?.source.body ?? print(document);
  return JSON.stringify([text, operationName, values]);
}

function variablesBelowRoot({ document }: ExecutionArgs, operation: OperationDefinitionNode): string[] {
  const names = new Set<string>();
  const roots = new Set<unknown>(operation.selectionSet.selections);
  visit(document, {
    VariableDefinition: () => false,
    Argument: (_node, _key, _parent, _path, ancestors) => {
      // The node that holds the list of arguments.
      const holder = ancestors.at(-1);
      const owner = Array.isArray(holder) ? ancestors.at(-2) : holder;
      return roots.has(owner) && (owner as { kind: string }).kind === Kind.FIELD ? false : undefined;
    },
    Variable: (node) => {
      names.add(node.name.value);
    },
  });
  return [...names].sort();
}
