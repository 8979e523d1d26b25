import type { NumberedEvent, ReleaseEvent, ReleaseEventType } from '../core/events.ts';

// The log has a row for what a decision says in one go about one environment: what its events share, and the list of them. A row's
// `sequence`, `position` and `id` are those of its last event; the others count back from there, in the room that `id` leaves before
// each row. A row of one event holds it without a list, as all rows did at first.

/** How far apart the ids of rows are, and so how many events fit into one: the increment of the ids' sequence. */
export const ROOM = 1_000;

/**
 * The types whose places are in an index (`release_event_of_type`, whose condition is this list in this order). Of the others every
 * release has some, or many: they are found on the way.
 */
export const RARE: readonly ReleaseEventType[] = [
  'ReleaseTerminating',
  'ReleaseRetried',
  'ReleaseTerminated',
  'ReleaseFailed',
  'WindowOverridden',
  'HoldLifted',
  'PromotionResumed',
  'PromotionTerminated',
  'PromotionFailed',
  'PromotionSkipped',
  'ApprovalRequested',
  'ApprovalGiven',
  'ApprovalGranted',
  'ApprovalRejected',
  'ApprovalExpired',
  'StepRetrying',
  'StepFailed',
  'StepTerminated',
  'DriftOverwritten',
  'RolloutReported',
  'ReleaseTakenBack',
  'PromotionRollingBack',
  'PromotionRolledBack',
  'PromotionRollbackFailed',
  'RollbackStarted',
  'RollbackJoined',
  'RollbackTargetProposed',
  'RollbackTargetImpossible',
  'RollbackTargetStarted',
  'RollbackTargetSucceeded',
  'RollbackTargetFailed',
  'RollbackTargetLeftAlone',
  'GroupGateFailed',
];

/** A row as it is written. */
export interface NewEventRow {
  /** Of its last event. */
  sequence: number;
  /** ISO 8601. */
  at: string;
  status: NumberedEvent['releaseStatus'];
  /** Left out: Sluice by itself. */
  actor: string | undefined;
  event: ReleaseEvent | ReleaseEvent[];
}

/** The rows of events that are saved together, in their order. */
export function eventRows(events: readonly NumberedEvent[]): NewEventRow[] {
  const rows: NewEventRow[] = [];
  let run: ReleaseEvent[] = [];
  for (const [index, last] of events.entries()) {
    run.push(last.event);
    const next = events[index + 1];
    if (next && run.length < ROOM && isOfOneRow(last, next)) continue;
    const { sequence, at, releaseStatus: status, actor } = last;
    const event = run.length === 1 ? last.event : run;
    rows.push({ sequence, at: new Date(at).toISOString(), status, actor: actor ?? undefined, event });
    run = [];
  }
  return rows;
}

/** All that an index or a reader's rights find a row by is the same for each of its events. */
function isOfOneRow(one: NumberedEvent, other: NumberedEvent): boolean {
  return (
    one.actor === other.actor &&
    one.at === other.at &&
    one.releaseStatus === other.releaseStatus &&
    environmentOf(one.event) === environmentOf(other.event) &&
    targetOf(one.event) === targetOf(other.event) &&
    (one.event.type === other.event.type || !(isRare(one.event) || isRare(other.event)))
  );
}

const environmentOf = (event: ReleaseEvent): string | null => ('environment' in event ? event.environment : null);
const targetOf = (event: ReleaseEvent): string | null => ('target' in event ? event.target : null);

const rare: ReadonlySet<ReleaseEventType> = new Set(RARE);
const isRare = ({ type }: ReleaseEvent): boolean => rare.has(type);
