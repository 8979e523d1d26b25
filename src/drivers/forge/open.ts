import type { ForgeOfRepository } from '../../core/forges.ts';
import type { Connection } from './connection.ts';

/** A repository's forge and the value of its secret, with the way there. */
export interface OpenForge extends ForgeOfRepository {
  value: string;
  connection: Connection;
  /** Milliseconds since the epoch. */
  now: () => number;
}
