import type { Pool } from 'pg';
import type { AuditObject, AuditOutcome } from '../core/access/index.ts';

/** Who gave which command, from where; known before anything is done. */
export interface AuditOrigin {
  actor: string | null;
  actorKind: 'PERSON' | 'SERVICE_ACCOUNT' | null;
  credential: string | null;
  action: string;
  transport: string;
  address: string | null;
  userAgent: string | null;
  /** Secrets masked. */
  input: unknown;
}

/** What became of it. */
export interface AuditChange {
  before: unknown;
  after: unknown;
  objects: AuditObject[];
}

export interface AuditEntry extends AuditOrigin, AuditChange {
  /** A uuid of this command's own: the table takes one entry of it, whoever comes first. */
  command: string;
  outcome: AuditOutcome;
  reasons: string[] | null;
}

export interface LoggedCommand extends Omit<AuditEntry, 'command'> {
  id: string;
  at: Date;
}

/** The columns of an entry as `auditRecord` gives them, for `jsonb_to_recordset`. */
export const AUDIT_COLUMNS = `command, actor, actor_kind, credential, action, transport, address, user_agent, input, outcome, reasons,
  before, after, objects`;
export const AUDIT_RECORD = `command uuid, actor text, actor_kind text, credential text, action text, transport text, address text,
  user_agent text, input jsonb, outcome text, reasons jsonb, before jsonb, after jsonb, objects jsonb`;

export function auditRecord(entry: AuditEntry): Record<string, unknown> {
  const { actorKind, userAgent, input, ...same } = entry;
  return { ...same, actor_kind: actorKind, user_agent: userAgent, input: input ?? {} };
}

/** Inside a transaction of the caller's, or as one of its own. A command that has its entry gets no second one. */
export async function insertAudit(
  db: { query(text: string, values: unknown[]): Promise<unknown> },
  entry: AuditEntry,
): Promise<void> {
  await db.query(
    `INSERT INTO audit_log (${AUDIT_COLUMNS}) SELECT ${AUDIT_COLUMNS} FROM jsonb_to_recordset($1::jsonb) AS i(${AUDIT_RECORD})
     ON CONFLICT (command) DO NOTHING`,
    [JSON.stringify([auditRecord(entry)])],
  );
}

export interface AuditFilter {
  actor?: string;
  actions?: string[];
  outcomes?: AuditOutcome[];
  object?: Partial<AuditObject>;
  since?: Date;
  until?: Date;
}

/** Newest first; `before` is the id after which the page begins. At most `limit`. */
export async function listAudit(
  pool: Pool,
  { limit, before, filter = {} }: { limit: number; before?: string; filter?: AuditFilter },
): Promise<LoggedCommand[]> {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const where = (condition: string, value: unknown): void => {
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  if (before !== undefined) where('id < ?::bigint', before);
  if (filter.actor !== undefined) where('actor = ?', filter.actor);
  if (filter.actions !== undefined) where('action = ANY(?::text[])', filter.actions);
  if (filter.outcomes !== undefined) where('outcome = ANY(?::text[])', filter.outcomes);
  if (filter.object !== undefined) where('objects @> ?::jsonb', JSON.stringify([filter.object]));
  if (filter.since !== undefined) where('at >= ?', filter.since);
  if (filter.until !== undefined) where('at < ?', filter.until);
  values.push(limit);
  const { rows } = await pool.query<LoggedCommand>(
    `SELECT id, at, actor, actor_kind AS "actorKind", credential, action, transport, address, user_agent AS "userAgent",
       input, outcome, reasons, before, after, objects
     FROM audit_log ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
     ORDER BY id DESC LIMIT $${values.length}`,
    values,
  );
  return rows;
}
