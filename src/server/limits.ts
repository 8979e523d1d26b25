import type { IncomingMessage } from 'node:http';
import { GraphQLError, type ExecutionResult } from 'graphql';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '../config.ts';
import type { ApiContext } from '../schema/context.ts';
import { clientAddresses, neighbourhood } from './client-address.ts';
import type { Operation } from './cost.ts';
import type { Introspection } from './introspection.ts';

/** Seconds over which operations are counted. */
const WINDOW = 10;
/** Questions about the schema that are not answered from a text, within that time. */
const QUESTIONS = 10;

/** Answers for an operation that came too soon; `retryAfter` in seconds, at least 1. */
export class RateLimitedError extends GraphQLError {
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    const message = `too many operations: ask again in ${retryAfter} s`;
    super(message, { extensions: { code: 'RATE_LIMITED', retryAfter } });
    this.retryAfter = retryAfter;
  }
}

type Subscribed = AsyncIterableIterator<ExecutionResult> | ExecutionResult;

/**
 * How much one caller may ask of this process. An authenticated caller counts by name, any other one by address: a
 * token that is not good does not make a new caller.
 */
export class Limits {
  readonly #limits: Config['limits'];
  /** Where a request comes from: the nearest address that is no proxy of ours. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly #operations: RateLimiterMemory | undefined;
  readonly #questions = new RateLimiterMemory({ points: QUESTIONS, duration: WINDOW });
  readonly #streams = new Map<string, number>();
  readonly #subscriptions = new Map<string, number>();

  constructor({ limits, trustedProxies }: Pick<Config, 'limits' | 'trustedProxies'>) {
    this.#limits = limits;
    this.addressOf = clientAddresses(trustedProxies);
    if (limits.operations > 0)
      this.#operations = new RateLimiterMemory({ points: limits.operations, duration: WINDOW });
  }

  callerOf(request: IncomingMessage, context?: ApiContext): string {
    // Requests that name no caller are not all of one caller: they count by address.
    const actor = context?.identity?.anonymous ? null : (context?.actor ?? null);
    if (actor === null) return `address ${neighbourhood(this.addressOf(request))}`;
    // A token that a limited maker made for this name counts apart from the name's own requests.
    const makers = (context?.caller?.makers ?? []).filter(({ unlimited }) => !unlimited).map(({ name }) => name);
    return makers.length === 0 ? `caller ${actor}` : `caller ${actor} of ${makers.join(' ')}`;
  }

  /** @throws RateLimitedError */
  async operation(caller: string): Promise<void> {
    if (this.#operations) await consume(this.#operations, caller);
  }

  /** Whether the next operation of the caller would be one too many. */
  async isUsedUp(caller: string): Promise<boolean> {
    const used = await this.#operations?.get(caller);
    return used != null && used.remainingPoints <= 0;
  }

  /**
   * Questions about the schema that tools ask are answered from a text, as often as they like; all others need the
   * processor each time, and may be asked without a token. @throws RateLimitedError
   */
  async introspection(caller: string, introspection: Introspection, operation: Operation): Promise<void> {
    if (introspection.isAsked(operation) && !introspection.isFree(operation)) await consume(this.#questions, caller);
  }

  /** A place for a WebSocket or an event stream; call what it answers when that is closed. Undefined: there is none. */
  stream(caller: string): (() => void) | undefined {
    return hold(this.#streams, caller, this.#limits.streams);
  }

  /** Runs a subscription in a place of its caller's, which is free again when it ends, however it ends. */
  async subscription(caller: string, subscribe: () => Promise<Subscribed>): Promise<Subscribed> {
    const release = hold(this.#subscriptions, caller, this.#limits.subscriptions);
    if (!release) {
      const message = `more than ${this.#limits.subscriptions} subscriptions at once: end some first`;
      return { errors: [new GraphQLError(message, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } })] };
    }
    try {
      const results = await subscribe();
      if ('next' in results) return whenEnded(results, release);
      release();
      return results;
    } catch (error) {
      release();
      throw error;
    }
  }
}

async function consume(limiter: RateLimiterMemory, caller: string): Promise<void> {
  try {
    await limiter.consume(caller);
  } catch (error) {
    if (error instanceof RateLimiterRes) throw new RateLimitedError(Math.max(1, Math.ceil(error.msBeforeNext / 1000)));
    throw error;
  }
}

function hold(places: Map<string, number>, caller: string, most: number): (() => void) | undefined {
  const taken = places.get(caller) ?? 0;
  if (taken >= most) return undefined;
  places.set(caller, taken + 1);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    const left = (places.get(caller) ?? 1) - 1;
    if (left > 0) places.set(caller, left);
    else places.delete(caller);
  };
}

function whenEnded<T>(results: AsyncIterableIterator<T>, ended: () => void): AsyncIterableIterator<T> {
  return {
    async next() {
      try {
        const result = await results.next();
        if (result.done) ended();
        return result;
      } catch (error) {
        ended();
        throw error;
      }
    },
    return: () => {
      ended();
      return results.return!();
    },
    throw: (error) => {
      ended();
      return results.throw!(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
