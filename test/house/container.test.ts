import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS } from '../../src/settings.ts';

// No Docker engine is needed: what is claimed about the files is read from the files.
const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');

interface Service {
  image: string;
  user?: string;
  command: string[];
  restart?: string;
  ports?: string[];
  environment: Record<string, string>;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  cap_drop?: string[];
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image === 'sluice');

/** Instructions in order, continued lines joined. */
const dockerfile = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ word: line.split(' ', 1)[0]!, rest: line.slice(line.indexOf(' ') + 1) }));
const lastStage = dockerfile.slice(dockerfile.findLastIndex(({ word }) => word === 'FROM'));
const only = (word: string): string => lastStage.findLast((line) => line.word === word)?.rest ?? '';

describe('the image', () => {
  test('runs as an ordinary user, and nothing in it changes that', () => {
    expect(only('USER')).toBe('node');
  });

  test('starts the program that the build makes, with git at hand', () => {
    expect(JSON.parse(only('ENTRYPOINT'))).toEqual(['node', 'dist/src/main.js']);
    expect(lastStage.some(({ rest }) => /apt-get install .*\bgit\b/.test(rest))).toBe(true);
    expect(lastStage.filter(({ word }) => word === 'COPY').map(({ rest }) => rest)).toContain(
      '--from=build /app/dist/src dist/src',
    );
  });

  test('holds no development packages', () => {
    expect(lastStage.find(({ rest }) => rest.startsWith('npm ci'))?.rest).toContain('--omit=dev');
  });

  test('is asked for its health by a program that is in it', () => {
    const [program, flag, script] = JSON.parse(only('HEALTHCHECK').replace(/^.*CMD /, '')) as string[];
    expect([program, flag]).toEqual(['node', '-e']);
    expect(script).toContain('/healthz');
    expect(() => new Script(script!)).not.toThrow();
  });

  test('reads only settings that exist', () => {
    const variables = only('ENV')
      .split(' ')
      .map((pair) => pair.split('=')[0]!);
    expect(variables.filter((name) => name !== 'NODE_ENV' && !(name in SETTINGS))).toEqual([]);
  });

  test('is built from what it needs: secrets, history and the data folder never reach the builder', () => {
    const rules = read('.dockerignore').split('\n');
    expect(rules.find((rule) => rule && !rule.startsWith('#'))).toBe('*');
    expect(rules.filter((rule) => /^!.*(\.git|\.env|\.sluice)\b/.test(rule))).toEqual([]);
    const kept = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
    expect(kept).toEqual(
      expect.arrayContaining(['package.json', 'package-lock.json', 'tsconfig.json', 'src', 'migrations']),
    );
  });
});

describe('docker compose up', () => {
  test('is PostgreSQL, Redis, one API server, one worker, and a migration before them', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['api', 'migrate', 'postgres', 'redis', 'worker']);
    expect(ours.map(([name, { command }]) => [name, command.join(' ')])).toEqual([
      ['api', 'serve --role api'],
      ['worker', 'serve --role worker'],
      ['migrate', 'migrate'],
    ]);
  });

  test.each(services)('%s says whether it is well, or runs once and ends', (name, { healthcheck, image, restart }) => {
    if (name === 'migrate') expect({ healthcheck, restart }).toEqual({ healthcheck: { disable: true }, restart: 'no' });
    else expect(image === 'sluice' ? only('HEALTHCHECK') : healthcheck?.test?.join(' ')).toBeTruthy();
  });

  test.each(services)('%s does not run as root', (_name, { user, image }) => {
    expect(user ?? (image === 'sluice' ? only('USER') : 'root')).not.toMatch(/^(root|0)\b/);
  });

  test('nothing of Sluice starts before the tables are there', () => {
    for (const name of ['api', 'worker']) {
      expect(compose.services[name]?.depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
    expect(compose.services['migrate']?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
  });

  test('Redis keeps what it has: an append-only file, and no eviction', () => {
    const command = compose.services['redis']?.command.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  test('the password has no default, and the file holds none', () => {
    const values = services.flatMap(([, { environment }]) => Object.entries(environment ?? {}));
    const secrets = values.filter(([name]) => /PASSWORD|DATABASE_URL/.test(name));
    expect(secrets).not.toEqual([]);
    for (const [, value] of secrets) expect(value).toContain('${POSTGRES_PASSWORD:?');
  });

  test('Sluice is given only settings that exist', () => {
    const names = ours.flatMap(([, { environment }]) => Object.keys(environment));
    expect(names.filter((name) => !(name in SETTINGS))).toEqual([]);
  });

  test('only the API is published, and on loopback', () => {
    expect(services.flatMap(([name, { ports }]) => (ports ?? []).map((port) => [name, port]))).toEqual([
      ['api', '127.0.0.1:${PORT:-4000}:4000'],
    ]);
  });
});

// A fresh clone has no types of the pages' operations, and tests of the pages' parts are compiled with the sources.
test('a build makes the types of the pages before it compiles, with the tools of the pages installed', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  expect(scripts['build']).toMatch(/^npm run --silent generate --workspace @sluice\/app && .*\btsc\b/);
  const image = read('Dockerfile');
  const install = image.indexOf('npm ci --ignore-scripts');
  expect(install).toBeGreaterThan(0);
  expect(image.indexOf('npm run build')).toBeGreaterThan(install);
});
