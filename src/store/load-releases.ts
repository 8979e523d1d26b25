import type { Pool, PoolClient } from 'pg';
import type { ReleasePlan } from '../core/plan.ts';
import type { ConcurrencyPolicy } from '../core/definitions.ts';
import type { PromotionState, PromotionStatus, ReleaseKind, ReleaseState } from '../core/release.ts';
import { VERSIONS } from './contents.ts';
import type { KeptVersion } from './contents.ts';
import { toPartialState, toState } from './release-shape.ts';
import type { PromotionRecord, ReleaseRecord } from './release-shape.ts';
import type { ReleaseIdentity } from './save-decisions.ts';

/** What never changes of a release. */
export interface FrozenRelease extends ReleaseIdentity {
  kind: ReleaseKind;
  digest: string;
  concurrency: ConcurrencyPolicy;
  /** Content key → the version that was pinned; its files are read when they are written: see `FrozenReleases`. */
  contents: Record<string, KeptVersion>;
}

/** A state with the revision under which the database holds it. */
export interface LoadedState {
  state: ReleaseState;
  revision: number;
}

/** What never changes of these releases; unknown ids are missing from the answer. */
export async function loadFrozen(client: Pool | PoolClient, ids: string[]): Promise<FrozenRelease[]> {
  const { rows } = await client.query<{
    id: string;
    number: string;
    kind: ReleaseKind;
    product: string;
    version: string;
    digest: string;
    concurrency: ConcurrencyPolicy;
    plan: ReleasePlan;
    contents: Record<string, KeptVersion>;
  }>({
    name: 'load-frozen',
    text: `SELECT r.id, r.number, r.kind, r.product, r.version, r.digest, r.concurrency, l.plan, ${VERSIONS} AS contents
           FROM release r JOIN release_plan l ON l.release_id = r.id WHERE r.id = ANY($1)`,
    values: [ids],
  });
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
}

const STATE = `r.id, r.status, r.trigger->>'actor' AS initiator, r.trigger->'makers' AS initiator_makers, r.revision, r.sequence, r.created_at, r.started_at, r.ended_at, r.deadline, r.wake_at, r.last_event_at, r.rest`;

/** The current state of these releases, each with the revision that a save of it must find. */
export async function loadStates(client: Pool | PoolClient, ids: string[]): Promise<LoadedState[]> {
  const { rows } = await client.query<ReleaseRecord & { revision: number; promotions: PromotionRecord[] | null }>({
    name: 'load-states',
    text: `SELECT ${STATE},
             (SELECT jsonb_agg(p) FROM promotion p WHERE p.release_id = r.id) AS promotions
           FROM release r WHERE r.id = ANY($1)`,
    values: [ids],
  });
  return rows.map((row) => ({ state: toState(row, row.promotions ?? []), revision: row.revision }));
}

/** A release's state, and those of its promotions that were asked for, by position. */
export type PartialState = Omit<ReleaseState, 'promotions'> & { promotions: Readonly<Record<number, PromotionState>> };

/** A release, and which of its promotions are asked for. */
export interface AskedPromotions {
  release: string;
  positions: readonly number[];
}

/** The current state of releases with these of their promotions alone, by release; unknown releases and positions are missing. */
export async function loadPromotions(
  pool: Pool,
  asked: readonly AskedPromotions[],
): Promise<Map<string, PartialState>> {
  const places = asked.flatMap(({ release, positions }) => positions.map((position) => ({ release, position })));
  const { rows } = await pool.query<ReleaseRecord & { promotions: PromotionRecord[] | null }>({
    name: 'load-promotions',
    text: `SELECT ${STATE},
             (SELECT jsonb_agg(p) FROM promotion p WHERE p.release_id = r.id AND p.position = ANY(ARRAY(
                SELECT place.position FROM unnest($2::uuid[], $3::integer[]) AS place(release, position)
                WHERE place.release = r.id))) AS promotions
           FROM release r WHERE r.id = ANY($1)`,
    values: [
      [...new Set(asked.map(({ release }) => release))],
      places.map(({ release }) => release),
      places.map(({ position }) => position),
    ],
  });
  return new Map(rows.map((row) => [row.id, toPartialState(row, row.promotions ?? [])]));
}

/** Where the promotions of a release have one of these statuses, in the order of the plan. */
export async function positionsWith(
  pool: Pool,
  release: string,
  statuses: readonly PromotionStatus[],
): Promise<number[]> {
  const { rows } = await pool.query<{ position: number }>({
    name: 'positions-with',
    text: 'SELECT position FROM promotion WHERE release_id = $1 AND status = ANY($2) ORDER BY position',
    values: [release, statuses],
  });
  return rows.map(({ position }) => position);
}
