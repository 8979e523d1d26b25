import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../core/caller.ts';

/** A link that brings one decision of one person; used once. */
export interface ApprovalLink {
  id: string;
  releaseId: string;
  /** The environment's name, or the workflow step's. */
  environment: string;
  attempt: number;
  /** The id of the step that asks; null: the start of the promotion is decided on. */
  step: string | null;
  decision: 'approve' | 'reject';
  approver: Caller;
  createdBy: string | null;
  /** What showed who made it, e.g. `token ID`. */
  credential: string | null;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
}

/** In the caller's transaction. */
export async function insertApprovalLink(tx: EntityManager, link: Omit<ApprovalLink, 'usedAt'>): Promise<void> {
  await tx.query(
    `INSERT INTO approval_link (id, release_id, environment, attempt, decision, approver, created_by, credential, created_at,
       expires_at, step)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      link.id,
      link.releaseId,
      link.environment,
      link.attempt,
      link.decision,
      JSON.stringify(link.approver),
      link.createdBy,
      link.credential,
      link.createdAt,
      link.expiresAt,
      link.step,
    ],
  );
}

/** By its id; null when there is none. */
export async function readApprovalLink(pool: Pool, id: string): Promise<ApprovalLink | null> {
  const { rows } = await pool.query<ApprovalLink>(
    `SELECT id, release_id AS "releaseId", environment, attempt, decision, approver, created_by AS "createdBy",
       credential, created_at AS "createdAt", expires_at AS "expiresAt", used_at AS "usedAt", step
     FROM approval_link WHERE id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** False when it was used before: of several at the same moment one gets true. */
export async function markUsed(pool: Pool, id: string, at: Date): Promise<boolean> {
  const { rowCount } = await pool.query('UPDATE approval_link SET used_at = $2 WHERE id = $1 AND used_at IS NULL', [
    id,
    at,
  ]);
  return rowCount === 1;
}

/** Made by the first process that asks, and the same for every process from then on; base64. */
export async function signingKeyOf(pool: Pool): Promise<string> {
  await pool.query('INSERT INTO signing_key (id, key, created_at) VALUES (1, $1, now()) ON CONFLICT (id) DO NOTHING', [
    randomBytes(32).toString('base64'),
  ]);
  const { rows } = await pool.query<{ key: string }>('SELECT key FROM signing_key WHERE id = 1');
  return (rows[0] as { key: string }).key;
}

/**
 * The keys for what git must prove: the configured one signs where there is one, and the one in the database is believed beside it,
 * so that nothing is doubted on the day on which a key is configured. Read once per process.
 */
export function signingKeysOf(pool: Pool, configured: string | undefined): () => Promise<string[]> {
  let kept: Promise<string> | null = null;
  return async () => {
    kept ??= signingKeyOf(pool);
    try {
      const stored = await kept;
      return configured === undefined ? [stored] : [configured, stored];
    } catch (error) {
      kept = null;
      throw error;
    }
  };
}
