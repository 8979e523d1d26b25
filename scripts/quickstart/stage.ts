import type { Client } from '../../src/cli/client.ts';
import type { SampleHost } from './host.ts';

/** What every part of the quickstart plays with. */
export interface Stage {
  client: Client;
  dataDir: string;
  /** Aborted when the viewer wants to leave. */
  signal: AbortSignal;
  say: (text: string) => void;
  /** Where production is behind pull requests; otherwise the repositories are files. */
  host?: SampleHost;
}
