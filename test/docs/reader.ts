import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/postgres/server.ts';
import { createTestDatabase } from '../support/database.ts';

// Somebody who reads a page from top to bottom, saves what is to be saved, and types what stands there.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MAIN = join(ROOT, 'dist/src/cli/main.js');

export interface Block {
  language: string;
  text: string;
  /** Where it stands in the page, from 1. */
  line: number;
  /** "Save … as `NAME`" in the paragraph before it. */
  saveAs?: string;
  /** Why the reader of the test does not type it. */
  notTyped?: string;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const language = /^```(\w+)$/.exec(lines[at]!)?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at);
    const before = lines.slice(0, at).join('\n').trimEnd().split('\n\n').at(-1) ?? '';
    const saveAs = /\bSave\b[\s\S]* as `([\w.-]+)`/.exec(before)?.[1];
    const notTyped = /<!-- not typed by the test of the docs: (.+) -->$/.exec(before)?.[1];
    blocks.push({ language, text: lines.slice(at + 1, end).join('\n'), line: at + 1, saveAs, notTyped });
    at = end;
  }
  return blocks;
}

export const readPage = (page: string): Promise<string> => readFile(join(ROOT, page), 'utf8');

/** What a reader types of a page, as one program of a shell that stops where something fails, and says at which line of the page. */
export function typedOf(blocks: Block[]): string {
  const parts = blocks.flatMap(({ language, text, line, saveAs, notTyped }) => {
    if (notTyped !== undefined) return [];
    if (saveAs !== undefined) return [`cat > ${saveAs} <<'END_OF_FILE'\n${text}\nEND_OF_FILE`];
    return language === 'sh' ? [`echo "--- line ${line}" >&2\n${text}`] : [];
  });
  return ['set -e', ...parts].join('\n');
}

export interface Desk {
  url: string;
  /** Runs a program of the shell in an empty folder, with `sluice` on the PATH. */
  type(program: string, more?: Record<string, string>): Promise<{ code: number; said: string }>;
  close(): Promise<void>;
}

/**
 * A server as the README starts it: one process that does everything, or an API and a worker that share a database, a queue and
 * nothing else.
 */
export async function openDesk(roles: 'one machine' | 'split', settings: Record<string, string> = {}): Promise<Desk> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  const port = await freePort();
  const shared = {
    ...plainEnvironment(),
    DATABASE_URL: database.url,
    SLUICE_QUEUE_PREFIX: `docs${port}`,
    LOG_LEVEL: 'warn',
    ...settings,
  };
  const starts =
    roles === 'one machine'
      ? [{ role: 'all', port, more: {} }]
      : ['api', 'worker'].map((role, index) => ({
          role,
          port: index === 0 ? port : 0,
          // Apart from each other: folders of this machine are no shared ground unless the settings say so.
          more: { REDIS_URL: process.env['TEST_REDIS_URL']!, SLUICE_GIT_PROTOCOLS: 'https, ssh, file' },
        }));
  const servers: Server[] = [];
  for (const { role, port: own, more } of starts) {
    const data = join(folder, `data-${role}`);
    servers.push(await serve(['--role', role, '--port', String(own)], { ...shared, ...more, SLUICE_DATA_DIR: data }));
  }
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'sluice'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 });
  const url = `http://127.0.0.1:${port}`;
  let pages = 0;
  return {
    url,
    async type(program, more = {}) {
      const own = join(folder, `page-${(pages += 1)}`);
      await mkdir(own);
      const env = { ...plainEnvironment(), SLUICE_SERVER: url, ...settings, ...more };
      return run('bash', ['-c', program], { cwd: own, env: { ...env, PATH: `${bin}:${process.env['PATH']}` } });
    },
    async close() {
      await Promise.all(servers.map((server) => server.stop()));
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Without what the test's own process was given. */
function plainEnvironment(): Record<string, string> {
  const { PATH = '', HOME = tmpdir() } = process.env;
  return { PATH, HOME, LANG: 'C.UTF-8', GIT_CONFIG_NOSYSTEM: '1' };
}

interface Server {
  stop(): Promise<void>;
}

function serve(flags: string[], env: Record<string, string>): Promise<Server> {
  const child = spawn(process.execPath, [MAIN, 'serve', ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return new Promise((resolve, reject) => {
    const hear = (text: Buffer): void => {
      said += text.toString();
      if (/^Sluice (listens|worker)/m.test(said)) resolve({ stop });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('close', () => reject(new Error(`the server ended before it listened: ${said}`)));
  });
}

function run(
  command: string,
  args: string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<{ code: number; said: string }> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (text: Buffer): void => void (said += text.toString());
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, said }));
  });
}
