import type { AuditHistory, History, Invariant, LogEntry } from './history.ts';
import { Rule } from './history.ts';

/**
 * What people did is in the audit log as often as it is in the event log, and the other way round.
 * @param byThemselves releases that came of a push: nobody asked for them
 */
export function judgeAudit(
  { audit, log, releases, holds, marks }: History,
  byThemselves: ReadonlySet<string>,
): Invariant {
  const rule = new Rule('each thing that a person did has one entry in the audit log');
  const entries = new Map<string, number>();
  for (const entry of audit) for (const place of placesOf(entry)) entries.set(place, (entries.get(place) ?? 0) + 1);
  const events = new Map<string, number>();
  const count = (place: string): void => void events.set(place, (events.get(place) ?? 0) + 1);
  const skipped = new Set<string>();
  for (const entry of log) {
    const bySkip = entry.event.type === 'ReleaseRetried' && skipped.has(entry.releaseId);
    skipped.delete(entry.releaseId);
    if (entry.event.type === 'PromotionSkipped' && entry.event.byPerson) skipped.add(entry.releaseId);
    // What goes on right behind a skip goes on because of it.
    const what = bySkip ? null : commandOf(entry);
    const nobody = releases.get(entry.releaseId)?.kind !== 'FORWARD' || byThemselves.has(entry.releaseId);
    if (what === 'releaseTrigger' && nobody) continue;
    if (what !== null) count(`${what} ${entry.releaseId}`);
  }
  for (const { id, byRollback } of holds) if (!byRollback) count(`environmentHold ${id}`);
  for (const { id, byRollback } of marks) if (!byRollback) count(`versionMarkBad ${id}`);
  for (const [place, times] of events)
    rule.expect(
      entries.get(place) === times,
      () => `${place}: ${times} in the tables, ${entries.get(place) ?? 0} in the audit log`,
    );
  return rule;
}

function placesOf({ action, objects }: AuditHistory): string[] {
  const kind = OBJECTS[action];
  const command = DECISIONS.has(action) ? 'decision' : action;
  return objects.filter((each) => each.kind === kind).map((each) => `${command} ${each.name}`);
}

/** The thing that an entry is about, by which it is found again. */
const OBJECTS: Partial<Record<string, string>> = {
  releaseTrigger: 'Release',
  releaseRetry: 'Release',
  promotionSkip: 'Release',
  promotionApprove: 'Release',
  promotionReject: 'Release',
  rollbackTargetApprove: 'Release',
  rollbackTargetReject: 'Release',
  environmentHold: 'EnvironmentHold',
  versionMarkBad: 'BadVersion',
};

const DECISIONS = new Set(['promotionApprove', 'promotionReject', 'rollbackTargetApprove', 'rollbackTargetReject']);

function commandOf({ event }: LogEntry): string | null {
  switch (event.type) {
    case 'ReleaseQueued':
      return 'releaseTrigger';
    case 'ReleaseRetried':
      return 'releaseRetry';
    case 'PromotionSkipped':
      return event.byPerson ? 'promotionSkip' : null;
    case 'ApprovalGiven':
    case 'ApprovalRejected':
      return 'decision';
    default:
      return null;
  }
}
