import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GuardedServer, openGuarded } from '../access/support.ts';
import { openServed, type Served } from '../cli/served.ts';
import { openBrowser } from '../support/browser.ts';

const BUILT = fileURLToPath(new URL('../../web/graphiql/dist/index.html', import.meta.url));

let served: Served;
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(BUILT)) throw new Error('The GraphQL IDE is not built: npm run build:web (npm test does it for you)');
  served = await openServed();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

interface Visit {
  page: Page;
  /** Every address that the page asked for, sockets included. */
  addresses: string[];
  complaints: string[];
}

async function visit(path: string, server = served.url): Promise<Visit> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 850 } });
  const addresses: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  // The schema has come as well: a click before that runs what is not there yet.
  await page.goto(server + path, { waitUntil: 'networkidle' });
  await page.locator('.graphiql-execute-button').waitFor();
  return { page, addresses, complaints };
}

const response = (page: Page) => page.locator('.graphiql-response');

/** Runs the query of the open tab. On a busy machine the first click may come before the page listens to it. */
async function run(page: Page, answer: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await page.locator('.graphiql-execute-button').click();
    try {
      return await response(page).getByText(answer).first().waitFor({ timeout: 30_000 });
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

/** An open socket is no subscription yet: what is released before there is one is not seen. */
async function subscribe(page: Page): Promise<void> {
  // A socket stays, and takes the order of a later click as well.
  let orders = 0;
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => (orders += payload.toString().includes('"type":"subscribe"') ? 1 : 0)),
  );
  for (let tries = 1; ; tries += 1) {
    await page.locator('.graphiql-execute-button').click();
    try {
      return await expect.poll(() => orders).toBeGreaterThan(0);
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

test('the IDE opens on the examples, runs the first query, and asks no other host for anything', async () => {
  const { page, addresses, complaints } = await visit('/graphiql');
  await expect.poll(() => page.locator('.graphiql-tab').allInnerTexts()).toEqual(['Overview', 'Release', 'Watch']);
  await run(page, '"releases"');
  const hosts = new Set(
    addresses
      .map((address) => new URL(address))
      .filter(isNetwork)
      .map(({ host }) => host),
  );
  expect([...hosts]).toEqual([new URL(served.url).host]);
  expect(complaints).toEqual([]);
  await page.close();
}, 120_000);

test('a release that starts elsewhere is seen live in the subscription of the third tab', async () => {
  const { page, addresses, complaints } = await visit('/graphiql');
  await page.locator('.graphiql-tab').nth(2).click();
  await page.locator('.graphiql-tab-active').getByText('Watch').waitFor();
  await subscribe(page);
  await served.engine.trigger({ product: 'billing', version: '7.0.0' });
  await response(page).getByText('"ReleaseSucceeded"').waitFor();
  expect(addresses.filter((address) => address.startsWith('ws:'))).toEqual([
    `${served.url.replace('http', 'ws')}/graphql`,
  ]);
  // A click before the editor has read its operation sends the subscription over HTTP, and is told that this cannot be.
  expect(complaints.filter((each) => !each.includes('status of 400'))).toEqual([]);
  await page.close();
}, 180_000);

test('the address that the quickstart prints opens one release', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '7.1.0' });
  const { page } = await visit(`/graphiql/?release=${id}`);
  await expect.poll(() => page.locator('.graphiql-tab').first().innerText()).toBe('ThisRelease');
  await run(page, '"7.1.0"');
  await page.close();
}, 120_000);

describe('a server that asks who is calling', () => {
  let guarded: GuardedServer;
  beforeAll(async () => {
    guarded = await openGuarded();
    await guarded.engine.saveBilling();
  });
  afterAll(() => guarded?.close());

  test('its IDE opens without a token, says what is missing, and works with one in its headers', async () => {
    const token = await guarded.token('RELEASER', { products: { names: ['billing'] } });
    await guarded.engine.trigger({ product: 'billing', version: '8.0.0' });
    const { page, complaints } = await visit('/graphiql', guarded.url);
    await run(page, '"UNAUTHENTICATED"');

    await page.getByRole('button', { name: 'Headers' }).click();
    await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)').click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${token.text}` }));
    await run(page, '"8.0.0"');
    await expect.poll(() => response(page).getByText('"UNAUTHENTICATED"').count()).toBe(0);

    expect(complaints.filter((each) => !each.includes('401'))).toEqual([]);
    // Nothing of it stays behind in the browser.
    const kept = await page.evaluate<string>('JSON.stringify({ ...localStorage, ...sessionStorage })');
    expect(kept).not.toContain(token.text.slice(19));
    await page.close();
  }, 120_000);
});

const isNetwork = ({ protocol }: URL): boolean => ['http:', 'https:', 'ws:', 'wss:'].includes(protocol);
