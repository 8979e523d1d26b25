import type { PoolClient, Pool } from 'pg';
import type { Decision } from '../core/decision.ts';
import type { PlannedApplication, PlannedPromotion, ReleasePlan } from '../core/plan.ts';
import { shortIdOf } from '../core/short-id.ts';
import { AUDIT_COLUMNS, AUDIT_RECORD, auditRecord } from './audit-log.ts';
import type { AuditEntry } from './audit-log.ts';
import { eventRows } from './event-rows.ts';
import { outboxOf, outboxRecord } from './outbox.ts';
import { promotionRecord, releaseRecord } from './release-shape.ts';

/** What is known of a release besides its state; none of it ever changes. */
export interface ReleaseIdentity {
  id: string;
  product: string;
  /** In the order of creation. */
  number: number;
  version: string;
  plan: ReleasePlan;
  /** Content key → digest and label, for deployment records. */
  contents: Record<string, { digest: string; label: string; commit?: string }>;
}

/** A decision with what it was made from. */
export interface DecisionToSave {
  release: ReleaseIdentity;
  /** The revision that the decision was made from: the save is a compare-and-set on it. */
  expected: number;
  decision: Decision;
  /** Of the commands that the decision answers. */
  audit: AuditEntry[];
}

/**
 * Saves many decisions in one statement, so in one transaction or as a part of one: state, events, outbox, deployments,
 * the holds that end with it, and the notice to readers of the log. The statement takes the releases' row locks in the order of their ids, and compares their revisions; a release that
 * another save moved meanwhile is left out, with everything of its decision, and is missing from the answer. It is sent before this returns.
 */
export function saveDecisions(
  client: Pool | PoolClient,
  decisions: DecisionToSave[],
  handedOver: string[],
): Promise<Set<string>> {
  const releases: unknown[] = [];
  const promotions: unknown[] = [];
  const events: unknown[] = [];
  const outbox: unknown[] = [];
  const deployments: unknown[] = [];
  const lifted: unknown[] = [];
  const audits: unknown[] = [];
  for (const { release, expected, decision, audit } of decisions) {
    const { state } = decision;
    const { id } = release;
    for (const entry of audit) audits.push({ release_id: id, ...auditRecord(entry) });
    releases.push(releaseRecord(state, expected));
    for (const position of decision.changed) {
      const promotion = state.promotions[position];
      if (promotion) promotions.push(promotionRecord(id, position, promotion));
    }
    for (const row of eventRows(decision.events)) events.push({ release_id: id, ...row });
    for (const each of outboxOf(decision)) outbox.push(outboxRecord(each));
    for (const hold of decision.lifted) {
      const at = new Date(state.lastEventAt).toISOString();
      lifted.push({
        id: hold,
        release_id: id,
        at,
        reason: `release ${shortIdOf(release.product, release.number)} was promoted there`,
      });
    }
    for (const fact of decision.deployments) {
      const promotion = release.plan.promotions[fact.promotion] as PlannedPromotion;
      const application = promotion.applications[fact.application] as PlannedApplication;
      const content = release.contents[application.content];
      const at = new Date(fact.at).toISOString();
      deployments.push({
        release_id: id,
        product: release.product,
        environment: promotion.environment,
        application: application.name,
        version: content?.label ?? release.version,
        digest: content?.digest ?? '',
        commit_id:
          fact.commit ?? (promotion.name === release.plan.triggerEnvironment ? (content?.commit ?? null) : null),
        at,
        verified_at: fact.verified === null ? null : at,
        verified_by: fact.verified,
        fresh: fact.verified === null,
      });
    }
  }
  const saving = client.query<{ id: string }>({
    name: 'save-decisions',
    text: SAVE,
    values: [
      ...[releases, promotions, events, outbox, mergeDeployments(deployments)].map((rows) => JSON.stringify(rows)),
      handedOver,
      JSON.stringify(lifted),
      JSON.stringify(audits),
      decisions.map(({ release }) => release.id),
    ],
  });
  return saving.then(({ rows }) => new Set(rows.map((row) => row.id)));
}

/** One statement cannot touch a row twice: "became current" and "found healthy" in one decision are one row. */
function mergeDeployments(rows: unknown[]): unknown[] {
  const merged = new Map<string, Record<string, unknown>>();
  for (const row of rows as Record<string, unknown>[]) {
    const key = `${row['release_id'] as string} ${row['application'] as string}`;
    const before = merged.get(key);
    merged.set(key, before ? { ...before, verified_at: row['verified_at'], verified_by: row['verified_by'] } : row);
  }
  return [...merged.values()];
}

