import type { App } from '../app.ts';
import { nextTurn } from '../clock.ts';
import type { Identity, LiveAccess } from '../core/access/index.ts';
import type { Caller } from '../core/caller.ts';
import type { EventLog } from '../events/event-log.ts';
import { Budget } from './budget.ts';

/** What every resolver is handed. One per request; one per event in a subscription, so that nothing cached in it is old. */
export interface ApiContext {
  app: App;
  log: EventLog;
  /** Null: the server runs without authentication, and every caller may do everything. */
  identity: Identity | null;
  /** The identity of a connection that stays open, as it is at the time; null for a single request. */
  live: LiveAccess | null;
  from: RequestOrigin;
  /** The identity's caller. */
  caller: Caller | null;
  /** Who asks, as it is written into events; null when the server runs without authentication. */
  actor: string | null;
  /** The name under which the limits count the caller; see `Limits.callerOf`. */
  limitedAs: string;
  /** What this operation may still cost; of a subscription what one event may. */
  budget: Budget;
  /** Batches of this request, by the name of what they load; see `loaderOf`. */
  loaders: Map<string, unknown>;
}

/** Where a request comes from, for the audit log. */
export interface RequestOrigin {
  /** WEB: with the session of the web app, over whichever of them. */
  transport: 'HTTP' | 'WEBSOCKET' | 'SSE' | 'WEB' | 'INTERNAL';
  /** The network address of the other end: of a proxy, where there is one. */
  address: string | null;
  userAgent: string | null;
}

const INSIDE: RequestOrigin = { transport: 'INTERNAL', address: null, userAgent: null };

export interface ContextParts {
  app: App;
  log: EventLog;
  identity?: Identity | null;
  live?: LiveAccess | null;
  from?: RequestOrigin;
  limitedAs?: string;
}

/** @param actor only where there is no identity: the name that events show. */
export function createContext(parts: ContextParts, actor: string | null = null): ApiContext {
  const { app, log, live = null, from = INSIDE, limitedAs = 'inside' } = parts;
  const identity = live?.identity ?? parts.identity ?? null;
  const caller = identity?.caller ?? null;
  const budget = new Budget(app.config.limits.budget);
  return {
    app,
    log,
    identity,
    live,
    from,
    caller,
    actor: caller?.name ?? actor,
    limitedAs,
    budget,
    loaders: new Map(),
  };
}

/** The request's own DataLoader (or any cache) of that name, made when it is first asked for. */
export function loaderOf<T>(context: ApiContext, name: string, make: (app: App) => T): T {
  const known = context.loaders.get(name) as T | undefined;
  if (known) return known;
  const made = make(context.app);
  context.loaders.set(name, made);
  return made;
}

/**
 * Resolves when it is time for a piece of long work. The pieces of one request come one after the other, and other requests are served between them.
 * @throws GraphQLError when the operation is over its budget, so that nobody waits for its pieces
 */
export async function turnOf(context: ApiContext): Promise<void> {
  const line = loaderOf(context, 'turns', () => ({ last: Promise.resolve() }));
  line.last = line.last.then(() => nextTurn());
  await line.last;
  if (context.budget.error) throw context.budget.error;
}
