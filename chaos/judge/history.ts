import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ReleaseEvent } from '../../src/core/events.ts';
import type { PromotionFlowSpec, PromotionPolicySpec } from '../../src/core/definitions.ts';
import type { ReleasePlan } from '../../src/core/plan.ts';
import type { Problem } from '../../src/core/problems.ts';
import type { RollbackCause } from '../../src/core/rollback/rollback.ts';
import type { PromotionStatus, ReleaseKind, ReleaseStatus, StepState, Verification } from '../../src/core/release.ts';
import { query } from '../database.ts';

/** What the database says after a run; the judge has no other source but git and what clients received. */
export interface History {
  releases: Map<string, ReleaseHistory>;
  /** In the order of the log. */
  log: LogEntry[];
  /** What each idempotency key made. */
  keys: Map<string, string>;
  outbox: string[];
  rollbacks: RollbackHistory[];
  /** "name revision" → the flow as it was saved then. */
  flows: Map<string, PromotionFlowSpec>;
  /** "name revision" → the policy as it was saved then. */
  policies: Map<string, PromotionPolicySpec>;
  /** What keeps promotions out, by people and by rollbacks; times in milliseconds since the epoch. */
  holds: BarrierHistory[];
  marks: BarrierHistory[];
  /** Commands that were done, the oldest first. */
  audit: AuditHistory[];
  deployments: DeploymentHistory[];
}

export interface BarrierHistory {
  id: string;
  since: number;
  /** When it was taken back, or ended by itself; null: it is still there. */
  ended: number | null;
  byRollback: boolean;
}

export interface AuditHistory {
  action: string;
  objects: { kind: string; name: string }[];
}

/** The record that a release's version became current in an application. */
export interface DeploymentHistory {
  releaseId: string;
  environment: string;
  application: string;
  digest: string;
  at: Date;
  /** When it was found healthy. */
  verifiedAt: Date | null;
  /** How; null: not at all. */
  verifiedBy: Verification | null;
}

export interface RollbackHistory {
  id: string;
  product: string;
  cause: RollbackCause;
  /** Of the version that is taken back. */
  digest: string;
  /** The environments that went back by themselves. */
  included: string[];
  origins: string[];
  /** All whom it takes back know how it ended. */
  settledAt: Date | null;
}

export interface ReleaseHistory {
  id: string;
  product: string;
  kind: ReleaseKind;
  version: string;
  digest: string;
  concurrency: string;
  status: ReleaseStatus;
  sequence: number;
  endedAt: Date | null;
  plan: ReleasePlan;
  promotions: {
    status: PromotionStatus;
    attempt: number;
    dispatch: number;
    holds: boolean;
    problem: Problem | null;
    steps: Partial<StepState>[];
  }[];
  /** In the order of their numbers. */
  events: LogEntry[];
}

export interface LogEntry {
  releaseId: string;
  product: string;
  sequence: number;
  at: number;
  releaseStatus: ReleaseStatus;
  /** Who is behind it; null: Sluice by itself. */
  actor: string | null;
  event: ReleaseEvent;
}

export interface Invariant {
  name: string;
  /** How many single facts were looked at: a rule that never applied proves nothing. */
  checked: number;
  violations: string[];
}

/** Collects what a rule looked at and what it found wrong. */
export class Rule implements Invariant {
  readonly name: string;
  checked = 0;
  readonly violations: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  expect(holds: boolean, otherwise: () => string): void {
    this.checked += 1;
    if (!holds) this.violations.push(otherwise());
  }
}

/**
 * The history of a run whose servers are still up, once the outbox is empty: a row that a killed process had handed over is another
 * one's after 1.5 s, and what the queue refused after pauses that end at a minute. What is left after two minutes is left for good.
 */
export async function readSettledHistory(databaseUrl: string): Promise<History> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    if ((await query(databaseUrl, 'SELECT FROM outbox LIMIT 1')).length === 0) break;
  }
  return readHistory(databaseUrl);
}

