import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page, type WebSocketRoute } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/manifests/index.ts';
import { NO_PAGES } from '../../src/server/web-app.ts';
import { AUDIENCE, CLIENT, openIssuer } from '../access/issuer.ts';
import { TestBrowser } from '../access/browser.ts';
import { ADMIN, openGuarded } from '../access/support.ts';
import { openServed, type Served } from '../cli/served.ts';
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
import { approvalOf } from '../core/support/builders.ts';
import { POLICY } from '../engine/rollback/support.ts';
import { openPortal } from './portal.ts';

const DIST = fileURLToPath(new URL('../../web/app/dist', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let served: Served;
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(`${DIST}/index.html`))
    throw new Error('The web app is not built: npm run build:web (npm test does it for you)');
  served = await openServed({
    approvals: { staging: approvalOf('1', { forbidInitiator: false }) },
    rollbackPolicies: [POLICY],
  });
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

interface Visit {
  page: Page;
  context: BrowserContext;
  addresses: string[];
  /** Errors of scripts and of the console, and what the policy of the page has refused. */
  complaints: string[];
}

const visit = (path: string, before?: (page: Page) => Promise<void>): Promise<Visit> =>
  visitAt(served.url + path, before);

async function visitAt(address: string, before?: (page: Page) => Promise<void>): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const addresses: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on(
    'console',
    (message) =>
      ['error', 'warning'].includes(message.type()) && complaints.push(`${message.text()} ${message.location().url}`),
  );
  await page.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', (event) =>
      console.error('violates ' + event.violatedDirective + ': ' + event.blockedURI + ' ' + event.sample))`,
  });
  await before?.(page);
  await page.goto(address);
  await page.locator('h1').waitFor();
  return { page, context, addresses, complaints };
}

/** Through the debugger: the policy of the page lets no script in that the server has not sent. Dark differs from light by its colours alone. */
async function seriousViolations({ page, context }: Visit): Promise<string[]> {
  const session = await context.newCDPSession(page);
  const evaluate = async (expression: string): Promise<unknown> =>
    (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  await evaluate(AXE);
  const found: string[] = [];
  for (const [colorScheme, only] of [
    ['light', ''],
    ['dark', ", runOnly: ['color-contrast']"],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const of =
      await evaluate(`axe.run(document, { resultTypes: ['violations']${only} }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | ')))`);
    found.push(...(of as string[]).map((each) => `${colorScheme} ${each}`));
  }
  await session.detach();
  return found;
}

/** What does not hold for people who want larger letters, their own colours, or no motion. */
async function brokenByWishes({ page }: Visit): Promise<string[]> {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  return page.evaluate<string[]>(`(() => {
    const found = [];
    const moving = document.getAnimations().filter((each) => each.playState === 'running');
    if (moving.length > 0) found.push(moving.length + ' things move');
    document.documentElement.style.fontSize = '30px';
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth + 1) found.push('with letters twice as large the page is ' + scrollWidth + ' px wide in ' + clientWidth);
    for (const each of document.querySelectorAll('button, a, h1, h2, [role="tab"]')) {
      if (each.scrollWidth > each.clientWidth + 2 && each.clientWidth > 0 && getComputedStyle(each).overflow === 'hidden' && !each.title)
        found.push('cut off: ' + each.outerHTML.slice(0, 120));
    }
    const main = document.querySelector('main a, main button, nav a');
    main.focus();
    if (getComputedStyle(main).outlineStyle === 'none') found.push('no outline of what has the focus');
    document.documentElement.style.fontSize = '';
    return found;
  })()`);
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const card = (page: Page, environment: string) => page.locator(`[data-environment="${environment}"]`);
const inDialog = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });

/** Presses Tab until what has the focus is called `name`, as a person without a mouse does. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate<string>(
      "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent",
    );
    if (name.test(text)) return;
    seen.push(text);
  }
  throw new Error(`Tab reaches nothing like ${name}: ${seen.join(', ')}`);
}

/** What `us-east` is found out to be when the version is everywhere. */
const failsInUsEast = (): Promise<{ code: number }> =>
  served.sluice('report', 'rollout', 'billing', 'us-east', 'failed', '--reason', 'error rate 12 %');

const VISITS: Visit[] = [];
const start = async (path: string, before?: (page: Page) => Promise<void>): Promise<Visit> => {
  const made = await visit(path, before);
  VISITS.push(made);
  return made;
};