export const SAVE = `
WITH input AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS i(
    id uuid, expected integer, status text, sequence integer, started_at timestamptz, ended_at timestamptz,
    deadline timestamptz, wake_at timestamptz, rest jsonb)
), locked AS MATERIALIZED (
  -- In one order everywhere: an UPDATE locks rows as it comes across them, and two that share releases would wait in a circle.
  SELECT id FROM release WHERE id = ANY($9::uuid[]) ORDER BY id FOR NO KEY UPDATE
), saved AS (
  UPDATE release r SET
    status = i.status, revision = r.revision + 1, sequence = i.sequence, started_at = i.started_at,
    ended_at = i.ended_at, deadline = i.deadline, wake_at = i.wake_at, rest = i.rest,
    last_position = greatest(r.last_position, pg_current_xact_id()::text::bigint)
  -- By their keys: the planner takes a document for a hundred rows, and would go through the whole table for that many.
  FROM input i JOIN locked ON locked.id = i.id
  WHERE r.id = ANY($9::uuid[]) AND r.id = i.id AND r.revision = i.expected
  RETURNING r.id, r.product, r.last_position
), promoted AS (
  UPDATE promotion p SET
    status = i.status, holds = i.holds, attempt = i.attempt, dispatch = i.dispatch, started_at = i.started_at,
    ended_at = i.ended_at, steps = i.steps, problem = i.problem, evidence = i.evidence,
    approval = i.approval, overrides = i.overrides, merge = i.merge
  FROM jsonb_to_recordset($2::jsonb) AS i(
    release_id uuid, position integer, status text, holds boolean, attempt integer, dispatch integer,
    started_at timestamptz, ended_at timestamptz, steps jsonb, problem jsonb, evidence jsonb,
    approval jsonb, overrides jsonb, merge jsonb)
  JOIN saved ON saved.id = i.release_id
  WHERE p.release_id = i.release_id AND p.position = i.position
), logged AS (
  INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
  SELECT i.release_id, i.sequence, saved.last_position, i.at, saved.product, i.status, i.actor, i.event
  FROM jsonb_to_recordset($3::jsonb) AS i(
    release_id uuid, sequence integer, at timestamptz, status text, actor text, event jsonb)
  JOIN saved ON saved.id = i.release_id
  ORDER BY i.release_id, i.sequence
), queued AS (
  INSERT INTO outbox (key, release_id, lane, work, due_at)
  SELECT i.key, i.release_id, i.lane, i.work, now() + i.first * interval '1 millisecond'
  FROM jsonb_to_recordset($4::jsonb) AS i(key text, release_id uuid, lane text, work jsonb, first float8)
  JOIN saved ON saved.id = i.release_id
), arriving AS (
  SELECT i.* FROM jsonb_to_recordset($5::jsonb) AS i(
    release_id uuid, product text, environment text, application text, version text, digest text, commit_id text,
    at timestamptz, verified_at timestamptz, verified_by text, fresh boolean)
  JOIN saved ON saved.id = i.release_id
), deployed AS (
  INSERT INTO deployment (release_id, product, environment, application, version, digest, commit_id, at, verified_at,
    verified_by)
  SELECT i.release_id, i.product, i.environment, i.application, i.version, i.digest, i.commit_id, i.at, i.verified_at,
    i.verified_by
  FROM arriving i
  -- Fresh: it became current anew, after a rollback had taken it back. Else it was found healthy, and nothing moves.
  ON CONFLICT (release_id, application) DO UPDATE SET
    (at, verified_at, verified_by, looked_at, unseen, drift) = (
      SELECT CASE WHEN i.fresh THEN excluded.at ELSE deployment.at END,
        CASE WHEN i.fresh THEN excluded.verified_at ELSE coalesce(excluded.verified_at, deployment.verified_at) END,
        CASE WHEN i.fresh THEN excluded.verified_by ELSE coalesce(excluded.verified_by, deployment.verified_by) END,
        CASE WHEN NOT i.fresh THEN deployment.looked_at END, CASE WHEN NOT i.fresh THEN deployment.unseen END,
        CASE WHEN NOT i.fresh THEN deployment.drift END
      FROM arriving i WHERE i.release_id = deployment.release_id AND i.application = deployment.application),
    commit_id = coalesce(excluded.commit_id, deployment.commit_id)
), handed AS (
  DELETE FROM outbox WHERE key = ANY($6::text[])
), lifted AS (
  UPDATE environment_hold h SET lifted_at = i.at, lift_reason = i.reason
  FROM jsonb_to_recordset($7::jsonb) AS i(id uuid, release_id uuid, at timestamptz, reason text)
  JOIN saved ON saved.id = i.release_id
  WHERE h.id = i.id AND h.lifted_at IS NULL
), audited AS (
  INSERT INTO audit_log (${AUDIT_COLUMNS})
  SELECT ${AUDIT_COLUMNS} FROM jsonb_to_recordset($8::jsonb) AS i(release_id uuid, ${AUDIT_RECORD})
  JOIN saved ON saved.id = i.release_id
  ON CONFLICT (command) DO NOTHING
)
SELECT saved.id, (SELECT pg_notify('sluice_events', '')) AS notified FROM saved`;
