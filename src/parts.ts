import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { Clock } from './clock.ts';
import type { ReleaseEngine } from './commands/release-engine.ts';
import type { Config } from './config.ts';
import type { Drivers } from './drivers/index.ts';
import type { ForeignText } from './foreign/index.ts';
import type { Limits } from './limits.ts';
import type { Log } from './log.ts';
import type { DefinitionSnapshots } from './store/definition-snapshot.ts';
import type { Vault } from './store/secrets.ts';

/** All that a command may touch: `App` has it, and a process's queue, timers and transports besides. */
export interface Parts {
  config: Config;
  log: Log;
  clock: Clock;
  limits: Limits;
  /** For statements of its own; `dataSource` has its connections from the same pool. */
  pool: Pool;
  dataSource: DataSource;
  /** What people defined, as of now. */
  definitions: DefinitionSnapshots;
  /** The outside world. */
  drivers: Drivers;
  secrets: Vault;
  /** Where text from outside is worked on. */
  foreign: ForeignText;
  /** Moves releases; nothing else does. */
  releaseEngine: ReleaseEngine;
}
