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
import { promotionRecord, releaseRecord } from './release-shape.ts';

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

/** A release with its plan, its promotions, its first event and who asked for it, in one statement; answers its number. */
export async function insertRelease(
  tx: EntityManager,
  release: NewRelease,
  audit: AuditEntry | null = null,
): Promise<number> {
  const { state, plan, product } = release;
  const record = releaseRecord(state, 0);
  const promotions = state.promotions.map((promotion, position) => ({
    ...promotionRecord(state.id, position, promotion),
    environment: plan.promotions[position]?.environment ?? null,
  }));
  const { flow } = plan;
  const { versions, apart } = withoutFiles(release.contents);
  const client = tx.queryRunner ? await clientOf(tx) : poolOf(tx.dataSource);
  const { rows } = await client.query<{ number: string }>({
    name: 'insert-release',
    text: INSERT,
    values: [
      state.id,
      JSON.stringify({ ...record, kind: release.kind, product, flow: flow.name, flow_revision: flow.revision }),
      JSON.stringify({
        version: release.version,
        digest: release.digest,
        concurrency: release.concurrency,
        trigger: release.trigger,
      }),
      new Date(state.createdAt).toISOString(),
      JSON.stringify(plan),
      JSON.stringify(versions),
      JSON.stringify(promotions),
      JSON.stringify(eventRows(release.events)),
      product,
      JSON.stringify(audit ? [auditRecord(audit)] : []),
      JSON.stringify(apart),
    ],
  });
  return Number(rows[0]?.number);
}

const INSERT = `
WITH made AS (
  INSERT INTO release (id, kind, product, flow, flow_revision, version, digest, concurrency, trigger, status, revision, sequence,
    last_position, created_at, wake_at, rest)
  SELECT $1::uuid, r.kind, r.product, r.flow, r.flow_revision, v.version, v.digest, v.concurrency, v.trigger, r.status, 1, r.sequence,
    pg_current_xact_id()::text::bigint, $4::timestamptz, r.wake_at, r.rest
  FROM jsonb_to_record($2::jsonb) AS r(kind text, product text, flow text, flow_revision integer, status text, sequence integer,
         wake_at timestamptz, rest jsonb),
       jsonb_to_record($3::jsonb) AS v(version text, digest text, concurrency text, trigger jsonb)
  RETURNING id, number, last_position
), planned AS (
  INSERT INTO release_plan (release_id, plan, contents) SELECT id, $5::jsonb, $6::jsonb FROM made
), stored AS (
  -- In the order of the digests: two releases that bring the same contents never wait for each other in a circle.
  INSERT INTO content (digest, files, listing, referenced_at)
  SELECT i.digest, i.files, i.listing, $4::timestamptz
  FROM json_to_recordset($11::json) AS i(digest text, files json, listing jsonb) ORDER BY i.digest
  ON CONFLICT (digest) DO UPDATE SET referenced_at = greatest(content.referenced_at, excluded.referenced_at)
), promoted AS (
  INSERT INTO promotion (release_id, position, number, product, environment, status, holds, attempt, dispatch, steps)
  SELECT made.id, i.position, made.number, $9, i.environment, i.status, i.holds, i.attempt, i.dispatch, i.steps
  FROM made, jsonb_to_recordset($7::jsonb) AS i(position integer, environment text, status text, holds boolean,
         attempt integer, dispatch integer, steps jsonb)
), logged AS (
  INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
  SELECT made.id, i.sequence, made.last_position, i.at, $9, i.status, i.actor, i.event
  FROM made, jsonb_to_recordset($8::jsonb) AS i(sequence integer, at timestamptz, status text, actor text, event jsonb)
  ORDER BY i.sequence
), audited AS (
  INSERT INTO audit_log (${AUDIT_COLUMNS}) SELECT ${AUDIT_COLUMNS} FROM jsonb_to_recordset($10::jsonb) AS i(${AUDIT_RECORD})
  ON CONFLICT (command) DO NOTHING
)
SELECT number, pg_notify('sluice_events', '') FROM made`;
