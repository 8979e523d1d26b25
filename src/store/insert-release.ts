import type { Pool, PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import type { ConcurrencyPolicy } from '../core/definitions.ts';
import type { NumberedEvent } from '../core/events.ts';
import type { ReleasePlan } from '../core/plan.ts';
import type { ReleaseKind, ReleaseState } from '../core/release.ts';
import { clientOf, poolOf } from '../entities/data-source.ts';
import type { ReleaseRow } from '../entities/release-rows.ts';
import { AUDIT_COLUMNS, AUDIT_RECORD, auditRecord } from './audit-log.ts';
import type { AuditEntry } from './audit-log.ts';
import { withoutFiles } from './contents.ts';
import type { KeptVersion } from './contents.ts';
import { eventRows } from './event-rows.ts';
import { newPromotionRecord, restOf } from './release-shape.ts';

/** A release that is to be written: its state, its first events, and everything that it froze. */
export interface NewRelease {
  state: ReleaseState;
  events: NumberedEvent[];
  plan: ReleasePlan;
  /** Versions with their files, or of which the database has the files already. */
  contents: Record<string, KeptVersion>;
  kind: ReleaseKind;
  product: string;
  version: string;
  digest: string;
  concurrency: ConcurrencyPolicy;
  trigger: ReleaseRow['trigger'];
}

/** What must still be so for a release to be written that was planned without asking the database. */
export interface Still {
  /** The revision of the definitions that it was planned by. */
  definitions: string;
  /** No mark is on its version, also none that is over or concerns no environment of it. */
  unmarked: boolean;
}

/** A release that is to be written, with who asked for it. */
export interface ReleaseToInsert {
  release: NewRelease;
  audit: AuditEntry | null;
  /** Null: it is written whatever else has happened. */
  still: Still | null;
}

/** A release with its plan, its promotions, its first event and who asked for it; answers its number, or null when it was not written. */
export async function insertRelease(tx: EntityManager, one: ReleaseToInsert): Promise<number | null> {
  const client = tx.queryRunner ? await clientOf(tx) : poolOf(tx.dataSource);
  const numbers = await insertReleases(client, [one]);
  return numbers.get(one.release.state.id) ?? null;
}

/** Many in one statement; answers their numbers by their ids. A release for which `still` does not hold is missing from the answer. */
export async function insertReleases(
  client: Pool | PoolClient,
  releases: readonly ReleaseToInsert[],
): Promise<Map<string, number>> {
  const heads: unknown[] = [];
  const plans: unknown[] = [];
  const promotions: unknown[] = [];
  const events: unknown[] = [];
  const audits: unknown[] = [];
  const contents: unknown[] = [];
  for (const { release, audit, still } of releases) {
    const { state, plan, product, kind, version, digest, concurrency, trigger } = release;
    const { versions, apart } = withoutFiles(release.contents);
    const release_id = state.id;
    heads.push({
      id: state.id,
      status: state.status,
      sequence: state.sequence,
      rest: restOf(state),
      kind,
      product,
      version,
      digest,
      concurrency,
      trigger,
      flow: plan.flow.name,
      flow_revision: plan.flow.revision,
      created_at: new Date(state.createdAt).toISOString(),
      definitions: still?.definitions,
      unmarked: still?.unmarked ?? false,
    });
    plans.push({ release_id, plan, contents: versions });
    for (const [position, promotion] of state.promotions.entries())
      promotions.push({
        ...newPromotionRecord(state.id, position, promotion),
        environment: plan.promotions[position]?.environment ?? null,
        own: plan.promotions[position]?.own !== undefined,
      });
    for (const row of eventRows(release.events)) events.push({ release_id, ...row });
    for (const each of apart) contents.push({ release_id, ...each });
    if (audit) audits.push({ release_id, ...auditRecord(audit) });
  }
  const { rows } = await client.query<{ id: string; number: string }>({
    name: 'insert-releases',
    text: INSERT,
    values: [heads, plans, promotions, events, audits, contents].map((each) => JSON.stringify(each)),
  });
  return new Map(rows.map(({ id, number }) => [id, Number(number)]));
}

export const INSERT = `
WITH made AS (
  INSERT INTO release (id, kind, product, flow, flow_revision, version, digest, concurrency, trigger, status, revision, sequence,
    last_position, created_at, last_event_at, rest)
  SELECT i.id, i.kind, i.product, i.flow, i.flow_revision, i.version, i.digest, i.concurrency, i.trigger, i.status, 1, i.sequence,
    pg_current_xact_id()::text::bigint, i.created_at, i.created_at, i.rest
  FROM jsonb_to_recordset($1::jsonb) AS i(id uuid, kind text, product text, flow text, flow_revision integer, version text, digest text,
    concurrency text, trigger jsonb, status text, sequence integer, created_at timestamptz, rest jsonb,
    definitions bigint, unmarked boolean)
  WHERE (i.definitions IS NULL OR EXISTS (SELECT FROM definition_clock WHERE revision = i.definitions))
    -- Not by EXISTS: for lists PostgreSQL makes a table of all marks of it.
    AND (NOT i.unmarked OR (
      SELECT b.id FROM bad_version b WHERE b.product = i.product AND b.digest = i.digest AND b.unmarked_at IS NULL LIMIT 1) IS NULL)
  RETURNING id, number, product, last_position, created_at
), planned AS (
  INSERT INTO release_plan (release_id, plan, contents) SELECT made.id, i.plan, i.contents
  FROM jsonb_to_recordset($2::jsonb) AS i(release_id uuid, plan jsonb, contents jsonb) JOIN made ON made.id = i.release_id
), committed AS (
  INSERT INTO release_commit (commit, number)
  SELECT DISTINCT lower(pinned.commit #>> '{}'), made.number FROM jsonb_to_recordset($2::jsonb) AS i(release_id uuid, contents jsonb)
    JOIN made ON made.id = i.release_id CROSS JOIN LATERAL jsonb_path_query(i.contents, '$.*.commit') AS pinned(commit)
), stored AS (
  -- In the order of the digests: two that bring the same contents never wait for each other in a circle.
  INSERT INTO content (digest, files, listing, referenced_at)
  SELECT DISTINCT ON (i.digest) i.digest, i.files, i.listing, made.created_at
  FROM json_to_recordset($6::json) AS i(release_id uuid, digest text, files json, listing jsonb) JOIN made ON made.id = i.release_id
  ORDER BY i.digest
  ON CONFLICT (digest) DO UPDATE SET referenced_at = greatest(content.referenced_at, excluded.referenced_at)
), promoted AS (
  INSERT INTO promotion (release_id, position, number, product, environment, own, status, holds, attempt, dispatch, steps)
  SELECT made.id, i.position, made.number, made.product, i.environment, i.own, i.status, i.holds, i.attempt, i.dispatch, i.steps
  FROM jsonb_to_recordset($3::jsonb) AS i(release_id uuid, position integer, environment text, own boolean, status text, holds boolean,
         attempt integer, dispatch integer, steps jsonb) JOIN made ON made.id = i.release_id
), logged AS (
  INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
  SELECT made.id, i.sequence, made.last_position, i.at, made.product, i.status, i.actor, i.event
  FROM jsonb_to_recordset($4::jsonb) AS i(release_id uuid, sequence integer, at timestamptz, status text, actor text, event jsonb)
  JOIN made ON made.id = i.release_id
  ORDER BY made.id, i.sequence
), audited AS (
  INSERT INTO audit_log (${AUDIT_COLUMNS}) SELECT ${AUDIT_COLUMNS}
  FROM jsonb_to_recordset($5::jsonb) AS i(release_id uuid, ${AUDIT_RECORD}) JOIN made ON made.id = i.release_id
  ON CONFLICT (command) DO NOTHING
)
SELECT id, number, pg_notify('sluice_events', '') FROM made`;
