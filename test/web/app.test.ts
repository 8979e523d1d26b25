import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/manifests/index.ts';
import { NO_PAGES } from '../../src/server/web-app.ts';
import { openServed, type Served } from '../cli/served.ts';
import { approvalOf } from '../core/support/builders.ts';
import { POLICY } from '../engine/rollback/support.ts';
import { openPortal } from './portal.ts';
import { openPrefix } from './support/prefix.ts';
import {
  BUILT,
  buildByKeyboard,
  buildByMouse,
  findFlow,
  MADE,
  saveAndRelease,
  saveAndReleaseByKeyboard,
  SMOKE,
  textOf,
  typeText,
  WRITTEN,
} from './support/build-flow.ts';
import { BOTH, confirm, hasFocus, open, placeOf, pressUntil } from './support/hands.ts';
import { approveTogether, controlTriggers, findWhereItIs, holdAndMark, rescue } from './support/jobs.ts';
import { openBrowser } from '../support/browser.ts';
import { newContext, seriousViolations, type Visit, visitIn } from './support/visit.ts';

const DIST = fileURLToPath(new URL('../../web/app/dist', import.meta.url));

/** What all products travel by. */
const AS_EVER = {
  approvals: { staging: approvalOf('1', { forbidInitiator: false }) },
  rollbackPolicies: [POLICY],
};

let served: Served;
let browser: Browser;
/** Most pages are of one person with one browser, which knows the scripts from the page before. */
let person: BrowserContext;

beforeAll(async () => {
  if (!existsSync(`${DIST}/index.html`))
    throw new Error('The web app is not built: npm run build:web (npm test does it for you)');
  served = await openServed(AS_EVER);
  browser = await openBrowser();
  person = await newContext(browser);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** By another person, in a browser of their own. */
const visitAt = async (address: string, before?: (page: Page) => Promise<void>): Promise<Visit> =>
  visitIn(await newContext(browser), address, before);

const visit = (path: string, before?: (page: Page) => Promise<void>): Promise<Visit> =>
  visitAt(served.url + path, before);

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const card = (page: Page, environment: string) => page.locator(`[data-environment="${environment}"]`);
const inDialog = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });

/** Presses Tab until what has the focus is called `name`, as a person without a mouse does. */
const tabTo = (page: Page, name: RegExp): Promise<void> =>
  pressUntil(page, 'Tab', String(name), ({ texts: [text, label] }) => name.test(label || text!));

/** What `us-east` is found out to be when the version is everywhere. */
const failsInUsEast = (): Promise<{ code: number }> =>
  served.sluice('report', 'rollout', 'billing', 'us-east', 'failed', '--reason', 'error rate 12 %');

const VISITS: Visit[] = [];
const start = async (path: string, before?: (page: Page) => Promise<void>): Promise<Visit> => {
  const made = await visitIn(person, served.url + path, before);
  VISITS.push(made);
  return made;
};

afterEach(() => Promise.all(VISITS.map(({ page }) => page.close())));

