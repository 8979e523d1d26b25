import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { Client } from '../src/cli/client.ts';
import { readManifests } from '../src/cli/commands/apply.ts';
import { CliError } from '../src/cli/exit.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { runServer } from '../src/main.ts';
import { program } from './program.ts';
import { reportOf, surprisesIn } from './compat/report.ts';
import { tryFiles } from './compat/try-files.ts';

// `npm run compat -- FOLDER`: whether other people's manifests apply as they are, on a server that has nothing.
const inOrder = (typed: string, before: string[]): string[] => [...before, typed];
const compat = program('compat', "Applies other people's manifests to a server that has nothing.")
  .argument('<folders...>', 'where the manifests are')
  .option('--refused <begin=text>', 'this file is refused, with this text; may come several times', inOrder, [])
  .option('--warned <begin>', 'this file is warned of; may come several times', inOrder, [])
  .parse();
const values = compat.opts<{ refused: string[]; warned: string[] }>();
try {
  process.exitCode = await run(compat.args);
} catch (error) {
  console.error(error instanceof CliError ? error.message : error);
  process.exitCode = 2;
}

async function run(folders: string[]): Promise<number> {
  const files = await readManifests(folders, true);
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-compat-'));
  const config = loadConfig({ HOST: '127.0.0.1', PORT: '0', SLUICE_ROLE: 'api', SLUICE_DATA_DIR: dataDir });
  const server = await runServer(config, createLog({ level: 'silent' }));
  try {
    const { stubs, tried } = await tryFiles(new Client(server.url!), files);
    console.log(reportOf(stubs, tried));
    const refused = Object.fromEntries(values.refused.map((each) => each.split('=', 2) as [string, string]));
    const surprises = surprisesIn(tried, { refused, warned: values.warned });
    for (const each of surprises) console.error(`Not as expected: ${each}`);
    return surprises.length === 0 ? 0 : 1;
  } finally {
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}
