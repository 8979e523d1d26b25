import type { PoolClient } from 'pg';
import type { PromotedFiles } from '../core/file-pattern.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { TargetParts } from '../core/rollback/create.ts';
import type { RollbackQuestion } from '../core/rollback/plan-rollback.ts';
import type { RollbackTarget } from '../core/rollback/rollback.ts';
import { readListings } from '../store/contents.ts';
import type { KeptVersion, Listing } from '../store/contents.ts';
import { loadFrozen } from '../store/load-releases.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import { commitsOf, liveIn } from '../store/rollbacks.ts';

/** What the store knows of the environments that go back, and the releases that it was read from, by id. */
export interface Collected {
  /** By environment. */
  targets: Record<string, TargetParts<KeptVersion>>;
  frozen: Map<string, FrozenRelease>;
}

/** What each target's release had planned there, what its earlier version had pinned, and what came in between. */
export async function rollbackParts(
  client: PoolClient,
  product: string,
  question: RollbackQuestion,
  going: RollbackTarget[],
): Promise<Collected> {
  const since = new Map(going.map((target) => [target.environment, releasesSince(question, target)]));
  const earlier = going.flatMap((each) => each.to?.release ?? []);
  const { release } = question.cause;
  const ids = new Set([...[...since.values()].flat(), ...earlier, ...(release === null ? [] : [release])]);
  const frozen = new Map((await loadFrozen(client, [...ids])).map((each) => [each.id, each]));
  const live = await liveIn(
    client,
    product,
    going.map((each) => each.environment),
  );
  const commits = await commitsOf(client, product, earlier);
  const listings = await listingsIn(client, [...frozen.values()], going);
  const targets: Collected['targets'] = {};
  for (const { environment, to } of going) {
    const later = (since.get(environment) ?? []).flatMap((each) => frozen.get(each) ?? []);
    const [origin] = later;
    const from = origin && promotionIn(origin, environment);
    const before = frozen.get(to?.release ?? '');
    const good = before && promotionIn(before, environment);
    if (!origin || !from || !before || !good) continue;
    const parts: TargetParts<KeptVersion> = {
      origin: { release: origin.id, promotion: from },
      contents: {},
      expects: {},
      undo: {},
    };
    for (const { name } of from.applications) {
      const content = contentIn(before, good, name);
      if (!content) continue;
      parts.contents[name] = content;
      const bad = contentIn(origin, from, name);
      const digests = bad ? [bad.digest] : [];
      parts.expects[name] = { deployment: live[environment]?.[name]?.id ?? null, digests };
      const at = commits.find(
        (each) => each.release === before.id && each.environment === environment && each.application === name,
      );
      const removed = removedBy(later, { environment, application: name });
      parts.undo[name] = {
        commit: at?.commit ?? null,
        files: filesOnlyIn(listings, later, before, { environment, application: name }, 'whole'),
        edited: filesOnlyIn(listings, later, before, { environment, application: name }, 'values'),
        ...(removed.length > 0 && { removed }),
      };
    }
    targets[environment] = parts;
  }
  return { targets, frozen };
}

/** Of one environment of the question; undefined where the product has no application. */
export function factsOf(
  question: RollbackQuestion,
  environment: string,
): RollbackQuestion['environments'][number] | undefined {
  return question.environments.find((each) => each.name === environment);
}

/** The releases that reached the environment after the version that it goes back to; the one that is taken back first. */
function releasesSince(question: RollbackQuestion, target: RollbackTarget): string[] {
  const facts = factsOf(question, target.environment);
  const { cause } = question;
  const found: string[] = [];
  const { inFlight, history = [] } = facts ?? {};
  const [live] = history;
  const arrives = inFlight !== null && inFlight !== undefined && live?.version.digest !== target.from?.digest;
  if (arrives) found.push(inFlight.release);
  for (const { release } of history) {
    if (release === target.to?.release) break;
    found.push(release);
  }
  // The release that failed may have made its change without a record of it.
  if (cause.environment === target.environment && cause.release !== null) found.push(cause.release);
  return [...new Set(found)].slice(0, MOST_LOOKED_AT);
}

const MOST_LOOKED_AT = 50;

function promotionIn({ plan }: FrozenRelease, environment: string): PlannedPromotion | undefined {
  return plan.promotions.find((each) => each.environment === environment);
}

function contentIn(release: FrozenRelease, promotion: PlannedPromotion, application: string): KeptVersion | undefined {
  const planned = promotion.applications.find((each) => each.name === application);
  return planned && release.contents[planned.content];
}

interface Place {
  environment: string;
  application: string;
}

/** What each release brings to each place, file by file. */
type Listings = Map<string, Listing>;

const listingKey = ({ id }: FrozenRelease, { environment, application }: Place): string =>
  `${id} ${environment}/${application}`;

async function listingsIn(
  client: PoolClient,
  releases: FrozenRelease[],
  going: { environment: string }[],
): Promise<Listings> {
  const asked = releases.flatMap((release) =>
    going.flatMap(({ environment }) =>
      (promotionIn(release, environment)?.applications ?? []).map(({ name: application, content }) => ({
        release: release.id,
        content,
        key: listingKey(release, { environment, application }),
      })),
    ),
  );
  const found = await readListings(client, asked);
  return new Map(asked.map(({ key }, index) => [key, found[index] ?? {}]));
}

/** Of what the releases removed files there. */
function removedBy(releases: FrozenRelease[], { environment, application }: Place): PromotedFiles[] {
  const found = releases.flatMap((each) => {
    const there = promotionIn(each, environment);
    const removes = there && contentIn(each, there, application)?.removes;
    return removes ? [removes] : [];
  });
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

/** Files that came after the version that is good there: what it has itself is written, not removed. */
function filesOnlyIn(
  listings: Listings,
  later: FrozenRelease[],
  good: FrozenRelease,
  place: Place,
  how: Listing[string],
): string[] {
  const kept = listings.get(listingKey(good, place)) ?? {};
  const files = later.flatMap((release) => Object.entries(listings.get(listingKey(release, place)) ?? {}));
  return [
    ...new Set(files.flatMap(([file, kind]) => (kind === how && !Object.hasOwn(kept, file) ? [file] : []))),
  ].sort();
}
