import { runCli } from '../../src/cli/run.ts';
import { startServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import type { BillingOptions } from '../support/engine.ts';
import { randomBytes } from 'node:crypto';

export interface Served {
  url: string;
  engine: TestEngine;
  /** Runs the CLI against this server, as a shell would. */
  sluice(...args: string[]): Promise<{ code: number; out: string; err: string }>;
  /** The server goes away, and comes back on the same port when `meanwhile` is over; the worker and the database stay. */
  restart(meanwhile: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** A whole Sluice with the sample product, its queue on PostgreSQL. */
export async function openServed(options: BillingOptions = {}): Promise<Served> {
  const engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling('billing', options);
  await engine.startWorker();
  let server = await startServer(engine.app);
  const { url, port } = server;
  return {
    url,
    engine,
    sluice: (...args) => sluice({ SLUICE_SERVER: url }, ...args),
    async restart(meanwhile) {
      await server.close();
      await meanwhile();
      const config = { ...engine.app.config, port };
      server = await startServer({ ...engine.app, config });
    },
    async close() {
      await server.close();
      await engine.close();
    },
  };
}

export async function sluice(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    env,
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
  });
  return { code, out, err };
}
