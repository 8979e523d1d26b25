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
  verdict: MoveVerdict;
}

/** Where an application is that was never looked at. */
export const NOWHERE: Cursor = { head: null, commit: null, digest: null, epoch: 0 };

/** What is looked at. */
export const placeOf = ({ driver: { repoURL, branch, path } }: TriggerSource): string =>
  `${repositoryKey(repoURL)} ${branch} ${path}`;

/** Where its cursor goes, whatever came of the move. */
export function moveOf({ source, cursor, revision, verdict }: Looked): CursorMove {
  const next = verdict.next ?? cursor ?? NOWHERE;
  const { application } = source;
  return { ...next, application, revision, place: placeOf(source), version: null, outcome: verdict.outcome };
}