afterEach(() => Promise.all(VISITS.map(({ context }) => context.close())));

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
    expect(await page.getByRole('link', { name: 'Releases', exact: true }).getAttribute('aria-current')).toBe('page');
    await button(page, 'Approve').click();
    await page.getByRole('dialog').getByLabel('Comment').fill('looks good');
    await inDialog(page, 'Approve').click();
    await card(page, 'asia-2').getByText('Succeeded').waitFor();
    await waits.waitFor({ state: 'detached' });

    await card(page, 'staging').click();
    const panel = page.getByRole('complementary', { name: 'Environment staging' });
    await panel.getByText('report', { exact: true }).waitFor();
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
  }, 60_000);

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
  }, 60_000);
});

test('a person with a keyboard alone does the same', async () => {
  const { page } = await start('/');
  await tabTo(page, /^Release a product$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^$/);
  await page.keyboard.type('3.0.0');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^billing#/ }).waitFor();
  await button(page, 'Approve').waitFor();
  await tabTo(page, /^Approve$/);
  await page.keyboard.press('Enter');
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
  await tabTo(page, /^Approve$/);
  await page.keyboard.press('Enter');
  await page
    .getByRole('region', { name: 'Rollback of 3.0.0' })
    .getByRole('listitem')
    .filter({ hasText: 'asia-2' })
    .getByText('Rolled back')
    .waitFor();
}, 60_000);

test('a restart of the server is said, and nothing of it is lost', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '4.0.0' });
  const { page } = await start(`/releases/${id}`);
  await button(page, 'Approve').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  const restarted = served.restart(1_500);
  await page.getByText('Reconnecting').waitFor();
  await restarted;
  await page.getByText('Live', { exact: true }).waitFor();
  await button(page, 'Approve').click();
  await inDialog(page, 'Approve').click();
  await card(page, 'asia-2').getByText('Succeeded').waitFor();
}, 60_000);

test('a socket that is cut goes on where it was, and of two people one decides and the other sees it', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '4.1.0' });
  const sockets: WebSocketRoute[] = [];
  const ana = await start(`/releases/${id}`, (page) =>
    page.routeWebSocket(/graphql/, (socket) => {
      sockets.push(socket);
      socket.connectToServer();
    }),
  );
  const ben = await start(`/releases/${id}`);
  await button(ana.page, 'Approve').waitFor();
  await button(ben.page, 'Approve').click();
  await Promise.all(sockets.splice(0).map((each) => each.close({ code: 4000 })));
  await inDialog(ben.page, 'Approve').click();
  await card(ana.page, 'asia-2').getByText('Succeeded').waitFor();
  await button(ana.page, 'Approve').waitFor({ state: 'detached' });
  expect(sockets.length).toBeGreaterThan(0);
}, 60_000);

test('a tab that was hidden and one that slept come back to what is so now', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '4.1.5' });
  const sockets: { isDead: boolean }[] = [];
  const slept = await start(`/releases/${id}`, async (page) => {
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
}, 60_000);

test('a window is drafted by dragging and again by keys, and its next ten times are shown before it is saved', async () => {
  const { page } = await start('/calendar');
  const lane = (name: string) => page.getByRole('group', { name: new RegExp(`^${name}: `) });
  const dialog = page.getByRole('dialog');
  const times = dialog.getByRole('region', { name: 'Its next times' }).getByRole('listitem');
  await lane('staging').scrollIntoViewIfNeeded();
  const box = (await lane('staging').boundingBox())!;
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
  await page.keyboard.type('freeze');
  await expect.poll(() => times.count()).toBe(1);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('radio', { name: 'Windows' }).click();
  await lane('freeze').waitFor();
  for (const name of ['nightly', 'freeze']) expect((await served.sluice('delete', 'ReleaseWindow', name)).code).toBe(0);
}, 60_000);

