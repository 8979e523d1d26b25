import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { apply, type ManifestFile } from '../../src/cli/commands/apply.ts';
import { Client } from '../../src/cli/client.ts';
import { CliError } from '../../src/cli/exit.ts';
import { table } from '../../src/cli/output.ts';
import { watchRelease } from '../../src/cli/watch/watch.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { type RunningServer, runServer } from '../../src/main.ts';
import { freePort } from '../../src/postgres/server.ts';
import type { SampleHost } from './host.ts';
import { openHost, whoMerges } from './pull-request.ts';
import { baseOf, liveCommits, prepareRepositories } from './repositories.ts';
import { rollbackScenario } from './rollback.ts';
import { pushAndFind } from './push.ts';
import type { Stage } from './stage.ts';

export const SCENARIOS = ['rollback', 'pull-request'] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface QuickstartOptions {
  /** End when the release has ended. */
  exit: boolean;
  port?: string;
  data: string;
  /** A story that goes on after the first release; `pull-request`: also one in which production is behind pull requests. */
  scenario?: Scenario;
  /** When `npm run quickstart` began, in milliseconds since the epoch. */
  startedAt: number;
}

const USUAL_PORT = 4000;
const USUAL_DATA = '.sluice';

/** Everything after installation and build, in this one process. @returns the exit code. */
export async function run(options: QuickstartOptions): Promise<number> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let server: RunningServer | undefined;
  let host: SampleHost | undefined;
  for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The second time somebody does not want to wait. PostgreSQL ends with us whatever happens.
    process.on(each, () => (signal.aborted ? process.exit(130) : stopping.abort()));
  }
  try {
    // Repositories on a host are others than those in files: a folder for each, so that one story does not move the other's.
    const dataDir = resolve(options.data, ...(options.scenario === 'pull-request' ? [options.scenario] : []));
    mkdirSync(dataDir, { recursive: true });
    const logFile = join(dataDir, 'quickstart.log');
    const config = loadConfig({
      HOST: '127.0.0.1',
      PORT: options.port ?? String(await usualOrFreePort()),
      SLUICE_DATA_DIR: dataDir,
      SLUICE_ENCRYPTION_KEY: keyIn(dataDir),
      SLUICE_GIT_PROTOCOLS: 'file,http',
    });
    const log = createLog({ level: 'info', destination: pino.destination({ dest: logFile, sync: false }) });
    server = await runServer(config, log);
    const client = new Client(server.url!);
    const root = await prepareRepositories(dataDir);
    if (options.scenario === 'pull-request') host = await openHost(client, root);
    await apply(client, await sampleManifests(host ? `${host.url}/acme` : baseOf(root), options.scenario), false);
    const stage: Stage = { client, dataDir, signal, say, host };
    say(welcome(server.url!, options, logFile));
    const merging = host && whoMerges(host, stage, options.exit);
    let good = false;
    try {
      const release = await pushAndFind(stage);
      say(`  This release   ${server.url}/releases/${release.uuid}\n`);
      good = (await watchRelease(client, release.id, { signal })) === 0;
      if (!signal.aborted) say(`\n${await commits(dataDir)}\n`);
      if (options.scenario !== undefined && good && !signal.aborted) good = await rollbackScenario(stage);
    } finally {
      await merging?.stop();
    }
    if (!options.exit && !signal.aborted) {
      say(further(server.url!, options));
      await new Promise((stopped) => signal.addEventListener('abort', stopped));
      good = true;
    } else if (signal.aborted) return 130;
    return good ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return 130;
    process.stderr.write(`${wording(error)}\n`);
    return 1;
  } finally {
    if (server) process.stderr.write('Stopping …\n');
    await host?.close();
    await server?.close();
  }
}

/** Seals the secrets of this data folder; made once. */
function keyIn(dataDir: string): string {
  const file = join(dataDir, 'encryption.key');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

async function sampleManifests(base: string, scenario: Scenario | undefined): Promise<ManifestFile[]> {
  const folder = join('examples', 'billing');
  const names = (await readdir(resolve(folder))).filter((name) => name.endsWith('.yaml')).sort();
  const others = scenario === 'pull-request' ? await readdir(resolve(folder, scenario)) : [];
  return Promise.all(
    names.map(async (each) => {
      const name = join(folder, ...(others.includes(each) ? [scenario!] : []), each);
      return { name, text: (await readFile(resolve(name), 'utf8')).replaceAll('${REPO_BASE}', base) };
    }),
  );
}

function welcome(url: string, { startedAt }: QuickstartOptions, logFile: string): string {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  return `
Sluice runs (after ${seconds} s).

  Web app        ${url}/
  GraphQL IDE    ${url}/graphiql/
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

function further(url: string, { scenario, data }: QuickstartOptions): string {
  const typed = [
    ...(scenario === undefined ? [] : ['--scenario', scenario]),
    ...(data === USUAL_DATA ? [] : ['--data', data]),
  ];
  const again = typed.length === 0 ? '' : ` -- ${typed.join(' ')}`;
  const server = url === `http://127.0.0.1:${USUAL_PORT}` ? '' : ` --server ${url}`;
  return `Sluice keeps running. Ctrl-C stops it; nothing stays behind but the data folder.
In another terminal:

  npx sluice get releases${server}
  npx sluice get release billing${server}

After Ctrl-C, npm run quickstart${again} pushes the next version to dev.
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
  return free ? USUAL_PORT : freePort();
}

const say = (text: string): void => console.log(text);

function wording(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof CliError || ['ConfigError', 'EmbeddedPostgresError'].includes(error.name);
  return expected ? error.message : (error.stack ?? error.message);
}
