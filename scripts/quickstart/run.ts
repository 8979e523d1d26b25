import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { apply, type ManifestFile } from '../../src/cli/commands/apply.ts';
import { Client } from '../../src/cli/client.ts';
import { CliError } from '../../src/cli/exit.ts';
import { triggerRelease } from '../../src/cli/operations.ts';
import { table } from '../../src/cli/output.ts';
import type { ReleaseShown } from '../../src/cli/release-shown.ts';
import { watchRelease } from '../../src/cli/watch/watch.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { type RunningServer, runServer } from '../../src/main.ts';
import { liveCommits, prepareRepositories } from './repositories.ts';
import { rollbackScenario } from './rollback.ts';

export interface QuickstartOptions {
  /** End when the release has ended. */
  exit: boolean;
  port?: string;
  data: string;
  /** A story that goes on after the first release. */
  scenario?: 'rollback';
  /** When `npm run quickstart` began, in milliseconds since the epoch. */
  startedAt: number;
}

const USUAL_PORT = 4000;

/** Everything after installation and build, in this one process. @returns the exit code. */
export async function run(options: QuickstartOptions): Promise<number> {
  const stopping = new AbortController();
  let server: RunningServer | undefined;
  let failed = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The second time somebody does not want to wait. PostgreSQL ends with us whatever happens.
    process.on(signal, () => (stopping.signal.aborted ? process.exit(130) : stopping.abort()));
  }
  try {
    const dataDir = resolve(options.data);
    mkdirSync(dataDir, { recursive: true });
    const logFile = join(dataDir, 'quickstart.log');
    const config = loadConfig({
      HOST: '127.0.0.1',
      PORT: options.port ?? String(await usualOrFreePort()),
      SLUICE_DATA_DIR: dataDir,
    });
    server = await runServer(
      config,
      createLog({ level: 'info', destination: pino.destination({ dest: logFile, sync: false }) }),
    );
    const sample = await prepareRepositories(dataDir);
    const client = new Client(server.url!);
    await apply(client, await sampleManifests(sample.base), false);
    const release = await triggerRelease(client, { product: 'billing' });
    say(welcome(server.url!, release, options, logFile));
    const code = await watchRelease(client, release.id, { signal: stopping.signal });
    if (stopping.signal.aborted) return end(server, 130);
    say(`\n${await commits(dataDir)}\n`);
    let good = code === 0;
    if (options.scenario === 'rollback' && good) {
      good = await rollbackScenario({ client, dataDir, signal: stopping.signal, say });
      if (stopping.signal.aborted) return await end(server, 130);
    }
    if (options.exit) return await end(server, good ? 0 : 1);
    say(further(server.url!));
    await new Promise((stopped) => stopping.signal.addEventListener('abort', stopped));
    return await end(server, 0);
  } catch (error) {
    failed = true;
    if (stopping.signal.aborted) return 130;
    process.stderr.write(`${wording(error)}\n`);
    return 1;
  } finally {
    if (failed) await server?.close();
  }
}

async function end(server: RunningServer, code: number): Promise<number> {
  process.stderr.write('Stopping …\n');
  await server.close();
  return code;
}

async function sampleManifests(base: string): Promise<ManifestFile[]> {
  const folder = resolve('examples', 'billing');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (name) => ({
      name: join('examples', 'billing', name),
      text: (await readFile(join(folder, name), 'utf8')).replaceAll('${REPO_BASE}', base),
    })),
  );
}

function welcome(url: string, release: ReleaseShown, { startedAt }: QuickstartOptions, logFile: string): string {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  return `
Sluice runs (after ${seconds} s), and Billing ${release.version} is on its way.

  GraphQL IDE    ${url}/graphiql/
  This release   ${url}/graphiql/?release=${release.uuid}
  GraphQL API    ${url}/graphql
  Log            ${logFile}
`;
}

async function commits(dataDir: string): Promise<string> {
  return table(await liveCommits(dataDir), [
    ['ENVIRONMENT', ({ environment }) => environment],
    ['VERSION', ({ version }) => version],
    ['COMMIT', ({ commit }) => commit],
  ]);
}

function further(url: string): string {
  const server = url === `http://127.0.0.1:${USUAL_PORT}` ? '' : ` --server ${url}`;
  return `Sluice keeps running. Ctrl-C stops it; nothing stays behind but the data folder.
In another terminal:

  npx sluice get releases${server}
  npx sluice get release billing${server}

After Ctrl-C, npm run quickstart brings the next version to dev and releases it.
`;
}

/** The port of the documentation if it is free: addresses that people know by heart. */
async function usualOrFreePort(): Promise<number> {
  const probe = createServer();
  const free = await new Promise<boolean>((answer) => {
    probe.once('error', () => answer(false));
    probe.listen(USUAL_PORT, '127.0.0.1', () => answer(true));
  });
  await new Promise((closed) => probe.close(closed));
  return free ? USUAL_PORT : 0;
}

const say = (text: string): void => console.log(text);

function wording(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof CliError || ['ConfigError', 'EmbeddedPostgresError'].includes(error.name);
  return expected ? error.message : (error.stack ?? error.message);
}
