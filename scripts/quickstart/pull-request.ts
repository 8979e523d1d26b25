import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, UserError } from '../../src/cli/client.ts';
import { CliError, EXIT } from '../../src/cli/exit.ts';
import { freePort } from '../../src/postgres/server.ts';
import { startSampleHost } from './host.ts';
import type { PullRequest, SampleHost } from './host.ts';
import type { Stage } from './stage.ts';

/** Who pushes to dev. The host is on loopback and lives as long as the quickstart. */
export const DEVELOPER = { account: 'ada', password: 'ada' };
const BOT = 'sluice-bot';

/** A host with pull requests for the sample's repositories, and the secrets with which Sluice works there. */
export async function openHost(client: Client, root: string): Promise<SampleHost> {
  const token = randomBytes(20).toString('hex');
  const webhook = randomBytes(32).toString('hex');
  const host = await startSampleHost({
    root,
    owner: 'acme',
    port: await portIn(root),
    isProtected: ['billing-prod'],
    accounts: { [DEVELOPER.account]: DEVELOPER.password, [BOT]: token },
    webhook: { url: `${client.server}/hooks/git/sample`, secret: webhook },
  });
  const url = `${host.url}/acme/`;
  const keep = async (input: object): Promise<void> => {
    const { secretSet } = await client.ask<{ secretSet: { userErrors: UserError[] } }>(SET_SECRET, { input });
    const [wrong] = secretSet.userErrors;
    if (wrong) throw new Error(`${wrong.code}: ${wrong.message}`);
  };
  await keep({ name: 'sample-git', secretValue: token, git: { url, username: BOT } });
  const forge = { type: 'GITHUB', url, apiUrl: `${host.url}/api/v3` };
  await keep({ name: 'sample-forge', secretValue: token, forge });
  const from = { source: 'sample', scheme: 'GITHUB', repositories: [url] };
  await keep({ name: 'sample-webhooks', secretValue: webhook, webhook: from });
  return host;
}

/** The definitions and the open pull requests of the last time have this address. Chosen once for the folder. */
async function portIn(root: string): Promise<number> {
  const file = join(root, 'host-port');
  if (!existsSync(file)) writeFileSync(file, String(await freePort()));
  const port = Number(readFileSync(file, 'utf8'));
  if ((await freePort(port)) === port) return port;
  const said = `Port ${port}, where this folder's sample host was the last time, is taken: end what listens there, or add --data FOLDER`;
  throw new CliError(EXIT.REFUSED, said);
}

const SET_SECRET = 'mutation($input: SecretSetInput!) { secretSet(input: $input) { userErrors { code message } } }';

/**
 * The viewer is the reviewer: Enter merges what is open, as soon as it is green. With `byItself`, and where no keyboard is, it happens a
 * moment after a request is green.
 */
export function whoMerges(host: SampleHost, { signal, say }: Stage, byItself: boolean): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const told = new Set<PullRequest>();
  const keyboard = byItself || !process.stdin.isTTY ? undefined : createInterface({ input: process.stdin });
  /** Those that Enter was pressed for, with why they are not merged so far. */
  const wanted = new Map<PullRequest, string | null>();
  const byPeople = (): PullRequest[] => host.open().filter((each) => !isOfSluice(each));
  const mergeWanted = async (): Promise<void> => {
    for (const pull of byPeople().filter((each) => wanted.has(each))) {
      const why = await host.merge(pull, 'you').catch((error: unknown) => String(error));
      if (why === null) say(`Pull request ${pull.number} is merged: ${pull.title}`);
      else if (keyboard && wanted.get(pull) !== why)
        say(`Pull request ${pull.number} is merged as soon as the host lets it: ${why}`);
      wanted.set(pull, why);
    }
  };
  const want = (): void => {
    for (const pull of byPeople()) if (told.has(pull) && !wanted.has(pull)) wanted.set(pull, null);
  };
  keyboard?.on('line', want);
  const watching = (async () => {
    for (; !either.aborted; await sleep(500)) {
      for (const pull of host.open().filter((each) => !told.has(each))) {
        told.add(pull);
        const how = isOfSluice(pull) ? 'Sluice merges it' : keyboard ? 'Enter merges it' : 'it is merged in a moment';
        say(
          `Pull request ${pull.number}: ${pull.title}\n  ${host.url}/acme/${pull.repository}/pull/${pull.number} (${how})`,
        );
      }
      if (!keyboard) {
        await sleep(1_500);
        want();
      }
      await mergeWanted();
    }
  })();
  return {
    async stop() {
      stopped.abort();
      keyboard?.close();
      await watching;
    },
  };
}

/** The way back does not wait for people: where Sluice may merge, it does. */
const isOfSluice = ({ title }: PullRequest): boolean => title.startsWith('Roll back');
