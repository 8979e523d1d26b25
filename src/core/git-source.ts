import type { Kind } from './definitions.ts';
import { doneBy } from './done-by.ts';
import type { Refusal } from './problems.ts';
import { refusal } from './problems.ts';
import { quote } from './wording.ts';

/** Where a synced definition comes from. */
export interface SyncedFrom {
  /** By its name. */
  source: string;
  /** From the root of the repository. */
  file: string;
}

/** What keeps a commit from being applied. `file` null: not one file alone; lines and columns count from 1, null: of the whole file. */
export interface SourceError {
  file: string | null;
  line: number | null;
  column: number | null;
  /** Where in the manifest. */
  path: (string | number)[];
  message: string;
}

/** A definition that was not as its source has it. */
export interface Drifted {
  kind: Kind;
  name: string;
  /** CHANGED: it had other fields. DELETED: it was not there. */
  how: 'CHANGED' | 'DELETED';
}

/** A definition that a source has. */
export interface SyncedName extends SyncedFrom {
  kind: Kind;
  name: string;
}

/** How far a source is. */
export interface SourceStanding {
  seenCommit: string | null;
  syncedCommit: string | null;
  /** The revision of its definition with which it was synced. */
  syncedWith: number | null;
  errors: readonly SourceError[];
}

/** As the API has it. */
export type SourceState = 'SYNCED' | 'OUT_OF_SYNC' | 'FAILED';

/** @param revision of the source's definition now */
export function stateOf(standing: SourceStanding | null, revision: number): SourceState {
  if (standing === null) return 'OUT_OF_SYNC';
  if (standing.errors.length > 0) return 'FAILED';
  const { seenCommit, syncedCommit, syncedWith } = standing;
  return syncedCommit !== null && seenCommit === syncedCommit && syncedWith === revision ? 'SYNCED' : 'OUT_OF_SYNC';
}

/**
 * What is synced is changed in its repository alone. Every save and every deletion asks here.
 * @param by the source that changes it; null: a caller
 */
export function refuseSynced(
  from: SyncedFrom | null,
  { kind, name }: { kind: Kind; name: string },
  by: string | null,
  path: Refusal['path'],
): Refusal[] {
  if (from === null || from.source === by) return [];
  const { source, file } = from;
  const where = `${kind} ${quote(name)} comes from git source ${quote(source)}, file ${quote(file)}`;
  const cure =
    by === null
      ? `propose the change by ${doneBy('manifestsPropose', 'propose -f FILE')}, or change it there`
      : 'remove it from one of the two';
  return [refusal('READ_ONLY', `${where}: ${cure}`, path)];
}

/** How a source stands, as it is kept. */
export interface KeptStanding extends SourceStanding {
  source: string;
  /** Counts the changes of the standing. */
  revision: number;
  /** When the branch was first seen at that commit. */
  seenAt: Date | null;
  syncedAt: Date | null;
  /** The count of all changes of definitions when all was found as the synced commit says. */
  clock: string | null;
  errors: SourceError[];
  drift: Drifted[];
  driftAt: Date | null;
}