export async function readHistory(databaseUrl: string): Promise<History> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // One moment for all that is read: what has not ended may still move.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const releases = await client.query<Omit<ReleaseHistory, 'events'>>(
      `SELECT r.id, r.product, r.kind, r.version, r.digest, r.concurrency, r.status, r.sequence, r.ended_at AS "endedAt", l.plan,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('status', p.status, 'attempt', p.attempt, 'dispatch', p.dispatch, 'holds', p.holds, 'problem', p.problem, 'steps', p.steps) ORDER BY p.position), '[]')
          FROM promotion p WHERE p.release_id = r.id) AS promotions
       FROM release r JOIN release_plan l ON l.release_id = r.id ORDER BY r.number`,
    );
    const events = await client.query<Omit<LogEntry, 'at'> & { at: Date }>(
      `SELECT release_id AS "releaseId", product, sequence, at, release_status AS "releaseStatus", actor, event
       FROM logged_event ORDER BY position, id`,
    );
    const keys = await client.query<{ key: string; result: string }>(
      `SELECT key, result FROM idempotency_key WHERE operation = 'triggerRelease'`,
    );
    const rollbacks = await client.query<RollbackHistory>(
      `SELECT id, product, cause, digest, included, origins, settled_at AS "settledAt" FROM rollback ORDER BY created_at, id`,
    );
    const deployments = await client.query<DeploymentHistory>(
      `SELECT release_id AS "releaseId", environment, application, digest, at, verified_at AS "verifiedAt",
         verified_by AS "verifiedBy" FROM deployment`,
    );
    const outbox = await client.query<{ key: string }>('SELECT key FROM outbox');
    const revisions = async <S>(kind: string): Promise<Map<string, S>> => {
      const { rows } = await client.query<{ id: string; spec: S }>(
        `SELECT name || ' ' || revision AS id, spec FROM definition_revision WHERE kind = $1 AND spec IS NOT NULL`,
        [kind],
      );
      return new Map(rows.map((row) => [row.id, row.spec]));
    };
    const flows = await revisions<PromotionFlowSpec>('PromotionFlow');
    const policies = await revisions<PromotionPolicySpec>('PromotionPolicy');
    const barriers = async (table: string, ended: string, until: string): Promise<BarrierHistory[]> => {
      const { rows } = await client.query<BarrierHistory>(
        `SELECT id, extract(epoch FROM since)::float * 1000 AS since, rollback_id IS NOT NULL AS "byRollback",
           extract(epoch FROM least(${ended}, ${until}))::float * 1000 AS ended FROM ${table}`,
      );
      return rows;
    };
    const holds = await barriers('environment_hold', 'lifted_at', 'until');
    const marks = await barriers('bad_version', 'unmarked_at', 'expires_at');
    const audit = await client.query<AuditHistory>(
      `SELECT action, objects FROM audit_log WHERE outcome = 'DONE' ORDER BY id`,
    );
    const log = events.rows.map((row) => ({ ...row, at: row.at.getTime() }));
    const byRelease = new Map(releases.rows.map((row) => [row.id, { ...row, events: [] as LogEntry[] }]));
    for (const entry of log) byRelease.get(entry.releaseId)?.events.push(entry);
    for (const { events: own } of byRelease.values()) own.sort((a, b) => a.sequence - b.sequence);
    return {
      releases: byRelease,
      log,
      keys: new Map(keys.rows.map((row) => [row.key, row.result])),
      outbox: outbox.rows.map((row) => row.key),
      rollbacks: rollbacks.rows,
      flows,
      policies,
      holds,
      marks,
      audit: audit.rows,
      deployments: deployments.rows,
    };
  } finally {
    await client.end();
  }
}

/** Every release, every rollback and then the log in its order, as one JSON value per line. */
export function toLines({ releases, rollbacks, log }: History): string {
  const own = [...releases.values()].map(({ events: _, ...release }) => release);
  return [...own, ...rollbacks, ...log].map((each) => `${JSON.stringify(each)}\n`).join('');
}
