import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { ForgeUse } from '../../../src/core/forges.ts';
import { PermanentError } from '../../../src/drivers/driver.ts';
import { createDrivers } from '../../../src/drivers/index.ts';
import { LOOPBACK } from '../../../src/drivers/network/allowed.ts';
import { openedSecrets } from '../../../src/opened-secrets.ts';
import { noSecrets, serve } from '../http-server.ts';
import { settingsIn, SIGNING_KEY } from '../repository.ts';
import { MemoryBudgets } from './support.ts';

const call = { signal: new AbortController().signal };
const close: (() => void)[] = [];
afterEach(() => close.splice(0).forEach((each) => each()));

function driversWith(secrets: { name: string; use: ForgeUse; value: string }[]) {
  const opened: string[] = [];
  const open = (name: string, value: string) => () => {
    opened.push(name);
    openedSecrets.remember(value);
    return value;
  };
  const budgets = new MemoryBudgets();
  const settings = {
    git: settingsIn('/nonexistent'),
    signingKeys: async () => [SIGNING_KEY],
    allowedNetworks: LOOPBACK,
    commands: { programs: [], begin: async () => false },
    clock: systemClock,
    budgets,
  };
  const forgeSecrets = async () => secrets.map(({ name, use, value }) => ({ name, use, open: open(name, value) }));
  return { ...createDrivers(settings, { ...noSecrets, forgeSecrets }), opened, budgets };
}

describe('the forge of a repository', () => {
  test('is none where nothing says that there is one', async () => {
    const drivers = driversWith([]);
    for (const each of ['file:///srv/a.git', 'https://git.example.com/a/b', 'https://bitbucket.org/a/b'])
      expect(await drivers.forge(each)).toBeUndefined();
  });

  test('is refused with the command that helps where its host is a known one', async () => {
    const asked = driversWith([]).forge('https://github.com/acme/config.git');
    await expect(asked).rejects.toBeInstanceOf(PermanentError);
    await expect(asked).rejects.toThrow(
      '`sluice secret set NAME --forge github --forge-url https://github.com/OWNER/`',
    );
  });

  test('is opened with the secret of the longest address, and with no other', async () => {
    const use = (forge: ForgeUse['forge'], url: string): ForgeUse => ({ kind: 'FORGE', forge, url });
    const drivers = driversWith([
      { name: 'all', use: use('gitea', 'https://git.example.com/'), value: 'value-of-all-1' },
      { name: 'team', use: use('gitlab', 'https://git.example.com/team'), value: 'value-of-team-1' },
    ]);
    expect((await drivers.forge('git@git.example.com:team/app.git'))!.kind).toBe('gitlab');
    expect((await drivers.forge('https://git.example.com/teams/app'))!.kind).toBe('gitea');
    expect(drivers.opened).toEqual(['team', 'all']);
  });

  test('says nothing of its token, whatever the host quotes', async () => {
    const value = 'glpat-very-secret-42';
    const { host, close: end } = await serve((asked, response) => {
      const quoted = `you sent ${asked.headers['private-token'] as string}`;
      const isGood = !asked.url.endsWith('/2');
      response.writeHead(isGood ? 200 : 422, { 'content-type': 'application/json' });
      const seen = {
        iid: 1,
        title: quoted,
        state: 'opened',
        web_url: 'x',
        sha: 'a',
        source_branch: 'b',
        target_branch: 'c',
        updated_at: 'd',
      };
      response.end(JSON.stringify(isGood ? seen : { message: quoted }));
    });
    close.push(end);
    const url = `http://${host}/`;
    const drivers = driversWith([{ name: 'bot', use: { kind: 'FORGE', forge: 'gitlab', url }, value }]);
    const repository = `${url}acme/config.git`;
    const forge = (await drivers.forge(repository))!;
    expect((await forge.get(repository, 1, call)).title).toBe('you sent ***');
    const refused: unknown = await forge.get(repository, 2, call).catch((error: unknown) => error);
    expect((refused as Error).message).toContain('422, you sent ***');
    expect((refused as Error).stack).not.toContain(value);
  });
});

test.each([
  ['https://github.com/acme/config', undefined, 3],
  ['https://acme.ghe.com/acme/config', undefined, 3],
  ['https://ghes.example.com/acme/config', undefined, 10],
  ['https://git.example.com/acme/config', 'https://git.example.com/api/v3', 10],
])(
  '%s: GitHub limits writes before it says so, GitHub Enterprise Server does not',
  async (repository, apiUrl, most) => {
    const use: ForgeUse = {
      kind: 'FORGE',
      forge: 'github',
      url: new URL(repository).origin,
      ...(apiUrl && { apiUrl }),
    };
    const drivers = driversWith([{ name: 'bot', use, value: 'token-0123456789' }]);
    const forge = (await drivers.forge(repository))!;
    const drawn: number[] = [];
    // No call leaves this machine: the budget is asked before, and the caller stops then.
    drivers.budgets.now = () => 0;
    const take = drivers.budgets.take.bind(drivers.budgets);
    drivers.budgets.take = async (...args) => {
      const taken = await take(...args);
      if ('wait' in taken) drawn.push(taken.wait);
      return { later: 1, why: 'of the test' };
    };
    for (let each = 0; each < 10; each += 1)
      await expect(
        forge.setStatus(repository, 'a'.repeat(40), { context: 'c', state: 'SUCCESS', description: '' }, call),
      ).rejects.toThrow('of the test');
    expect(drawn).toHaveLength(most);
    expect(Math.max(...drawn)).toBe(most === 10 ? 0 : 2_000);
  },
);
