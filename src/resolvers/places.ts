import DataLoader from 'dataloader';
import { versionIn } from '../commands/compare-places.ts';
import type { InPlace } from '../commands/compare-places.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { readLiveInPlaces } from '../store/deployment-matrix.ts';
import type { LiveInPlace, Place } from '../store/deployment-matrix.ts';
import type { DeploymentKey } from '../store/deployment-reads.ts';
import { frozen } from './batches.ts';
import { readsOf } from './reads.ts';

/** What is live in places, read together for all of an operation. */

/** A page of places ends after so many; a product with more of them is a page of its own. */
export const MOST_PLACES = 2_000;

/** Once for all places of an operation. */
export const snapshotOf = (context: ApiContext): Promise<DefinitionSnapshot> =>
  loaderOf(context, 'snapshot', ({ definitions }) => definitions.current());

/** The newest deployment of each application that is defined in a place, by name. */
export function liveIn(context: ApiContext): DataLoader<Place, LiveInPlace[], string> {
  return loaderOf(
    context,
    'live-in-places',
    () =>
      new DataLoader<Place, LiveInPlace[], string>(
        async (places) => {
          const snapshot = await snapshotOf(context);
          const keys = keysIn(snapshot, places);
          const found = new Map<string, LiveInPlace[]>();
          for (const each of await readLiveInPlaces(readsOf(context), keys))
            found.set(keyOf(each), [...(found.get(keyOf(each)) ?? []), each]);
          return places.map((each) => found.get(keyOf(each)) ?? []);
        },
        { cacheKeyFn: keyOf, maxBatchSize: MOST_PLACES },
      ),
  );
}

const keyOf = ({ product, environment }: Place): string => `${product}/${environment}`;

/** By name. The applications of a product are walked once, in however many of its places they are asked for. */
function keysIn(snapshot: DefinitionSnapshot, places: readonly Place[]): DeploymentKey[] {
  const asked = new Map<string, Set<string>>();
  for (const { product, environment } of places) {
    const environments = asked.get(product);
    if (environments) environments.add(environment);
    else asked.set(product, new Set([environment]));
  }
  return [...asked]
    .flatMap(([product, environments]) =>
      snapshot
        .applicationsOf(product)
        .filter(({ spec }) => environments.has(spec.environment))
        .map(({ metadata, spec }) => ({
          product,
          environment: spec.environment,
          application: metadata.name,
        })),
    )
    .sort((one, other) => (one.application < other.application ? -1 : 1));
}

/** What is live in a place with what its releases froze. */
export async function inPlace(context: ApiContext, place: Place): Promise<InPlace> {
  const live = await liveIn(context).load(place);
  const releases = await Promise.all(live.map(({ releaseId }) => frozen(context).load(releaseId)));
  const applications = live.flatMap(({ application: name }, index) => {
    const release = releases[index];
    return release ? [{ name, release }] : [];
  });
  return placeOf(place, applications);
}

/** What releases brought to a place: one version, where all of them brought the same. */
export function placeOf(place: Place, applications: InPlace['applications']): InPlace {
  const [first, ...others] = applications.map(({ release }) => versionIn(release, place.environment));
  const isOne = first && others.every(({ digest }) => digest === first.digest);
  return { ...place, version: isOne ? first : null, applications };
}
