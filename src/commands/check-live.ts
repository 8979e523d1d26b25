import type { Parts } from '../parts.ts';
import { arrivingIn, recordedIn } from '../store/known-contents.ts';
import type { Arriving, RecordedApplication, Unrecorded } from '../store/known-contents.ts';
import type { ContentReference } from '../store/frozen-releases.ts';
import { saveChecks } from '../store/live-checks.ts';
import type { CheckedTarget } from '../store/live-checks.ts';

/** What a look at one application of an environment came to. */
export interface LiveCheck {
  environment: string;
  /** The deployment record that was the newest one there. */
  deployment: string;
  state: 'KNOWN' | 'DRIFTED' | 'UNKNOWN';
  /** The release whose content is there without a record: it made its change and could not write that down. */
  unrecorded: Unrecorded | null;
}

/**
 * What is live is observed, not assumed: asks every target of these environments whether it holds what the records say, all at
 * once, for at most ten seconds, and keeps what was seen. Network; never inside a transaction. A target that does not answer is
 * UNKNOWN; one that has nothing to look at is left out. `release`: one that may have made its change without a record.
 */
export async function checkLive(
  app: Parts,
  product: string,
  environments: string[],
  release: string | null = null,
): Promise<LiveCheck[]> {
  const recorded = await recordedIn(app.pool, product, environments);
  if (recorded.length === 0) return [];
  const arriving = await arrivingIn(app.pool, product, environments, release);
  const signal = app.clock.limit('look', LIMIT);
  const answers = await Promise.all(
    recorded.map(async (each) => ({ each, answer: await look(app, each, arriving.filter(isFor(each)), signal) })),
  );
  const looks = answers.flatMap(({ each, answer }) => {
    if (answer === null) return [];
    const known = arriving.filter(isFor(each)).map((other) => other.release);
    const { deployment, environment } = each;
    return [{ ...answer, deployment, environment, known }];
  });
  const kept = await saveChecks(
    app.pool,
    looks.filter((each) => each.unrecorded === null),
    app.clock.now(),
  );
  return looks.map(({ deployment, environment, drift, unseen, unrecorded }): LiveCheck => {
    // When the drift was not kept, a release that came in between may have written it: the state is UNKNOWN.
    const state = unseen !== null ? 'UNKNOWN' : drift === null ? 'KNOWN' : kept.has(deployment) ? 'DRIFTED' : 'UNKNOWN';
    return { deployment, environment, state, unrecorded };
  });
}

/** In milliseconds. */
const LIMIT = 10_000;
/** Releases whose content a target is asked for besides the recorded one; each is another question. */
const MOST_UNRECORDED = 5;

const isFor =
  ({ environment, application }: RecordedApplication) =>
  (each: Arriving): boolean =>
    each.environment === environment && each.application === application;

async function look(
  { drivers, releaseEngine }: Parts,
  { driver, reference }: RecordedApplication,
  arriving: Arriving[],
  signal: AbortSignal,
): Promise<(Pick<CheckedTarget, 'drift' | 'unseen'> & { unrecorded: Unrecorded | null }) | null> {
  try {
    const asks = drivers.driver(driver);
    const holds = async (asked: ContentReference): ReturnType<typeof asks.matches> =>
      asks.matches(driver, await releaseEngine.frozen.content(asked), signal);
    const answer = await holds(reference);
    if (answer === undefined) return null;
    if (answer.matches) return { drift: null, unseen: null, unrecorded: null };
    for (const { reference: other, ...unrecorded } of arriving.slice(0, MOST_UNRECORDED)) {
      const there = await holds(other);
      if (there?.matches) return { drift: null, unseen: null, unrecorded };
    }
    return { drift: answer.drift ?? { files: [] }, unseen: null, unrecorded: null };
  } catch (error) {
    const told = signal.aborted ? `no answer within ${LIMIT / 1000} s` : messageOf(error);
    return { drift: null, unseen: told.slice(0, 500), unrecorded: null };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
