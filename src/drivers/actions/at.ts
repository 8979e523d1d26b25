import type { Progress } from '../../core/release.ts';
import type { EffectContext } from '../driver.ts';
import type { HttpClient } from '../http.ts';
import type { Opened } from '../secret-references.ts';
import type { ActionLook } from './answer.ts';
import type { ActionLog } from './log.ts';

/** How a command may be run here. */
export interface CommandSettings {
  /** Absolute paths of the programs that the operator lets workflows run. */
  programs: readonly string[];
  /** Writes down that the command of this key has begun; false: it was begun before. For a command that must not run twice. */
  begin: (key: string) => Promise<boolean>;
}

/** An action that ended without success, and what is to be known to end what it began. Times in milliseconds since the epoch, UTC. */
export interface Ending {
  /** Why, in words. */
  reason: string;
  /** When it was given up. */
  since: number;
  now: number;
  /** What its last look kept; null: nothing was recorded. */
  progress: Progress | null;
}

/** What an action is run with. */
export interface At {
  context: EffectContext;
  /** Aborted with the context's, and when the time of this look is over. */
  signal: AbortSignal;
  http: HttpClient;
  opened: Opened;
  look: ActionLook;
  commands: CommandSettings;
  log: ActionLog;
  /** How many tries that failed there may be before this one, and it is the last. */
  lastTry: number;
}
