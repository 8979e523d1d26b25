import type { PromotionTemplateSpec } from '../../core/definitions.ts';
import { judgeMove } from '../../core/trigger/move.ts';
import { repositoryKey } from '../../core/trigger/repository.ts';
import { triggerSources } from '../../core/trigger/sources.ts';
import type { TriggerSource } from '../../core/trigger/sources.ts';
import { templateFor } from '../../core/trigger/template.ts';
import { PermanentError, TransientError } from '../../drivers/driver.ts';
import type { Move } from '../../drivers/driver.ts';
import type { Parts } from '../../parts.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import { knownEpochs, knownReleases, moveCursors, noteLook, readCursors } from '../../store/triggers.ts';
import type { KeptCursor } from '../../store/triggers.ts';
import { beginning, moveOf, placeOf } from './looked.ts';
import type { HeadsSeen, Looked } from './looked.ts';
import { makeCandidate } from './make-candidate.ts';
import type { Made } from './make-candidate.ts';

export type { HeadsSeen };

/** What came of a look for one application, and whether a candidate did. */
export interface HeadOutcome {
  application: string;
  product: string;
  environment: string;
  /** In words. */
  outcome: string;
  /** The candidate that it made, or that was there for this state already. */
  candidate?: string;
  /** It could not be looked at, and may be soon. `retryAfter`: milliseconds that its host asked for. */
  unread?: { retryAfter?: number | undefined };
}

/**
 * The end of every look at a repository: what moved is asked of git, and what became of it is answered for each application that
 * triggers releases from it; none: nothing here does. The same look again changes nothing, nor does an older one: an application has a
 * cursor, which moves by compare-and-set in the transaction that makes a candidate of the move. The first look at an application sets
 * its cursor and makes none. Network; never while a connection is held.
 */
export async function headsSeen(app: Parts, heads: HeadsSeen): Promise<HeadOutcome[]> {
  const seen = { ...heads, at: app.clock.now().getTime() };
  const definitions = await app.definitions.current();
  let left = sourcesIn(definitions, seen.repository);
  const outcomes: HeadOutcome[] = [];
  for (let tried = 0; left.length > 0; tried += 1) {
    const { done, again } = await look(app, definitions, left, seen);
    outcomes.push(...done);
    left = again;
    if (tried < TRIES) continue;
    const outcome = 'others look at it at the same time';
    outcomes.push(...left.map((each) => ({ ...nameOf(each), outcome, unread: {} })));
    break;
  }
  return outcomes;
}

/** Each further try means that another look moved a cursor meanwhile. */
const TRIES = 5;

/** In any spelling of its address. */
export function sourcesIn(definitions: DefinitionSnapshot, repository: string): TriggerSource[] {
  const key = repositoryKey(repository);
  return triggerSources(definitions).filter(({ driver }) => repositoryKey(driver.repoURL) === key);
}

async function look(
  app: Parts,
  definitions: DefinitionSnapshot,
  sources: readonly TriggerSource[],
  seen: HeadsSeen & { at: number },
): Promise<{ done: HeadOutcome[]; again: TriggerSource[] }> {
  const { looked, failed } = await judge(app, definitions, sources, seen.heads);
  const now = app.clock.now();
  const still = looked.filter(({ verdict }) => verdict.next === null);
  const noted = still.map(({ source }) => ({ application: source.application, error: null }));
  await noteLook(app.pool, [...noted, ...failed], now);
  const done = still.map((each) => outcomeOf(each));
  done.push(...failed.map(brokenOutcome));
  const again: TriggerSource[] = [];
  const { changed, quiet } = byPlace(looked.filter(({ verdict }) => verdict.next !== null));
  const moved = await moveCursors(app.pool, quiet.map(moveOf), now);
  for (const each of quiet) {
    if (moved.has(each.source.application)) done.push(outcomeOf(each));
    else again.push(each.source);
  }
  for (const all of changed) {
    const made = await makeCandidate(app, definitions, all, seen).catch((error: unknown) =>
      all.map(({ source }) => failedOf(source, error)),
    );
    if (Array.isArray(made)) {
      await noteLook(app.pool, made, now);
      done.push(...made.map(brokenOutcome));
    } else if (made === null) again.push(...all.map(({ source }) => source));
    else done.push(...all.map((each) => outcomeOf(each, made)));
  }
  return { done, again };
}

/** `changed`: all that moved in one trigger environment of a product, where content changed; `quiet`: all others. */
export function byPlace(moved: readonly Looked[]): { changed: Looked[][]; quiet: Looked[] } {
  const places = new Map<string, Looked[]>();
  for (const each of moved) {
    const place = `${each.source.product} ${each.source.environment}`;
    places.set(place, [...(places.get(place) ?? []), each]);
  }
  const all = [...places.values()];
  const hasChanged = (here: Looked[]): boolean => here.some(({ verdict }) => verdict.kind === 'CHANGED');
  return { changed: all.filter(hasChanged), quiet: all.filter((here) => !hasChanged(here)).flat() };
}

