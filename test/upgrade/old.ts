import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrations } from '../../migrations/index.ts';
import { createDataSource } from '../../src/entities/data-source.ts';
import { createEmptyDatabase } from '../support/database.ts';

/** The last migration that commit f0cae10 had. */
const LAST = 'RoomForUpdates1765000000000';

/** Opens the secret of that database; it guards nothing. */
export const OLD_ENCRYPTION_KEY = Buffer.from('0'.repeat(32)).toString('base64');

export interface OldDatabase {
  url: string;
  /** The folder of its git repository, `shop.git`. */
  repositories: string;
  drop(): Promise<void>;
}

/** What a server of f0cae10 left behind when it was killed, as it stood then: no later migration has run. */
export async function oldDatabase(): Promise<OldDatabase> {
  const repositories = mkdtempSync(join(tmpdir(), 'sluice-upgrade-'));
  const repository = join(repositories, 'shop.git');
  execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', repository]);
  execFileSync('git', ['-C', repository, 'fast-import', '--quiet'], { input: read('f0cae10.git-stream') });

  const database = await createEmptyDatabase();
  const last = migrations.findIndex((each) => each.name === LAST);
  const dataSource = createDataSource(database.url);
  dataSource.setOptions({ migrations: migrations.slice(0, last + 1) });
  await dataSource.initialize();
  await dataSource.runMigrations({ transaction: 'each' });
  await dataSource.destroy();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(shifted(read('f0cae10.sql').replaceAll('{{repositories}}', repositories)));
  await client.end();
  return {
    url: database.url,
    repositories,
    async drop() {
      await database.drop();
      rmSync(repositories, { recursive: true, force: true });
    },
  };
}

const KILLED_AT = Date.parse('2026-11-28T03:04:00Z');

/** As if the server had been killed an hour ago: times on the days of the dump, and in milliseconds, all move by as much. */
function shifted(dump: string): string {
  const seconds = Math.floor((Date.now() - KILLED_AT) / 1_000) - 3_600;
  return dump
    .replaceAll(/(2026-11-2[89])([T ])(\d\d:\d\d:\d\d)/g, (_, day: string, between: string, time: string) =>
      new Date(Date.parse(`${day}T${time}Z`) + seconds * 1_000).toISOString().slice(0, 19).replace('T', between),
    )
    .replaceAll(/\b(?:1795|1827)\d{9}\b/g, (ms) => String(Number(ms) + seconds * 1_000));
}

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
