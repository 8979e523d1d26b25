import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { NumberedEvent } from '../core/events.ts';
import type { ReleaseState } from '../core/release.ts';
import type { AuditEntry } from '../store/audit-log.ts';
import { insertRelease } from '../store/insert-release.ts';
import type { NewRelease } from '../store/insert-release.ts';
import { claimAudit } from './audit.ts';
import type { AuditTicket } from './audit.ts';
import type { AuditChange } from './audit.ts';

/** A new release, and in the same statement the entry of the command that made it. */
export async function insertAudited(tx: EntityManager, release: NewRelease): Promise<number> {
  const ticket = claimAudit();
  const { state, kind, product, version, digest } = release;
  const objects = [
    { kind: 'Release', name: state.id },
    { kind: 'Product', name: product },
  ];
  const after = { status: state.status, kind, product, version, digest };
  const number = await insertRelease(tx, release, ticket?.entry({ before: null, after, objects }) ?? null);
  ticket?.written();
  return number;
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
