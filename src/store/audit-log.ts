import type { AuditObject, AuditOutcome } from '../core/access/index.ts';
import type { Db } from './reads.ts';
import { beyond, walk } from './walk.ts';
import type { Looked, PageSize } from './walk.ts';

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

/** A command and what became of it, as it is written. */
export interface AuditEntry extends AuditOrigin, AuditChange {
  /** A uuid of this command's own: the table takes one entry of it, the first that comes. */
  command: string;
  outcome: AuditOutcome;
  reasons: string[] | null;
}

/** A command as the log holds it. */
export interface LoggedCommand extends Omit<AuditEntry, 'command'> {
  id: string;
  at: Date;
}

/** The columns of an entry as `auditRecord` gives them, for `jsonb_to_recordset`. */
export const AUDIT_COLUMNS = `command, actor, actor_kind, credential, action, transport, address, user_agent, input, outcome, reasons,
  before, after, objects`;
/** The same columns with their types, for the list behind `AS i`. */
export const AUDIT_RECORD = `command uuid, actor text, actor_kind text, credential text, action text, transport text, address text,
  user_agent text, input jsonb, outcome text, reasons jsonb, before jsonb, after jsonb, objects jsonb`;

/** An entry with the names of its columns. */
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

/** Which entries; all that is given must fit. */
export interface AuditFilter {
  actor?: string;
  actions?: string[];
  outcomes?: AuditOutcome[];
  object?: Partial<AuditObject>;
  since?: Date;
  until?: Date;
}

/** Newest first; `before` is the id after which the page begins. At most `limit`. */
export function listAudit(
  pool: Db,
  { key, filter = {}, ...size }: PageSize & { key?: string; filter?: AuditFilter },
): Promise<Looked<LoggedCommand>> {
  const { actor, actions, outcomes, object, since, until } = filter;
  const [order, direction] = actor === undefined ? (['a.id', 'DESC'] as const) : (['(-a.id)', 'ASC'] as const);
  return walk(
    pool,
    {
      from: 'audit_log a',
      select: `a.id, a.at, a.actor, a.actor_kind AS "actorKind", a.credential, a.action, a.transport, a.address,
        a.user_agent AS "userAgent", a.input, a.outcome, a.reasons, a.before, a.after, a.objects`,
      order: [order],
      direction,
      where: (values) => [
        ...(actor === undefined ? [] : [`a.actor = ${values.add(actor)}`]),
        ...(key === undefined
          ? []
          : [
              `${order} ${beyond(direction, size.backwards)} ${actor === undefined ? '' : '-'}${values.add(key)}::bigint`,
            ]),
      ],
      rest: (values) => [
        ...(actions === undefined ? [] : [`a.action = ANY(${values.add(actions)}::text[])`]),
        ...(outcomes === undefined ? [] : [`a.outcome = ANY(${values.add(outcomes)}::text[])`]),
        ...(object === undefined ? [] : [`a.objects @> ${values.add(JSON.stringify([object]))}::jsonb`]),
        ...(since === undefined ? [] : [`a.at >= ${values.add(since)}`]),
        ...(until === undefined ? [] : [`a.at < ${values.add(until)}`]),
      ],
    },
    size,
  );
}
