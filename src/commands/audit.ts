import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { EntityManager } from 'typeorm';
import { masked } from '../core/access/index.ts';
import { whenUndone } from '../entities/data-source.ts';
import type { AuditObject } from '../core/access/index.ts';
import { insertAudit } from '../store/audit-log.ts';
import type { AuditChange, AuditEntry, AuditOrigin } from '../store/audit-log.ts';

/**
 * Every command that a caller gives leaves one entry in the audit log, whatever became of it. What changes things writes the
 * entry with them, in the same transaction, by `auditChange`; for what did not (it was refused, it broke, or it changed
 * nothing) `audited` writes it afterwards. A command does not have to know: one that writes no entry of its own gets one. There
 * is never a second one, also where it is not known whether the first was committed: each command has an id of its own.
 */
export async function audited<T>(
  pool: Pool,
  origin: AuditOrigin,
  command: () => Promise<T>,
  refusalsOf: (result: T) => string[],
): Promise<T> {
  const masking = { ...origin, input: masked(origin.input) };
  const given: Given = { command: randomUUID(), origin: masking, claimed: false, written: false };
  try {
    const result = await current.run(given, command);
    const reasons = refusalsOf(result);
    if (reasons.length > 0)
      await insertAudit(pool, entryOf(given, { outcome: 'REFUSED', reasons: reasons.map(shown) }));
    else if (!given.written) await insertAudit(pool, entryOf(given, { outcome: 'DONE', reasons: null }));
    return result;
  } catch (error) {
    const code = (error as { extensions?: { code?: unknown } }).extensions?.code;
    const outcome = code === 'FORBIDDEN' ? 'FORBIDDEN' : 'FAILED';
    // Faults of our own are for the server's log: their words may hold what a client must not read.
    const reasons = outcome === 'FORBIDDEN' || code === 'BAD_USER_INPUT' ? [shown((error as Error).message)] : null;
    await insertAudit(pool, entryOf(given, { outcome, reasons }));
    throw error;
  } finally {
    // Timers and moves that it set off still run in its name: they write nothing more.
    given.claimed = true;
  }
}

interface Given {
  command: string;
  origin: AuditOrigin;
  /** A ticket for the entry was given out, or the command is over: no further ticket is given. */
  claimed: boolean;
  written: boolean;
}

const current = new AsyncLocalStorage<Given>();

const NOTHING: AuditChange = { before: null, after: null, objects: [] };

/** A refusal quotes what was sent, which may be what the database does not hold. */
const shown = (text: string): string => masked(text) as string;

function entryOf(
  { command, origin }: Given,
  more: Pick<AuditEntry, 'outcome' | 'reasons'> & Partial<AuditChange>,
): AuditEntry {
  return { command, ...origin, ...NOTHING, ...more };
}

/** A command's entry, to be written together with what it does. */
export interface AuditTicket {
  entry(change: AuditChange): AuditEntry;
  /** Once the transaction has committed. */
  written(): void;
  /** Nothing was done with it: the command's next part may claim the entry. */
  unused(): void;
}

/**
 * The entry of the command under way; null when there is no command, or its entry was claimed already.
 * @param tx whose work writes it: undone it has claimed nothing
 */
export function claimAudit(tx?: EntityManager): AuditTicket | null {
  const given = current.getStore();
  if (!given || given.claimed) return null;
  given.claimed = true;
  if (tx) whenUndone(tx, () => Object.assign(given, { claimed: false, written: false }));
  return {
    entry: ({ before, after, objects }) =>
      entryOf(given, { outcome: 'DONE', reasons: null, before: masked(before), after: masked(after), objects }),
    written: () => {
      given.written = true;
    },
    unused: () => {
      given.claimed = false;
    },
  };
}

/**
 * Writes the entry inside the command's own transaction, as the last thing in it: what is undone leaves none.
 * @returns false: there is no command under way, or it has its entry
 */
export async function auditChange(tx: EntityManager, change: AuditChange): Promise<boolean> {
  const ticket = claimAudit(tx);
  if (!ticket) return false;
  await insertAudit(tx, ticket.entry(change));
  ticket.written();
  return true;
}

export type { AuditChange, AuditObject, AuditOrigin };
