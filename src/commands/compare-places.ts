import type { CountedCommits, Compared, Comparison } from '../core/deployment-matrix.ts';
import { compareVersions } from '../core/deployment-matrix.ts';
import type { StoredDefinition } from '../core/definitions.ts';
import { pairing } from '../core/planner.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import type { Parts } from '../parts.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import type { FrozenRelease } from '../store/load-releases.ts';

/** What a release brought to an environment, application by application. */
export interface InPlace {
  product: string;
  environment: string;
  /** Null: several versions. */
  version: VersionRef | null;
  /** Application → the release that brought what is live there. */
  applications: readonly { name: string; release: FrozenRelease }[];
}

/** The version that a release brought to an environment: of a rollback the one that it restored there. */
export function versionIn({ kind, version, digest, plan }: FrozenRelease, environment: string): VersionRef {
  const restored = kind === 'ROLLBACK' ? promotionIn(plan, environment)?.restores?.to : undefined;
  return restored ?? { label: version, digest };
}

/** The environment in which what is live there has begun; undefined: its flow is not there any more. */
export function beginningOf(
  { flows }: Pick<DefinitionSnapshot, 'flows'>,
  { applications: [first] }: InPlace,
): string | undefined {
  if (!first) return undefined;
  const { triggerEnvironment, flow } = first.release.plan;
  // A rollback begins nowhere: its flow says where what it restores did.
  if (triggerEnvironment !== '') return triggerEnvironment;
  return flows.find(({ metadata }) => metadata.name === flow.name)?.spec.triggerEnvironment;
}

/**
 * How two environments of a product stand to each other, with the number of commits where the local copies of their sources tell. Nothing is
 * fetched for it; what could not be counted is UNKNOWN with a reason, and the order of the releases says the rest.
 */
export async function comparePlaces(
  { drivers }: Pick<Parts, 'drivers'>,
  snapshot: DefinitionSnapshot,
  [here, there]: readonly [InPlace, InPlace],
  signal: AbortSignal,
): Promise<Comparison> {
  const applications = snapshot.applicationsOf(here.product);
  const beginning = beginningOf(snapshot, here) ?? beginningOf(snapshot, there) ?? '';
  const one = comparedIn(here, applications, beginning);
  const other = comparedIn(there, applications, beginning);
  if (one.version !== null && one.version.digest === other.version?.digest) return compareVersions(one, other, {});
  const counting = Object.keys(one.commits).flatMap((name) => {
    const [to, from] = [one.commits[name], other.commits[name]];
    const source = applications.find(({ metadata }) => metadata.name === name);
    if (!to || !from || to === from || !source) return [];
    return [countCommits(drivers, source, { from, to }, signal).then((counted) => [name, counted] as const)];
  });
  return compareVersions(one, other, Object.fromEntries(await Promise.all(counting)));
}

async function countCommits(
  drivers: Parts['drivers'],
  { spec: { driver } }: StoredDefinition<'Application'>,
  { from, to }: { from: string; to: string },
  signal: AbortSignal,
): Promise<CountedCommits> {
  try {
    const answer = await drivers.driver(driver).between(driver, { from, to, list: 0 }, signal);
    if (answer === undefined) return { unknown: 'the versions have no commits that could be counted' };
    if (answer.kind === 'KNOWN') return { first: answer.added, second: answer.gone };
    return { unknown: `commit ${answer.missing.slice(0, 12)} is not in this server's copy of its repository` };
  } catch {
    return { unknown: `the commits could not be counted${signal.aborted ? ' in the time that there is for it' : ''}` };
  }
}

/** What is in a place, with the commit of each source that it was made of. */
export function comparedIn(
  { version, environment, applications }: InPlace,
  defined: readonly StoredDefinition<'Application'>[],
  beginning: string,
): Compared {
  const sourceOf = pairing(defined, beginning);
  const commits: Record<string, string | null> = {};
  for (const { name, release } of applications) {
    const application = defined.find(({ metadata }) => metadata.name === name);
    const source = application && sourceOf(application);
    const content = promotionIn(release.plan, environment)?.applications.find((each) => each.name === name)?.content;
    if (source && content !== undefined) commits[source] = release.contents[content]?.commit ?? null;
  }
  return { version, release: applications.reduce((last, { release }) => Math.max(last, orderOf(release)), 0), commits };
}

/** A rollback brings an earlier version: its own number says nothing of when that came. */
const orderOf = ({ kind, number }: FrozenRelease): number => (kind === 'ROLLBACK' ? 0 : number);

const promotionIn = ({ promotions }: FrozenRelease['plan'], environment: string) =>
  promotions.find((each) => each.environment === environment);
