import type { EntityManager } from 'typeorm';
import type { ReleaseState } from '../core/release.ts';
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

export type { AuditTicket };