interface Asked extends Omit<Looked, 'verdict'> {
  move: Move;
}

/** It could not be asked, or what came of it could not be written. */
interface Failed {
  source: TriggerSource;
  application: string;
  error: string;
  unread?: HeadOutcome['unread'];
}

/** What git says of a folder for good is no reason to come back sooner. */
function failedOf(source: TriggerSource, error: unknown): Failed {
  const said = error instanceof Error ? error.message : String(error);
  const retryAfter = error instanceof TransientError ? error.retryAfter : undefined;
  return {
    source,
    application: source.application,
    error: `it could not be looked at: ${said.slice(0, 1_000)}`,
    ...(!(error instanceof PermanentError) && { unread: { retryAfter } }),
  };
}

const brokenOutcome = ({ source, error, unread }: Failed): HeadOutcome => ({
  ...nameOf(source),
  outcome: error,
  ...(unread && { unread }),
});

/** What git says of each, judged; what could not be asked is answered with the reason. */
export async function judge(
  app: Parts,
  definitions: DefinitionSnapshot,
  sources: readonly TriggerSource[],
  heads: ReadonlyMap<string, string>,
): Promise<{ looked: Looked[]; failed: Failed[] }> {
  const names = sources.map(({ application }) => application);
  const kept = new Map((await readCursors(app.pool, names)).map((each) => [each.application, each]));
  const isThere = (source: TriggerSource): boolean => kept.get(source.application)?.place === placeOf(source);
  const epochs = await epochsOf(
    app,
    sources.filter((each) => !isThere(each)),
  );
  const signal = app.clock.limit('trigger', LIMIT);
  const asked = sources.map(async (source): Promise<Asked | Failed> => {
    const found: KeptCursor | undefined = kept.get(source.application);
    // In another repository, on another branch or in another folder it begins anew.
    const cursor = isThere(source) ? found : undefined;
    const from = cursor ?? beginning(found?.epoch, epochs.get(source.application));
    try {
      const move = await ask(app, definitions, source, cursor, heads.get(source.driver.branch), signal);
      return { source, cursor, from, revision: found?.revision ?? 0, move };
    } catch (error) {
      return failedOf(source, error);
    }
  });
  const answers = await Promise.all(asked);
  const failed = answers.filter((each) => 'error' in each);
  const found = answers.filter((each) => 'move' in each);
  const claims = found.flatMap(({ move }) => (move.commits ?? []).flatMap(({ claim }) => claim?.releases ?? []));
  const known = await knownReleases(app.pool, claims);
  const looked = found.map(({ source, cursor, from, revision, move }) => {
    const { branch } = source.driver;
    const verdict = judgeMove(from, move, { branch, seen: heads.get(branch), known });
    return { source, cursor, from, revision, verdict };
  });
  return { looked, failed };
}

/** Of applications that were never looked at where they are, the newest epochs that are known. */
async function epochsOf({ pool }: Parts, sources: readonly TriggerSource[]): Promise<Map<string, number>> {
  const epochs = new Map<string, number>();
  for (const product of new Set(sources.map((each) => each.product))) {
    const names = sources.filter((each) => each.product === product).map(({ application }) => application);
    for (const [application, epoch] of await knownEpochs(pool, product, names)) epochs.set(application, epoch);
  }
  return epochs;
}

async function ask(
  app: Parts,
  definitions: DefinitionSnapshot,
  { application, product, driver }: TriggerSource,
  cursor: KeptCursor | undefined,
  seen: string | undefined,
  signal: AbortSignal,
): Promise<Move> {
  const since = { from: cursor?.head ?? undefined, digest: cursor?.digest ?? undefined, seen };
  const template = templateOf(definitions, product, application);
  const move = await app.drivers.driver(driver).moved(driver, template, since, signal);
  if (move === undefined) throw new Error('its driver has no commits');
  return move;
}

/** In milliseconds. */
const LIMIT = 60_000;

/** In words, for the caller. */
export function outcomeOf({ source, verdict }: Looked, made?: Made): HeadOutcome {
  const name = nameOf(source);
  if (made === undefined || verdict.kind !== 'CHANGED') return { ...name, outcome: verdict.outcome };
  return {
    ...name,
    outcome: `${verdict.outcome}: ${made.outcome}`,
    ...(made.candidate && { candidate: made.candidate }),
  };
}

const nameOf = ({ application, product, environment }: TriggerSource): Omit<HeadOutcome, 'outcome'> => ({
  application,
  product,
  environment,
});

/** As `pin` takes it for the application. */
function templateOf(
  definitions: DefinitionSnapshot,
  product: string,
  application: string,
): PromotionTemplateSpec | undefined {
  const found = definitions.applicationsOf(product).find(({ metadata }) => metadata.name === application)!;
  return templateFor(definitions.products.get(product)!, found, definitions.templates);
}
