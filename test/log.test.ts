import { expect, test } from 'vitest';
import { createLog, withoutSecrets } from '../src/log.ts';

function capture(write: (log: ReturnType<typeof createLog>) => void): string {
  let lines = '';
  write(createLog({ level: 'info', destination: { write: (line: string) => void (lines += line) } }));
  return lines;
}

test.each([
  ['postgres://sluice:hunter2@host:5432/db', 'postgres://sluice:[redacted]@host:5432/db'],
  ['redis://:hunter2@host', 'redis://:[redacted]@host'],
  ['https://ghp_hunter2@git.example.com/a.git', 'https://[redacted]@git.example.com/a.git'],
  ['https://ci:hunt@er2@git.example.com/a', 'https://ci:[redacted]@git.example.com/a'],
  ["fatal: cannot reach 'https://ci:hunter2@host/a' now", "fatal: cannot reach 'https://ci:[redacted]@host/a' now"],
  ['https://git.example.com/a@b', 'https://git.example.com/a@b'],
  ['mail sluice@localhost', 'mail sluice@localhost'],
])('%s is written as %s', (text, written) => {
  expect(withoutSecrets(text)).toBe(written);
});

test('a password reaches no log line: not in a message, a field, an error, its cause or a nested key', () => {
  const url = 'https://ci:hunter2@git.example.com/a.git';
  const lines = capture((log) => {
    log.info(`cloning ${url}`);
    log.info({ url }, 'cloning');
    log.error({ err: new Error(`clone of ${url} failed`, { cause: new Error(url) }) }, 'clone failed');
    log.info({ git: { password: 'hunter2' }, token: 'hunter2' }, 'nested');
  });
  expect(lines.trim().split('\n')).toHaveLength(4);
  expect(lines).toContain('git.example.com');
  expect(lines).not.toContain('hunter2');
});

test('tokens are taken out wherever they stand', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const token = `sluice_${'a1B2c3D4e5'.repeat(5)}`;
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
  log.warn({ error: new Error(`refused: ${token}`), header: `Bearer ${jwt}` }, `what came was ${jwt}`);
  expect(lines.join('')).not.toMatch(/a1B2c3D4|eyJ/);
  expect(lines.join('')).toContain('sluice_[redacted]');
});