describe('a person with a mouse', () => {
  test('releases a version, watches it live, approves it, and sees it everywhere', async () => {
    const { page } = await start('/');
    await page.getByText('Nothing has been released yet.').waitFor();
    await button(page, 'Release a product').click();
    await page.getByLabel('Version').fill('1.0.0');
    await inDialog(page, 'Release').click();
    await page.getByRole('heading', { name: /^billing#/ }).waitFor();
    const waits = page.getByRole('region', { name: 'What does it wait for?' });
    await waits.getByText('staging', { exact: true }).first().waitFor();
    // In the middle of it all: nothing is kept in the page alone.
    await page.reload();
    await waits.getByText('staging', { exact: true }).first().waitFor();
    await expect
      .poll(() => page.getByRole('link', { name: 'Releases', exact: true }).getAttribute('aria-current'))
      .toBe('page');
    await button(page, 'Approve').click();
    await page.getByRole('dialog').getByLabel('Comment').fill('looks good');
    await inDialog(page, 'Approve').click();
    await card(page, 'asia-2').getByText('Succeeded').waitFor();
    await waits.waitFor({ state: 'detached' });

    await card(page, 'staging').click();
    const panel = page.getByRole('complementary', { name: 'Environment staging' });
    await panel.getByText('report', { exact: true }).waitFor();
    await panel.getByRole('button', { name: 'Show the log' }).first().click();
    await panel.getByRole('button', { name: 'Hide the log' }).waitFor();
    await page.getByRole('tab', { name: 'Timeline' }).click();
    await page
      .getByText(/looks good/)
      .first()
      .waitFor();
    await page.getByRole('tab', { name: 'Gantt' }).click();
    await page.getByRole('tabpanel').getByText('asia-2').waitFor();
    await page.getByRole('tab', { name: 'What it brings' }).click();
    await page.getByRole('tabpanel').getByText('1.0.0').first().waitFor();
    // Where one stands is in the address.
    await page.reload();
    await panel.getByText('report', { exact: true }).waitFor();
    expect(await seriousViolations({ page, context: person })).toEqual([]);
  }, 120_000);

  test('sees a release go back as one story, and agrees that asia-2 goes back too', async () => {
    const id = await served.engine.trigger({ product: 'billing', version: '2.0.0' });
    const { page } = await start(`/releases/${id}`);
    await button(page, 'Approve').click();
    await inDialog(page, 'Approve').click();
    await card(page, 'asia-2').getByText('Succeeded').waitFor();
    expect((await failsInUsEast()).code).toBe(0);

    const cascade = page.getByRole('region', { name: 'Rollback of 2.0.0' });
    await cascade.getByText('error rate 12 %').first().waitFor();
    const target = (environment: string) =>
      cascade.getByRole('listitem').filter({ hasText: `${environment} goes back` });
    await target('eu').getByText('Rolled back', { exact: true }).waitFor();
    await cascade.getByRole('link', { name: /Open the rollback/ }).click();
    await page.getByRole('link', { name: /Caused by billing#/ }).waitFor();
    await button(page, 'Approve').click();
    await inDialog(page, 'Approve').click();
    await target('asia-2').getByText('Rolled back', { exact: true }).waitFor();
    await page
      .getByRole('heading', { name: /billing#/, level: 1 })
      .locator('..')
      .getByText('Succeeded')
      .waitFor();
  }, 120_000);
});

test('a person with a keyboard alone does the same', async () => {
  const { page } = await start('/');
  await tabTo(page, /^Release a product$/);
  await page.keyboard.press('Enter');
  await hasFocus(page);
  await tabTo(page, /^$/);
  await page.keyboard.type('3.0.0');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^billing#/ }).waitFor();
  await button(page, 'Approve').waitFor();
  await tabTo(page, /^Approve$/);
  await page.keyboard.press('Enter');
  await hasFocus(page);
  await page.keyboard.type('fine');
  await tabTo(page, /^Approve$/);
  await page.keyboard.press('Enter');
  await card(page, 'asia-2').getByText('Succeeded').waitFor();
  await tabTo(page, /^dev/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Environment staging' }).waitFor();

  expect((await failsInUsEast()).code).toBe(0);
  await page.getByRole('region', { name: 'Rollback of 3.0.0' }).getByRole('button', { name: 'Approve' }).waitFor();
  await tabTo(page, /^Approve$/);
  await page.keyboard.press('Enter');
  await hasFocus(page);
  await tabTo(page, /^Approve$/);
  await page.keyboard.press('Enter');
  await page
    .getByRole('region', { name: 'Rollback of 3.0.0' })
    .getByRole('listitem')
    .filter({ hasText: 'asia-2' })
    .getByText('Rolled back')
    .waitFor();
}, 120_000);

test('a restart of the server is said, and nothing of it is lost', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '4.0.0' });
  const { page } = await start(`/releases/${id}`);
  await button(page, 'Approve').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await served.restart(() => page.getByText('Reconnecting').waitFor());
  await page.getByText('Live', { exact: true }).waitFor();
  await button(page, 'Approve').click();
  await inDialog(page, 'Approve').click();
  await card(page, 'asia-2').getByText('Succeeded').waitFor();
}, 120_000);

test('a socket that is cut goes on where it was, and of two people one decides and the other sees it', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '4.1.0' });
  const sockets: WebSocketRoute[] = [];
  const ana = await start(`/releases/${id}`, (page) =>
    page.routeWebSocket(/graphql/, (socket) => {
      sockets.push(socket);
      socket.connectToServer();
    }),
  );
  const ben = await visit(`/releases/${id}`);
  try {
    await button(ana.page, 'Reject').click();
    const asked = ana.page.getByRole('dialog');
    await asked.getByLabel('Comment').fill('too early');
    await button(ben.page, 'Approve').click();
    await inDialog(ben.page, 'Approve').waitFor();
    await ben.page.getByRole('dialog').getByLabel('Comment').fill('it was tested');
    await Promise.all(sockets.splice(0).map((each) => each.close({ code: 4000 })));
    await inDialog(ben.page, 'Approve').click();
    await card(ana.page, 'asia-2').getByText('Succeeded').waitFor();
    await card(ben.page, 'asia-2').getByText('Succeeded').waitFor();
    // Her answer comes too late: she is told who was faster, and what she wrote is still there.
    await asked.getByText(/approved it.*: it was tested/).waitFor();
    await expect.poll(() => asked.getByLabel('Comment').inputValue()).toBe('too early');
    await inDialog(ana.page, 'Close').click();
    await asked.waitFor({ state: 'detached' });
    await button(ana.page, 'Approve').waitFor({ state: 'detached' });
    expect(sockets.length).toBeGreaterThan(0);
    expect(ben.complaints).toEqual([]);
  } finally {
    await ben.context.close();
  }
}, 120_000);

test('the hooks of a release wait, ask, and show what they left, as the steps of environments do', async () => {
  const { engine } = served;
  await engine.saveBilling('hooked', AS_EVER);
  const sign = {
    name: 'sign-off',
    type: 'approval' as const,
    parameters: { question: 'Are all told?', forbidInitiator: false },
  };
  const note = { name: 'note', type: 'simulate' as const, parameters: { outputs: { ticket: 'OPS-1' } } };
  await engine.save('PromotionWorkflow', 'tells', { actions: [sign, { ...note, dependsOn: ['sign-off'] }] });
  await engine.save('PromotionFlow', 'hooked', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    hooks: { onStart: 'tells', onFail: 'checks' },
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  });
  await engine.save('Product', 'hooked', {
    promotionFlows: [{ name: 'hooked' }],
    concurrency: 'QUEUE',
    queueLimit: 50,
  });
  const { page } = await start(`/releases/${await engine.trigger({ product: 'hooked', version: '1.0.0' })}`);
  const waits = page.getByRole('region', { name: 'What does it wait for?' });
  await waits.getByText('hook on start of the release').waitFor();
  const hooks = page.locator('.hooks');
  await hooks.getByText('Waiting').last().waitFor();
  expect(await seriousViolations({ page, context: person })).toEqual([]);
  await button(page, 'Approve').click();
  await page.getByRole('dialog').getByText('Are all told?').waitFor();
  await inDialog(page, 'Approve').click();
  await card(page, 'staging').getByText('Succeeded').waitFor();
  // They are over and well: who wants to see them opens them.
  await hooks.locator('summary').getByText('Succeeded').waitFor();
  await hooks.locator('summary').click();
  await hooks.getByText('OPS-1').waitFor();
  await hooks.getByText('Not run').first().waitFor();
  await hooks.getByRole('button', { name: 'Show the log' }).first().click();
  await hooks.getByRole('button', { name: 'Hide the log' }).waitFor();
  await hooks.locator('.loading').waitFor({ state: 'detached' });
}, 120_000);