test('several approvals are given at once, an environment has a page, and everything is found by Ctrl-K', async () => {
  await served.engine.saveBilling('shop', { approvals: { staging: approvalOf('1', { forbidInitiator: false }) } });
  const ids = await Promise.all(
    ['billing', 'shop'].map((product) => served.engine.trigger({ product, version: '4.2.0' })),
  );
  const { page } = await start('/inbox');
  let orders = 0;
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('promotionApprove')) return route.fallback();
    const response = await route.fetch();
    if ((orders += 1) === 1) return route.fulfill({ response });
    // Somebody else was faster with this one.
    const userErrors = [{ __typename: 'UserError', message: 'it was decided meanwhile' }];
    await route.fulfill({ json: { data: { payload: { __typename: 'PromotionDecisionPayload', userErrors } } } });
  });
  await button(page, 'Choose all 2').click();
  await button(page, 'Approve 2').click();
  await page.getByRole('dialog').getByLabel('Comment on each').fill('both are fine');
  await inDialog(page, 'Approve 2').click();
  await Promise.all(ids.map((id) => served.engine.ended(id)));
  await page.getByText('Nothing waits for you.').waitFor();
  // The list is empty and the dialog gone: which one was refused is said all the same.
  await page.getByText(/^(billing|shop) 4\.2\.0 to staging: it was decided meanwhile$/).waitFor();
  await page.unroute('**/graphql');

  await page.keyboard.press('Control+k');
  await page.keyboard.type('asia-2');
  await page.getByRole('option', { name: 'asia-2', exact: true }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'asia-2', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'shop', exact: true }).click();
  await page.getByRole('heading', { name: 'History of shop' }).waitFor();
  await page.getByText('Is here').waitFor();
  await tabTo(page, /^Hold$/);
  await page.keyboard.press('Enter');
  await page.keyboard.type('a move');
  await tabTo(page, /^Hold$/);
  await page.keyboard.press('Enter');
  const onHold = page.getByRole('region', { name: 'On hold' });
  await onHold.getByText('a move').waitFor();
  await button(page, 'Lift').click();
  await inDialog(page, 'Lift').click();
  await onHold.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Its releases' }).click();
  await page.getByLabel('Search').fill('shop#');
  await expect.poll(() => page.getByRole('row').count()).toBe(2);
  expect(page.url()).toMatch(/environment=asia-2.*text=shop/);
}, 60_000);

test('an administrator reads who did what, and is told what to do where there is nothing yet', async () => {
  const { page } = await start('/admin');
  await page.getByRole('tab', { name: 'Audit log' }).click();
  await page.getByRole('tabpanel').getByRole('row').nth(1).waitFor();
  await page.getByRole('tab', { name: 'Secrets' }).click();
  await page.getByText('There is no secret yet.').waitFor();
}, 60_000);

/** The page is told of 1,500 environments more, in which there is nothing. */
const withManyEnvironments = async (page: Page): Promise<void> => {
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('query WhereNames')) return route.fallback();
    const response = await route.fetch();
    const { data } = (await response.json()) as { data: { deploymentMatrixAxes: { environmentNames: string[] } } };
    const many = Array.from({ length: 1_500 }, (_, index) => `place-${index}`);
    data.deploymentMatrixAxes.environmentNames.push(...many);
    return route.fulfill({ response, json: { data } });
  });
};

test('where is what, what waits for me, and what is kept out', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '6.0.0' });
  const { page } = await start('/inbox', withManyEnvironments);
  await page.getByRole('link', { name: 'billing 6.0.0' }).waitFor();
  await page
    .getByRole('link', { name: /^Approvals/ })
    .getByText('1', { exact: true })
    .waitFor();
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
  await page.getByRole('link', { name: 'Where is what' }).click();
  const cell = page.getByRole('gridcell').filter({ hasText: '6.0.0' }).first();
  await cell.waitFor();
  await page.getByRole('button', { name: /Compare with/ }).click();
  // Of 1,500 some are drawn, and the others found.
  await expect.poll(() => page.getByRole('option').count()).toBe(50);
  await page.keyboard.type('dev');
  await page.getByRole('option', { name: 'dev', exact: true }).click();
  await expect.poll(() => page.url()).toContain('compareTo=dev');
  await page.getByRole('button', { name: /^dev.*Compare with/ }).waitFor();
  await page.getByRole('link', { name: /^Approvals/ }).click();
  await button(page, 'Reject').click();
  await inDialog(page, 'Reject').click();
  await page.getByText('Nothing waits for you.').waitFor();
  await served.engine.ended(id);
  await page.getByRole('link', { name: 'Holds' }).click();
  await page.getByText('No environment is on hold.').waitFor();
  expect((await served.sluice('hold', 'eu', '--product', 'billing', '--reason', 'moving')).code).toBe(0);
  await button(page, 'Lift').click();
  await inDialog(page, 'Lift').click();
  await page.getByText('No environment is on hold.').waitFor();
}, 60_000);

