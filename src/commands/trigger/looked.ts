import type { NewsKind } from '../../core/trigger/change.ts';
import type { Cursor, MoveVerdict } from '../../core/trigger/move.ts';
import { repositoryKey } from '../../core/trigger/repository.ts';
import type { TriggerSource } from '../../core/trigger/sources.ts';
import type { CursorMove, KeptCursor } from '../../store/triggers.ts';

/** A look at a repository, and why it was taken. */
export interface HeadsSeen {
  /** Its address, in any spelling that a definition may have. */
  repository: string;
  /** Branch (without `refs/heads/`) → full commit id; all that matter. */
  heads: ReadonlyMap<string, string>;
  via: NewsKind;
  /** Ids of the messages that led to this look. */
  deliveries: readonly string[];
}

/** An application with what was found of it. */
export interface Looked {
  source: TriggerSource;
  /** Of its cursor; 0: there is none. */
  revision: number;
  /** Where it stood; undefined: this is the first look at it there. */
  cursor: KeptCursor | undefined;
  /** The same, or where it begins. */
  from: Cursor;
  verdict: MoveVerdict;
}

/** Where an application is that was never looked at. */
const NOWHERE: Cursor = { head: null, commit: null, digest: null, epoch: 0 };

/** Where an application begins at a place: after all epochs that it had elsewhere, or before its cursor was forgotten. */
export const beginning = (...epochs: (number | undefined)[]): Cursor => ({
  ...NOWHERE,
  epoch: Math.max(-1, ...epochs.filter((each) => each !== undefined)) + 1,
});

/** What is looked at. */
export const placeOf = ({ driver: { repoURL, branch, path } }: TriggerSource): string =>
  `${repositoryKey(repoURL)} ${branch} ${path}`;

/** Where its cursor goes, whatever came of the move. */
export function moveOf({ source, from, revision, verdict }: Looked): CursorMove {
  const { head, commit, digest, epoch } = verdict.next ?? from;
  const { application } = source;
  return {
    head,
    commit,
    digest,
    epoch,
    application,
    revision,
    place: placeOf(source),
    version: null,
    outcome: verdict.outcome,
  };
}