test('a tab that was hidden and one that slept come back to what is so now', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '4.1.5' });
  const sockets: { isDead: boolean }[] = [];
  // The clock is that of the whole browser of the person.
  const slept = await visit(`/releases/${id}`, async (page) => {
    await page.clock.install();
    await page.routeWebSocket(/graphql/, (socket) => {
      const own = { isDead: false };
      sockets.push(own);
      const server = socket.connectToServer();
      socket.onMessage((message) => own.isDead || server.send(message));
      server.onMessage((message) => own.isDead || socket.send(message));
    });
  });
  await slept.page.getByText('Live', { exact: true }).waitFor();
  const hidden = await slept.context.newPage();
  const socket = hidden.waitForEvent('websocket');
  await hidden.goto(`${served.url}/releases/${id}`);
  await button(hidden, 'Approve').waitFor();
  const show = (isHidden: boolean): Promise<unknown> =>
    hidden.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
       document.dispatchEvent(new Event('visibilitychange'))`,
    );
  const closed = (await socket).waitForEvent('close');
  await show(true);
  await closed;
  for (const each of sockets) each.isDead = true;
  expect((await served.sluice('approve', id, 'staging')).code).toBe(0);
  await served.engine.ended(id);
  await button(slept.page, 'Approve').waitFor();
  await button(hidden, 'Approve').waitFor();
  await show(false);
  await card(hidden, 'asia-2').getByText('Succeeded').waitFor();
  // A minute with the lid closed: no answer comes to the ping behind it.
  for (const pause of ['01:00', '00:10']) await slept.page.clock.fastForward(pause);
  await card(slept.page, 'asia-2').getByText('Succeeded').waitFor();
  expect(sockets.map(({ isDead }) => isDead)).toEqual([true, false]);
  await slept.context.close();
}, 120_000);

test('a window is drafted by dragging and again by keys, and its next ten times are shown before it is saved', async () => {
  const { page } = await start('/calendar');
  const lane = (name: string) => page.getByRole('group', { name: new RegExp(`^${name}: `) });
  const dialog = page.getByRole('dialog');
  const times = dialog.getByRole('region', { name: 'Its next times' }).getByRole('listitem');
  await lane('staging').scrollIntoViewIfNeeded();
  const box = await placeOf(lane('staging'));
  const y = box.y + box.height - 6;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 });
  await page.mouse.up();
  await dialog.getByLabel('Name').fill('nightly');
  await dialog.getByRole('button', { name: /Repeats/ }).click();
  await page.getByRole('option', { name: 'Every day' }).click();
  await expect.poll(() => times.count()).toBe(10);
  await inDialog(page, 'Save the window').click();
  await dialog.waitFor({ state: 'detached' });
  await lane('staging').getByText('nightly').first().waitFor();

  await tabTo(page, /^asia: /);
  for (const key of ['ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowRight', 'Enter']) await page.keyboard.press(key);
  await dialog.waitFor();
  await hasFocus(page);
  await page.keyboard.type('freeze');
  await expect.poll(() => times.count()).toBe(1);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('radio', { name: 'Windows' }).click();
  await lane('freeze').waitFor();
  for (const name of ['nightly', 'freeze']) expect((await served.sluice('delete', 'ReleaseWindow', name)).code).toBe(0);
}, 120_000);

describe.each(BOTH)('with %s', (by, handsOn) => {
  const isMouse = by === 'the mouse';
  const version = isMouse ? '4.2.0' : '4.3.0';

  test('what waits is approved together, what runs is found, and what should not move is kept out', async () => {
    await served.engine.saveBilling('shop', AS_EVER);
    const ids = await Promise.all(['billing', 'shop'].map((product) => served.engine.trigger({ product, version })));
    const { page } = await start('/inbox');
    const hands = handsOn(page);
    let orders = 0;
    await page.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('promotionApprove')) return route.fallback();
      const response = await route.fetch();
      if ((orders += 1) === 1) return route.fulfill({ response });
      // Somebody else was faster with this one.
      const userErrors = [{ __typename: 'UserError', message: 'it was decided meanwhile' }];
      await route.fulfill({ json: { data: { payload: { __typename: 'PromotionDecisionPayload', userErrors } } } });
    });
    await approveTogether(page, hands, version);
    await Promise.all(ids.map((id) => served.engine.ended(id)));
    // The list is empty and the dialog gone: which one was refused is said all the same.
    await page.getByText(/^(billing|shop) 4\.[23]\.0 to staging: it was decided meanwhile$/).waitFor();
    await page.unroute('**/graphql');
    // The server is away for a moment: the table is there, and live, as soon as it is back.
    let refused = 0;
    await page.route('**/graphql', (route) => {
      if (refused >= 2 || !/LogEnd|WhereCells/.test(route.request().postData() ?? '')) return route.fallback();
      refused += 1;
      return route.fulfill({
        status: 200,
        json: { errors: [{ message: 'away', extensions: { code: 'INTERNAL_SERVER_ERROR' } }] },
      });
    });
    await hands.press('Where is what');
    await page.getByRole('heading', { name: 'Where is what' }).waitFor();
    await findWhereItIs(page, hands, version);
    await hands.press('Holds');
    await page.getByRole('heading', { name: 'Holds and bad versions' }).waitFor();
    await holdAndMark(page, hands, version);
  }, 120_000);

  test('triggers are paused, and candidates are dismissed and released', async () => {
    await served.engine.save('Product', 'shop', {
      promotionFlows: [],
      concurrency: 'QUEUE',
      queueLimit: 50,
      trigger: { coalesce: 60_000 },
    });
    // The first report of what runs there is only remembered: there was nothing before it.
    if (isMouse) expect((await served.sluice('report', 'deployment', 'shop-dev', '--version', '6.0.0')).code).toBe(0);
    const known = `SELECT 1 FROM trigger_cursor WHERE application = 'shop-dev'`;
    await expect.poll(async () => (await served.engine.app.pool.query(known)).rowCount).toBe(1);
    const { page } = await start('/triggers');
    await controlTriggers(page, handsOn(page), served, isMouse ? '6.1.0' : '6.2.0');
  }, 120_000);

  test('a release that does not go as it should is ended, tried again, led past what blocks it, and taken back', async () => {
    await served.engine.save('ReleaseWindow', 'frozen', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00',
      to: '2100-01-01T00:00',
      selector: { environments: { names: ['us-east'] }, products: { names: ['shop'] } },
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      runway: false,
    });
    const id = await served.engine.trigger({ product: 'shop', version: isMouse ? '7.1.0' : '7.2.0' });
    const { page } = await start(`/releases/${id}`);
    await button(page, 'Approve').waitFor();
    await rescue(page, handsOn(page), async (environment) => {
      if (isMouse) return card(page, environment).click();
      // One card of the graph is reached by Tab, and the others by arrows from there.
      await pressUntil(page, 'Tab', 'the graph', ({ texts: [text] }) => text!.startsWith('dev'));
      await pressUntil(page, 'ArrowRight', environment, ({ texts: [text] }) => text!.startsWith(environment));
      await page.keyboard.press('Enter');
    });
    expect((await served.sluice('delete', 'ReleaseWindow', 'frozen')).code).toBe(0);
  }, 120_000);

  test('an environment is found, put on hold, and taken back to the version before', async () => {
    const { page } = await start('/');
    const hands = handsOn(page);
    if (isMouse) await page.getByRole('button', { name: /^Find/ }).click();
    else await page.keyboard.press('Control+k');
    await page.keyboard.type('asia-2');
    await page.getByRole('option', { name: 'asia-2', exact: true }).waitFor();
    if (isMouse) await page.getByRole('option', { name: 'asia-2', exact: true }).click();
    else for (const key of ['ArrowDown', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('heading', { name: 'asia-2', level: 1 }).waitFor();
    await hands.press('shop');
    await page.getByRole('heading', { name: 'History of shop' }).waitFor();
    await page.getByText('Is here').waitFor();
    await open(page, hands, 'Hold');
    await hands.fill('Reason', 'a move');
    await confirm(page, hands, 'Hold');
    const onHold = page.getByRole('region', { name: 'On hold' });
    await onHold.getByText('a move').waitFor();
    await open(page, hands, 'Lift', 'a move');
    await confirm(page, hands, 'Lift');
    await onHold.getByText('a move').waitFor({ state: 'detached' });
    await open(page, hands, 'Roll back');
    await page.getByRole('dialog').getByRole('row').filter({ hasText: 'asia-2' }).waitFor();
    await hands.press('Cancel');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await hands.press('Its releases');
    await page.getByLabel('Search').waitFor();
    await hands.fill('Search', 'shop#');
    await expect.poll(() => page.url()).toMatch(/environment=asia-2.*text=shop/);
    await expect.poll(() => page.getByRole('row').filter({ hasText: 'billing#' }).count()).toBe(0);
  }, 120_000);
});

test('the page of an environment tells what came there, and when a freeze begins and ends by itself', async () => {
  await served.engine.saveBilling('open', AS_EVER);
  const release = async (version: string): Promise<void> => {
    const { out } = await served.sluice('release', 'open', '--version', version, '-o', 'name');
    expect((await served.sluice('terminate', out.trim(), '--wait')).code).toBe(5);
  };
  await release('open-1');
  const { page } = await start('/environments/dev?product=open');
  const isHere = (version: string) =>
    page.getByRole('row').filter({ hasText: version }).filter({ hasText: 'Is here' }).waitFor();
  await isHere('open-1');
  await release('open-2');
  await isHere('open-2');
  await page.getByText('Open now').waitFor();
  await served.sluice('freeze', '--environment', 'dev', '--reason', 'fair week', '--until', '15s');
  await page.getByText('Closed now').waitFor();
  await page.getByText('Open now').waitFor();
}, 120_000);

test('the list of flows tells what others save and release', async () => {
  const { engine } = served;
  await engine.saveBilling('listed', AS_EVER);
  const { page } = await start('/flows');
  const row = page.getByRole('row').filter({ hasText: 'to-production' });
  await row.waitFor();
  const { out } = await served.sluice('release', 'listed', '--version', '1', '-o', 'json');
  const { shortId } = JSON.parse(out) as { shortId: string };
  await row.getByText(shortId).waitFor();
  expect((await served.sluice('terminate', shortId, '--wait')).code).toBe(5);
  await row.filter({ hasText: /terminated/i }).waitFor();
  await engine.save('PromotionFlow', 'of-somebody-else', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  });
  await page.getByRole('row').filter({ hasText: 'of-somebody-else' }).waitFor();
  expect((await served.sluice('delete', 'flow', 'of-somebody-else')).code).toBe(0);
  await page.getByRole('row').filter({ hasText: 'of-somebody-else' }).waitFor({ state: 'detached' });
}, 120_000);

test('what a search asks for is written out in its field', async () => {
  for (const at of ['/', '/flows']) {
    const { page } = await start(at);
    const field = page.getByLabel('Search', { exact: true });
    await field.waitFor();
    const picture = async (): Promise<string> => {
      const { x, y, height } = (await field.boundingBox())!;
      // What stands within its borders.
      const clip = { x: x + 4, y: y + 4, width: 215, height: height - 8 };
      const shown = await page.screenshot({ clip, caret: 'hide', animations: 'disabled' });
      return shown.toString('base64');
    };
    const before = await picture();
    await field.evaluate((each) => ((each as unknown as { style: { minWidth: string } }).style.minWidth = '30rem'));
    expect(before === (await picture()), at).toBe(true);
  }
});

test('who follows a link while a filter counts its text is not called back, and is told where they are', async () => {
  const { page } = await start('/');
  await page.getByLabel('Search', { exact: true }).waitFor();
  // The next page takes longer to come than a filter waits.
  await page.route('**/assets/*.js', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 600));
    await route.fallback();
  });
  await page.getByLabel('Search', { exact: true }).fill('late');
  await page.getByRole('link', { name: 'Administration', exact: true }).click();
  await page.getByRole('heading', { name: 'Administration' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/admin');
  await page.goto(`${served.url}/workflows`);
  await page.getByRole('heading', { name: 'Workflows' }).waitFor();
  await expect
    .poll(() => page.getByRole('link', { name: 'Flows', exact: true }).first().getAttribute('aria-current'))
    .toBe('page');
});

test('of 1,500 environments some are drawn to compare with, and the others are found', async () => {
  const { page } = await start('/where', async (each) => {
    await each.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('query WhereNames')) return route.fallback();
      const response = await route.fetch();
      const { data } = (await response.json()) as { data: { deploymentMatrixAxes: { environmentNames: string[] } } };
      // There is nothing in them.
      const many = Array.from({ length: 1_500 }, (_, index) => `place-${index}`);
      data.deploymentMatrixAxes.environmentNames.push(...many);
      return route.fulfill({ response, json: { data } });
    });
  });
  await page.getByRole('button', { name: /Compare with/ }).click();
  await expect.poll(() => page.getByRole('option').count()).toBe(50);
  await page.keyboard.type('dev');
  await page.getByRole('option', { name: 'dev', exact: true }).click();
  await expect.poll(() => page.url()).toContain('compareTo=dev');
  await page.getByRole('button', { name: /^dev.*Compare with/ }).waitFor();
}, 120_000);

describe("the user's picture is built from an empty flow, saved, released by it, and watched to its end", () => {
  /** A definition as the server has it. */
  const saved = async (name: string): Promise<unknown> => {
    const { out } = await served.sluice('export');
    return parseManifests(out).definitions.find(({ definition }) => definition.metadata.name === name)!.definition.spec;
  };
  /** The environment that was made on the way gets its application; with one flow more it has nothing to deploy. */
  const deploys = () =>
    served.engine.save('Application', 'billing-asia-3', {
      product: 'billing',
      environment: MADE.environment,
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
  /** The flow goes, and so does all that was made with it: the next one makes it again. */
  const forget = async (flow: string): Promise<void> => {
    for (const [kind, name] of [
      ['PromotionFlow', flow],
      ['ReleaseWindow', MADE.window],
      ['PromotionPolicy', MADE.policy],
      ['Application', 'billing-asia-3'],
      ['EnvironmentGroup', MADE.group],
      ['PromotionWorkflow', MADE.workflow],
      ['Environment', MADE.environment],
    ] as const)
      expect([name, await served.sluice('delete', kind, name)]).toEqual([name, expect.objectContaining({ code: 0 })]);
  };
  let byMouse: unknown;

  test('with the mouse: edges are dragged, and what does not exist is made over the draft', async () => {
    const { page } = await visit('/flows/new');
    await buildByMouse(page);
    await expect.poll(() => textOf(page)).toBe(BUILT);
    await expect.poll(() => saved(MADE.workflow)).toEqual({ actions: SMOKE });
    await deploys();
    await saveAndRelease(page, 'by-mouse', '8.0.0');
    byMouse = await saved('by-mouse');
    await forget('by-mouse');
  }, 180_000);

  test('with the keyboard alone: the same, byte for byte', async () => {
    const { page } = await visit('/flows/new');
    await buildByKeyboard(page);
    await expect.poll(() => textOf(page)).toBe(BUILT);
    await expect.poll(() => saved(MADE.workflow)).toEqual({ actions: SMOKE });
    await deploys();
    await saveAndReleaseByKeyboard(page, 'by-keyboard', '8.1.0');
    await findFlow(page, 'by-keyboard');
    expect((await served.sluice('delete', 'PromotionFlow', 'by-keyboard')).code).toBe(0);
  }, 180_000);

  test('as text, which stays as it was typed, in a browser that keeps nothing', async () => {
    // As over HTTP of another host, and in some private windows.
    const { page, context, complaints } = await visit('/flows/new', async (each) => {
      await each.addInitScript({ content: 'delete Navigator.prototype.locks; delete globalThis.indexedDB' });
    });
    try {
      await typeText(page, WRITTEN, '# The end');
      await expect.poll(() => textOf(page)).toBe(`${WRITTEN}# The end`);
      await saveAndRelease(page, 'by-text', '8.2.0');
      await expect.poll(() => saved('by-text')).toEqual(byMouse);
      expect(complaints.filter((each) => !each.startsWith('The draft cannot be kept'))).toEqual([]);
    } finally {
      await context.close();
    }
    await forget('by-text');
  }, 120_000);
});

