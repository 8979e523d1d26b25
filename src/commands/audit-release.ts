import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { NumberedEvent } from '../core/events.ts';
import type { ReleaseState } from '../core/release.ts';
import type { AuditEntry } from '../store/audit-log.ts';
import { insertRelease } from '../store/insert-release.ts';
import type { NewRelease, Still } from '../store/insert-release.ts';
import { claimAudit } from './audit.ts';
import type { AuditTicket } from './audit.ts';
import type { AuditChange } from './audit.ts';

/** A new release, and in the same statement the entry of the command that made it. */
export async function insertAudited(tx: EntityManager, release: NewRelease): Promise<number> {
  return (await insertAuditedIf(tx, release, null)) as number;
}

/** The same if `still` holds as the statement sees the database; otherwise nothing is written, and the answer is null. */
export async function insertAuditedIf(
  tx: EntityManager,
  release: NewRelease,
  still: Still | null,
): Promise<number | null> {
  const ticket = claimAudit(tx);
  const audit = ticket?.entry(auditOfNew(release)) ?? null;
  const number = await insertRelease(tx, { release, audit, still });
  if (number === null) ticket?.unused();
  else ticket?.written();
  return number;
}

/** What the audit log says of a release that is made. */
export function auditOfNew({ state, kind, product, version, digest }: NewRelease): AuditChange {
  const objects = [
    { kind: 'Release', name: state.id },
    { kind: 'Product', name: product },
  ];
  return { before: null, after: { status: state.status, kind, product, version, digest }, objects };
}

/** What a command did to a release: its status, and those of the promotions that it changed. */
export function auditOfMove(
  { id, product, plan }: { id: string; product: string; plan: { promotions: readonly { name: string }[] } },
  before: ReleaseState,
  after: ReleaseState,
  changed: readonly number[],
): AuditChange {
  const shown = ({ status, promotions }: ReleaseState) => ({
    status,
    promotions: Object.fromEntries(
      changed.map((position) => [plan.promotions[position]?.name, promotions[position]?.status]),
    ),
  });
  const objects = [
    { kind: 'Release', name: id },
    { kind: 'Product', name: product },
  ];
  return { before: shown(before), after: shown(after), objects };
}

/** A merge outside the gates is what somebody did at the host of the repository: it has an entry as if it had been a command. */
export function auditOfMerges(
  { id, product }: { id: string; product: string },
  events: readonly NumberedEvent[],
): AuditEntry[] {
  return events.flatMap(({ event }): AuditEntry[] => {
    if (event.type !== 'PullRequestMergedOutsideGates') return [];
    const { environment, number, url, when, unmet, by } = event;
    return [
      {
        command: randomUUID(),
        actor: by ?? null,
        actorKind: null,
        credential: null,
        action: 'pullRequestMergedOutsideGates',
        transport: 'GIT_HOST',
        address: null,
        userAgent: null,
        input: { environment, number, url, when, unmet },
        outcome: 'DONE',
        reasons: null,
        before: null,
        after: null,
        objects: [
          { kind: 'Release', name: id },
          { kind: 'Product', name: product },
          { kind: 'Environment', name: environment },
        ],
      },
    ];
  });
}

export type { AuditTicket };
