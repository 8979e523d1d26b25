import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openHost } from '../../scripts/quickstart/pull-request.ts';
import type { Client } from '../../src/cli/client.ts';
import { freePort } from '../../src/postgres/server.ts';

// What the first screen of the README promises, by the program that `npm run quickstart` runs after installation and build: with an empty
// HOME, on a data folder of its own, without a keyboard.

const program = fileURLToPath(new URL('../../dist/scripts/quickstart/run.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-quickstart-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function quickstart(data: string, scenario?: string): Promise<{ code: number; said: string }> {
  expect(existsSync(program), `${program} is missing: npm run build`).toBe(true);
  const options = { exit: true, port: String(await freePort()), data: join(folder, data), scenario };
  const file = join(folder, `${data}.mjs`);
  writeFileSync(
    file,
    `const { run } = await import(${JSON.stringify(program)});
process.exit(await run({ ...${JSON.stringify(options)}, startedAt: Date.now() }));`,
  );
  const env = { PATH: process.env['PATH'], HOME: join(folder, 'home') };
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  return new Promise((ended) => {
    execFile(process.execPath, [file], { env, cwd, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) =>
      ended({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
}

test('a developer pushes a commit to dev, and its release starts by itself; the second time with the next version', async () => {
  for (const version of ['1.1.0', '1.2.0']) {
    const { code, said } = await quickstart('plain');
    expect(code, said).toBe(0);
    expect(said).toMatch(new RegExp(`A developer pushes [0-9a-f]{9} to dev's repository: "Billing ${version}: `));
    // The seconds in between are not unexplained.
    expect(said).toMatch(/Sluice noticed it, \d+\.\d s after the push\. A release waits 2 s for further pushes/);
    expect(said).toMatch(/^billing#\d+ has started by itself, \d+\.\d s after the push/m);
    expect(said).toMatch(new RegExp(`asia-2 +${version} +[0-9a-f]{40}`));
  }
}, 600_000);

test('the host of the pull requests is at the same address the next time, and says when somebody else is there', async () => {
  const root = join(folder, 'host');
  for (const name of ['billing-prod', 'billing-nonprod'])
    mkdirSync(join(root, `${name}.git`, 'hooks'), { recursive: true });
  const client = { server: 'http://127.0.0.1:1', ask: () => Promise.resolve({ secretSet: { userErrors: [] } }) };
  const open = () => openHost(client as unknown as Client, root);
  const first = await open();
  await first.close();
  const second = await open();
  await second.close();
  expect(second.url).toBe(first.url);
  const { port } = new URL(first.url);
  const other = createServer();
  await new Promise<void>((listening) => other.listen(Number(port), '127.0.0.1', listening));
  await expect(open()).rejects.toThrow(`Port ${port}, where this folder's sample host was the last time, is taken`);
  await new Promise((closed) => other.close(closed));
});

test('production is behind pull requests, which people merge; the way back is four that Sluice merges', async () => {
  const { code, said } = await quickstart('plain', 'pull-request');
  expect(code, said).toBe(0);
  expect(said.match(/Pull request \d+ is merged: Promote billing 1\.1\.0 to/g)).toHaveLength(4);
  expect(said.match(/pull request \d+ merged by you, commit/g)).toHaveLength(8);
  expect(said.match(/pull request \d+ merged by sluice-bot, commit/g)).toHaveLength(4);
  expect(said.match(/byte for byte those of the last verified version/g)).toHaveLength(4);
  expect(said).not.toContain('DIFFERENT');
}, 600_000);
