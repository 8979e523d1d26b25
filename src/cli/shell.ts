import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Client } from './client.ts';
import type { Style, Writer } from './output.ts';

/** What the commands of one noun are handed: where they are added, whom they ask, and how they answer. */
export interface Shell {
  program: Command;
  clientOf: (command: Command) => Client;
  styleOf: (command: Command) => Style;
  print: (text: string) => void;
  /** Follows the release of that id and ends with its exit code. */
  follow: (command: Command, releaseId: string) => Promise<void>;
  exitWith: (code: number) => void;
  input: Readable;
  out: Writer;
  err: Writer;
}
