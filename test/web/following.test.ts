import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyManifests } from '../../src/commands/apply-manifests.ts';
import { writeCursor } from '../../src/schema/connection.ts';
import { openServed, type Served } from '../cli/served.ts';
import { openBrowser } from '../support/browser.ts';
import { newContext, visitIn } from './support/visit.ts';

// What others save stands on a page that is open, whenever in its life they save it.

let served: Served;
let browser: Browser;
beforeAll(async () => {
  served = await openServed();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
});

const open = async (path: string, before?: (page: Page) => Promise<void>): Promise<Page> =>
  (await visitIn(await newContext(browser), served.url + path, before)).page;

const save = (name: string, onFailure: 'FINISH_RUNNING' | 'STOP' = 'FINISH_RUNNING'): Promise<unknown> =>
  served.engine.save('PromotionFlow', name, {
    triggerEnvironment: 'dev',
    onFailure,
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  });

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

const show = (page: Page, isHidden: boolean): Promise<unknown> =>
  page.evaluate(
    `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
     document.dispatchEvent(new Event('visibilitychange'))`,
  );

/** A moment that others wait for. */
function gate(): { opened: Promise<void>; open: () => void } {
  let resolve = (): void => {};
  return { opened: new Promise<void>((done) => (resolve = done)), open: () => resolve() };
}

test('between the first read and the subscription', async () => {
  await save('there-before');
  const { opened, open: connect } = gate();
  const page = await open('/flows', (each) =>
    each.routeWebSocket(/graphql/, async (socket) => {
      await opened;
      const server = socket.connectToServer();
      socket.onMessage((message) => server.send(message));
      server.onMessage((message) => socket.send(message));
    }),
  );
  await row(page, 'there-before').waitFor();
  await save('in-the-gap');
  connect();
  await row(page, 'in-the-gap').waitFor();
  await page.context().close();
}, 60_000);

test('after the database was put back, which does not know the cursor of the page any more', async () => {
  await save('put-back');
  const { opened, open: connect } = gate();
  let first: string | undefined;
  let refused = 0;
  const page = await open('/flows', (each) =>
    each.routeWebSocket(/graphql/, async (socket) => {
      await opened;
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        const { payload, ...rest } = JSON.parse(String(message)) as {
          payload?: { query: string; variables: { after: string } };
        };
        if (!payload?.query?.includes('definitionEvents')) return server.send(message);
        const { variables, query } = payload;
        first ??= variables.after;
        if (variables.after !== first) return server.send(message);
        refused += 1;
        const after = writeCursor('999999999');
        server.send(JSON.stringify({ ...rest, payload: { query, variables: { ...variables, after } } }));
      });
      server.onMessage((message) => socket.send(message));
    }),
  );
  await row(page, 'put-back').waitFor();
  await save('saved-meanwhile');
  connect();
  await row(page, 'saved-meanwhile').waitFor();
  await save('saved-since');
  await row(page, 'saved-since').waitFor();
  expect(refused).toBeGreaterThan(0);
  await page.context().close();
}, 60_000);

test('while the tab is hidden, and before anything else was told', async () => {
  await save('edited');
  const list = await open('/flows');
  const builder = await open('/flows/edited');
  await row(list, 'edited').waitFor();
  await builder.getByRole('button', { name: 'Undo' }).waitFor();
  for (const page of [list, builder]) {
    await page.getByText('Live', { exact: true }).waitFor();
    await show(page, true);
  }
  await save('while-hidden');
  await save('edited', 'STOP');
  for (const page of [list, builder]) await show(page, false);
  await row(list, 'while-hidden').waitFor();
  await builder.getByRole('region', { name: 'A newer revision' }).waitFor();
  for (const page of [list, builder]) await page.context().close();
}, 60_000);

test('while more is saved than there are answers', async () => {
  await save('watched');
  let isSlow = false;
  const page = await open('/flows', async (each) => {
    await each.route('**/graphql', async (route) => {
      // Longer than changes are gathered for.
      if (isSlow && route.request().postData()?.includes('query Flows('))
        await new Promise((resolve) => setTimeout(resolve, 1_500));
      await route.fallback();
    });
  });
  await row(page, 'watched').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  isSlow = true;
  let isShown = false;
  const shown = row(page, 'of-many-0')
    .waitFor({ timeout: 30_000 })
    .then(
      () => (isShown = true),
      () => false,
    );
  let saved = 0;
  for (; !isShown && saved < 24; saved += 1) {
    await save(`of-many-${saved}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(saved).toBeLessThan(24);
  await shown;
  await page.context().close();
}, 60_000);

test('whatever page of its list a product is on, its flow names it, and it can be released', async () => {
  await save('of-the-last');
  const names = [...Array.from({ length: 101 }, (_, index) => `a-${index}`), 'zulu'];
  const text = names
    .map((name) => {
      const flows = name === 'zulu' ? '{ promotionFlows: [{ name: of-the-last }] }' : '{}';
      return `apiVersion: sluice.dev/v1\nkind: Product\nmetadata: { name: ${name} }\nspec: ${flows}\n`;
    })
    .join('---\n');
  const { errors } = await applyManifests(served.engine.app, { text, dryRun: false }, 'ada');
  expect(errors).toEqual([]);
  // The list has 25 on a page, and tests before this one saved some.
  const page = await open('/flows?search=of-the-last');
  await row(page, 'of-the-last').getByText('zulu').waitFor();
  await page.goto(`${served.url}/`);
  await page.getByRole('button', { name: 'Release a product', exact: true }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Product/ })
    .click();
  await page.keyboard.type('zulu');
  await page.getByRole('option', { name: 'zulu', exact: true }).waitFor();
  await page.context().close();
}, 120_000);