test('behind a proxy with a prefix of its own, a page that is opened deep inside finds its files, its API and its stream', async () => {
  const proxy = await openPrefix(served.url);
  const id = await served.engine.trigger({ product: 'billing', version: '9.0.0' });
  const { page, context, addresses, complaints } = await visitAt(`${proxy.url}/releases/${id}`);
  try {
    await page.getByText('Live', { exact: true }).waitFor();
    await button(page, 'Approve').click();
    await inDialog(page, 'Approve').click();
    await card(page, 'asia-2').getByText('Succeeded').waitFor();
    await page.getByRole('link', { name: 'Where is what' }).click();
    await page.getByRole('gridcell').filter({ hasText: '9.0.0' }).first().waitFor();
    expect(page.url()).toBe(`${proxy.url}/where`);
    expect(complaints).toEqual([]);
    const inside = proxy.url.replace(/^http/, '');
    expect(addresses.filter((each) => !each.replace(/^(http|ws)/, '').startsWith(inside))).toEqual([]);
  } finally {
    await context.close();
    await proxy.close();
  }
}, 120_000);

test('a portal of another origin shows a release, live, under a policy without exceptions', async () => {
  // A product of its own: no other release goes first.
  await served.engine.saveBilling('kiosk', { approvals: { staging: approvalOf('1', { forbidInitiator: false }) } });
  const portal = await openPortal(served, 'kiosk');
  try {
    await served.engine.trigger({ product: 'kiosk', version: '7.0.0' });
    const visited = await visitAt(portal.url);
    const { page, complaints, addresses } = visited;
    const element = page.locator('sluice-release');
    const node = (name: string) => element.locator(`[data-name="${name}"]`);
    await expect.poll(() => node('staging').getAttribute('data-status')).toBe('SUSPENDED');
    await page
      .locator('sluice-status')
      .getByText(/Suspended, 1 of \d, 1 waiting/)
      .waitFor();
    // Only with `actions` there is something to press.
    await element.getByRole('button', { name: 'Approve staging' }).click();
    await expect.poll(() => node('asia-2').getAttribute('data-status')).toBe('SUCCEEDED');
    await page.getByText(/^kiosk#\d+ is SUCCEEDED$/).waitFor();
    await node('eu').focus();
    await page.keyboard.press('Enter');
    await page.getByText('eu was chosen').waitFor();
    expect(complaints).toEqual([]);
    const origins = new Set(addresses.map((each) => new URL(each).origin));
    expect([...origins].sort()).toEqual([portal.url, portal.server].sort());
    expect(await seriousViolations(visited)).toEqual([]);
    const streams = (): number => addresses.filter((each) => each.endsWith('/graphql/stream')).length;
    expect(streams()).toBeGreaterThanOrEqual(2);
    const before = streams();
    await portal.restart();
    // Both elements come back.
    await expect.poll(streams).toBeGreaterThanOrEqual(before + 2);

    // The same over WebSockets, and as a list.
    const second = await served.engine.trigger({ product: 'kiosk', version: '7.1.0' });
    await page.locator('sluice-status').getByText('7.1.0').waitFor();
    const ended = complaints.length;
    await page.evaluate(`for (const each of document.querySelectorAll('sluice-status, sluice-release')) {
      each.setAttribute('transport', 'websocket');
      each.setAttribute('view', 'list');
    }`);
    const sockets = () => addresses.filter((each) => each.startsWith('ws'));
    await expect.poll(() => sockets().length).toBe(2);
    await element.getByRole('button', { name: 'Approve staging' }).waitFor();
    const events = streams();
    expect(await seriousViolations(visited)).toEqual([]);
    await element.getByRole('button', { name: 'Approve staging' }).click();
    await served.engine.ended(second);
    await page.getByText(/^kiosk#\d+ is SUCCEEDED$/).waitFor();
    await page.locator('sluice-status').getByText('Succeeded').waitFor();
    expect(sockets()).toEqual(Array.from({ length: 2 }, () => `${portal.server.replace('http', 'ws')}/graphql`));
    expect(streams()).toBe(events);
    expect(complaints.slice(ended)).toEqual([]);
  } finally {
    await portal.close();
  }
}, 120_000);

test('in all of that no page broke its policy, complained, or asked another host for anything', () => {
  expect(VISITS.length).toBeGreaterThan(4);
  // While a server is away, the browser says of each socket that it is refused.
  const complaints = VISITS.flatMap((each) => each.complaints);
  expect(complaints.filter((each) => !each.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  const hosts = new Set(VISITS.flatMap(({ addresses }) => addresses.map((each) => new URL(each).host)));
  expect([...hosts]).toEqual([new URL(served.url).host]);
});

test('the Flow Builder is as long as what it shows, however long the settings are in their panel', async () => {
  // Other products of this file travel without rollback policies, whose checkboxes are what is long.
  await served.engine.saveBilling('measured', AS_EVER);
  const { page } = await start('/flows/to-production');
  await page.locator('.inspector .check').first().waitFor();
  const [length, shown] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollHeight, Math.ceil(document.body.getBoundingClientRect().bottom)]',
  );
  expect(length).toBeLessThanOrEqual(shown);
});

describe('what the server sends', () => {
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(served.url + path, { headers, redirect: 'manual' });
  const page = { accept: 'text/html' };

  test("a page at every address that is nobody else's, never kept, under a policy of its own", async () => {
    for (const path of ['/', '/releases/42', '/what/ever']) {
      const answer = await get(path, page);
      expect([path, answer.status, answer.headers.get('cache-control')]).toEqual([path, 200, 'no-cache']);
      expect(answer.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
      // The files are found from there, whatever stands in front of the path.
      const script = /src="([^"]+)"/.exec(await answer.text())![1]!;
      expect(new URL(script, `https://proxy/sluice${path}`).pathname).toMatch(/^\/sluice\/assets\//);
    }
    for (const first of NO_PAGES) {
      const text = await (await get(`/${first}/nowhere`, page)).text();
      expect([first, text]).not.toEqual([first, expect.stringContaining('<title>Sluice</title>')]);
    }
    expect((await get('/releases/42', { accept: 'application/json' })).status).toBe(404);
    expect((await fetch(`${served.url}/releases/42`, { method: 'POST', headers: page })).status).toBe(404);
    expect((await get('/graphiql/', page)).headers.get('content-security-policy')).toContain('blob:');
  });

  test('files whose name holds their digest: kept for good, and compressed when they were built', async () => {
    const name = readdirSync(`${DIST}/assets`).find((each) => each.endsWith('.js'))!;
    for (const encoding of ['br', 'gzip', 'identity']) {
      const answer = await get(`/assets/${name}`, { 'accept-encoding': encoding });
      const { headers } = answer;
      expect(headers.get('content-encoding')).toBe(encoding === 'identity' ? null : encoding);
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual([
        'public, max-age=31536000, immutable',
        'Accept-Encoding',
      ]);
      expect(headers.get('content-type')).toContain('javascript');
      expect(await answer.text()).toBe(readFileSync(`${DIST}/assets/${name}`, 'utf8'));
    }
    for (const path of ['/assets/none.js', '/assets/..%2findex.html', '/assets/'])
      expect((await get(path)).status).toBe(404);
  });

  test('modules that pages of any origin may load, and nothing else that they may', async () => {
    const { modules } = (await (await get('/elements')).json()) as { modules: { path: string; integrity: string }[] };
    expect(modules.length).toBe(2);
    for (const { path, integrity } of modules) {
      const answer = await get(`/elements/${path}`, { origin: 'https://portal.example.com' });
      const { headers } = answer;
      expect([headers.get('cross-origin-resource-policy'), headers.get('access-control-allow-origin')]).toEqual([
        'cross-origin',
        '*',
      ]);
      const digest = createHash('sha384').update(await answer.text());
      expect(integrity).toBe(`sha384-${digest.digest('base64')}`);
    }
    for (const path of ['/', '/readyz', '/elements-of-others']) {
      const { headers } = await get(path, { ...page, origin: 'https://portal.example.com' });
      expect([headers.get('cross-origin-resource-policy'), headers.get('access-control-allow-origin')]).toEqual([
        'same-origin',
        null,
      ]);
    }
  });

  test('at most 300 kB of script for the first page, compressed', async () => {
    const { addresses } = await visit('/');
    const scripts = [...new Set(addresses.filter((each) => each.endsWith('.js')))];
    const sizes = scripts.map((each) => gzipSync(readFileSync(`${DIST}/assets/${each.split('/').at(-1)}`)).length);
    const sum = sizes.reduce((all, each) => all + each, 0);
    expect(sum).toBeGreaterThan(50_000);
    expect(sum).toBeLessThan(300_000);
  });
});