test('a person signs in, is signed out in the middle, signs in again in place, and goes on', async () => {
  const issuer = await openIssuer();
  const guarded = await openGuarded({
    SLUICE_OIDC_ISSUER: issuer.url,
    SLUICE_OIDC_AUDIENCE: AUDIENCE,
    SLUICE_OIDC_NAME_CLAIM: 'name',
    SLUICE_OIDC_CLIENT_ID: CLIENT.id,
    SLUICE_OIDC_CLIENT_SECRET: CLIENT.secret,
  });
  await guarded.engine.saveBilling();
  await guarded.grant({ subject: 'ada', role: 'OPERATOR' });
  const slowed = { errors: [{ message: 'too many sign-ins: try again in a minute' }] };
  let isSlowed = true;
  const made = await visitAt(`${guarded.url}/inbox`, async (each) => {
    await each.route('**/auth', (route) =>
      isSlowed ? route.fulfill({ status: 429, json: slowed }) : route.fallback(),
    );
  });
  const { page, context } = made;
  try {
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // The page says why there is nothing to press, and asks again.
    await page.getByText('too many sign-ins').waitFor();
    isSlowed = false;
    await button(page, 'Sign in with your identity provider').waitFor();
    expect(await seriousViolations(made)).toEqual([]);
    await button(page, 'Sign in with your identity provider').click();
    await page.getByText('Nothing waits for you.').waitFor();
    expect(page.url()).toBe(`${guarded.url}/inbox`);
    const second = await context.newPage();
    await second.goto(`${guarded.url}/sessions`);
    await second.getByText('this one').waitFor();

    await page.getByRole('link', { name: 'Releases' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await button(page, 'Release a product').click();
    await page.getByLabel('Version').fill('7.0.0');
    await guarded.engine.app.pool.query(
      `UPDATE web_session SET ended_at = now(), end_reason = 'the admin ended it' WHERE ended_at IS NULL`,
    );
    await guarded.engine.app.pool.query('UPDATE access_clock SET revision = revision + 1');
    const over = page.getByRole('alertdialog', { name: 'Your session is over' });
    await over.getByText(/the admin ended it/).waitFor();
    expect(await seriousViolations(made)).toEqual([]);
    const [popup] = await Promise.all([
      context.waitForEvent('page'),
      over.getByRole('button', { name: 'Sign in with your identity provider' }).click(),
    ]);
    await over.waitFor({ state: 'detached' });
    await expect.poll(() => popup.isClosed()).toBe(true);
    // What was written is there, and the order is carried out.
    expect(await page.getByLabel('Version').inputValue()).toBe('7.0.0');
    await inDialog(page, 'Release').click();
    await page.getByRole('heading', { name: /^billing#/ }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Signed in as ada' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(issuer.people.signedOut).toHaveLength(1);
    // What the other tab showed is not there for the next person at this machine.
    await second.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await second.getByText('this one').count()).toBe(0);
    await page.getByLabel('API token').fill((await guarded.token('VIEWER')).text);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Signed in as service-account/viewer-1' }).waitFor();
    await second.getByText('by token').waitFor();
    // Somebody else signs in, and no tab sees how: each begins anew as soon as one page knows.
    const other = new TestBrowser(guarded.url);
    await other.swap(ADMIN);
    await context.addCookies([{ name: 'sluice', value: other.cookies.get('sluice')!, url: guarded.url }]);
    const third = await context.newPage();
    await third.goto(`${guarded.url}/sessions`);
    for (const each of [third, second, page])
      await each.getByRole('button', { name: 'Signed in as service-account/admin' }).waitFor();
    // The browser brings a page back that it has kept: nothing of what it showed is left.
    await third.evaluate<unknown>(
      "document.title = 'kept'; window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    );
    await expect.poll(() => third.title().catch(() => 'kept')).not.toBe('kept');
    // What stands in front of the server is down: nobody believes to have signed out.
    await page.route('**/auth/logout', (route) => route.fulfill({ status: 502, body: '<html>Bad gateway</html>' }));
    await page.getByRole('button', { name: 'Signed in as service-account/admin' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('alertdialog').getByText('The server answers 502.').waitFor();
    expect(await seriousViolations({ ...made, page: second })).toEqual([]);
    expect(made.complaints.filter((each) => !/status of (401|429|502)/.test(each))).toEqual([]);
  } finally {
    await context.close();
    await guarded.close();
    await issuer.close();
  }
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
    const { page } = await start('/flows/new');
    await buildByMouse(page);
    expect(await textOf(page)).toBe(BUILT);
    expect(await saved(MADE.workflow)).toEqual({ actions: SMOKE });
    await deploys();
    await saveAndRelease(page, 'by-mouse', '8.0.0');
    byMouse = await saved('by-mouse');
    await forget('by-mouse');
  }, 90_000);

  test('with the keyboard alone: the same, byte for byte', async () => {
    const { page } = await start('/flows/new');
    await buildByKeyboard(page);
    expect(await textOf(page)).toBe(BUILT);
    expect(await saved(MADE.workflow)).toEqual({ actions: SMOKE });
    await deploys();
    await saveAndReleaseByKeyboard(page, 'by-keyboard', '8.1.0');
    await findFlow(page, 'by-keyboard');
    expect((await served.sluice('delete', 'PromotionFlow', 'by-keyboard')).code).toBe(0);
  }, 90_000);

  test('as text, which stays as it was typed, in a browser that keeps nothing', async () => {
    // As over HTTP of another host, and in some private windows.
    const { page, context, complaints } = await visit('/flows/new', async (each) => {
      await each.addInitScript({ content: 'delete Navigator.prototype.locks; delete globalThis.indexedDB' });
    });
    try {
      await typeText(page, WRITTEN, '# The end');
      expect(await textOf(page)).toBe(`${WRITTEN}# The end`);
      await saveAndRelease(page, 'by-text', '8.2.0');
      expect(await saved('by-text')).toEqual(byMouse);
      expect(complaints.filter((each) => !each.startsWith('The draft cannot be kept'))).toEqual([]);
    } finally {
      await context.close();
    }
    await forget('by-text');
  }, 60_000);
});

test('no page has a serious fault of accessibility, in light and in dark', async () => {
  const id = await served.engine.trigger({ product: 'billing', version: '5.0.0' });
  const found: string[] = [];
  for (const path of [
    '/',
    `/releases/${id}?environment=staging`,
    `/releases/${id}?view=list`,
    `/releases/${id}?view=timeline`,
    `/releases/${id}?view=gantt`,
    `/releases/${id}?view=notes`,
    '/where',
    '/inbox',
    '/holds',
    '/triggers',
    '/environments/eu',
    '/calendar',
    '/admin?tab=grants',
    '/admin?tab=audit',
    '/sessions',
    '/nowhere',
    '/flows',
    '/flows/new',
    '/flows/to-production',
    '/workflows',
    '/workflows/new',
    '/workflows/checks',
  ]) {
    const made = await start(path);
    found.push(...(await seriousViolations(made)).map((each) => `${path} ${each}`));
    found.push(...(await brokenByWishes(made)).map((each) => `${path} ${each}`));
  }
  expect(found).toEqual([]);
}, 120_000);

test('a portal of another origin shows a release, live, under a policy without exceptions', async () => {
  // A product of its own: no other release goes first.
  await served.engine.saveBilling('shop', { approvals: { staging: approvalOf('1', { forbidInitiator: false }) } });
  const portal = await openPortal(served, 'shop');
  try {
    await served.engine.trigger({ product: 'shop', version: '7.0.0' });
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
    await expect.poll(() => node('asia-2').getAttribute('data-status'), { timeout: 15_000 }).toBe('SUCCEEDED');
    await page.getByText(/^shop#\d+ is SUCCEEDED$/).waitFor();
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
    await expect.poll(streams).toBeGreaterThan(before);

    // The same over WebSockets, and as a list.
    const second = await served.engine.trigger({ product: 'shop', version: '7.1.0' });
    const [events, ended] = [streams(), complaints.length];
    await page.evaluate(`for (const each of document.querySelectorAll('sluice-status, sluice-release')) {
      each.setAttribute('transport', 'websocket');
      each.setAttribute('view', 'list');
    }`);
    await page.locator('sluice-status').getByText('7.1.0').waitFor();
    await element.getByRole('button', { name: 'Approve staging' }).waitFor();
    expect(await seriousViolations(visited)).toEqual([]);
    await element.getByRole('button', { name: 'Approve staging' }).click();
    await served.engine.ended(second);
    await page.getByText(/^shop#\d+ is SUCCEEDED$/).waitFor();
    await page.locator('sluice-status').getByText('Succeeded').waitFor();
    expect(addresses.filter((each) => each.startsWith('ws'))).toEqual(
      Array.from({ length: 2 }, () => `${portal.server.replace('http', 'ws')}/graphql`),
    );
    expect(streams()).toBe(events);
    expect(complaints.slice(ended)).toEqual([]);
  } finally {
    await portal.close();
  }
}, 60_000);

test('in all of that no page broke its policy, complained, or asked another host for anything', () => {
  expect(VISITS.length).toBeGreaterThan(4);
  // While a server is away, the browser says of each socket that it is refused.
  const complaints = VISITS.flatMap((each) => each.complaints);
  expect(complaints.filter((each) => !each.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  const hosts = new Set(VISITS.flatMap(({ addresses }) => addresses.map((each) => new URL(each).host)));
  expect([...hosts]).toEqual([new URL(served.url).host]);
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
