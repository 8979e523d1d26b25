import type { App } from '../app.ts';
import type { EventLog } from '../events/event-log.ts';

/** What every resolver is handed. One per request; one per event in a subscription, so that nothing cached in it is old. */
export interface ApiContext {
  app: App;
  log: EventLog;
  /** Who asks, as it is written into events; null while nobody has to say who they are. */
  actor: string | null;
  /** Batches of this request, by the name of what they load; see `loaderOf`. */
  loaders: Map<string, unknown>;
}

export function createContext(parts: { app: App; log: EventLog }, actor: string | null = null): ApiContext {
  return { app: parts.app, log: parts.log, actor, loaders: new Map() };
}

/** The request's own DataLoader (or any cache) of that name, made when it is first asked for. */
export function loaderOf<T>(context: ApiContext, name: string, make: (app: App) => T): T {
  const known = context.loaders.get(name) as T | undefined;
  if (known) return known;
  const made = make(context.app);
  context.loaders.set(name, made);
  return made;
}
