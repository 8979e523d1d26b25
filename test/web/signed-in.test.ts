import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { TestBrowser } from '../access/browser.ts';
import { AUDIENCE, CLIENT, type Issuer, openIssuer } from '../access/issuer.ts';
import { ADMIN, type GuardedServer, openGuarded } from '../access/support.ts';
import { approvalOf } from '../core/support/builders.ts';
import { newWebhookSecret, signWebhook } from '../support/webhooks.ts';
import { BOTH, confirm, type Hands, hasFocus, keyboardOn, mouseOn, open } from './support/hands.ts';
import { defineHostile, MADE_BY_WORDS } from './support/hostile.ts';
import { administer, replay } from './support/jobs.ts';
import { openBrowser } from '../support/browser.ts';
import { brokenByWishes, newContext, seriousViolations, type Visit, visitIn } from './support/visit.ts';

// The web app of a server that asks who is calling: what is signed in for, and every page as an administrator sees it.

let browser: Browser;
let issuer: Issuer;
let guarded: GuardedServer;
const secret = newWebhookSecret();

beforeAll(async () => {
  if (!existsSync(fileURLToPath(new URL('../../web/app/dist/index.html', import.meta.url))))
    throw new Error('The web app is not built: npm run build:web (npm test does it for you)');
  browser = await openBrowser();
  issuer = await openIssuer();
  guarded = await openGuarded({
    SLUICE_OIDC_ISSUER: issuer.url,
    SLUICE_OIDC_AUDIENCE: AUDIENCE,
    SLUICE_OIDC_NAME_CLAIM: 'name',
    SLUICE_OIDC_CLIENT_ID: CLIENT.id,
    SLUICE_OIDC_CLIENT_SECRET: CLIENT.secret,
    SLUICE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  });
  await defined('billing');
  await guarded.engine.startWorker();
});

afterAll(async () => {
  await browser?.close();
  await guarded?.close();
  await issuer?.close();
});

/** A product of its own, so that no other release goes first; two people agree to it. */
const defined = (product: string): Promise<void> =>
  guarded.engine.saveBilling(product, { approvals: { staging: approvalOf('2') } });

/** By a person in a browser of their own. */
const visitAt = async (address: string, before?: (page: Page) => Promise<void>): Promise<Visit> =>
  visitIn(await newContext(browser), address, before);

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const card = (page: Page, environment: string) => page.locator(`[data-environment="${environment}"]`);
const inDialog = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true });

/** A token of a person, who signs in with it. */
const tokenOf = async (subject: string, role: 'APPROVER' | 'VIEWER'): Promise<string> => {
  await guarded.grant({ subject, role });
  const create = `mutation ($input: ApiTokenCreateInput!) { made: apiTokenCreate(input: $input) { secret } }`;
  const input = { name: 'browser', subject, subjectKind: 'USER' };
  const { body } = await guarded.ask(ADMIN, create, { input });
  return (body.data!['made'] as { secret: string }).secret;
};

const signIn = async (made: Visit, hands: Hands, token: string): Promise<void> => {
  await made.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await made.page.getByLabel('API token').waitFor();
  await hands.fill('API token', token);
  await hands.press('Sign in with the token');
  await made.page.getByRole('heading', { name: 'Sign in' }).waitFor({ state: 'detached' });
};

test('a person signs in, is signed out in the middle, signs in again in place, and goes on', async () => {
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
    await expect.poll(() => page.getByLabel('Version').inputValue()).toBe('7.0.0');
    await inDialog(page, 'Release').click();
    await page.getByRole('heading', { name: /^billing#/ }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Signed in as ada' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await expect.poll(() => issuer.people.signedOut).toHaveLength(1);
    // What the other tab showed is not there for the next person at this machine.
    await second.getByRole('heading', { name: 'Sign in' }).waitFor();
    await expect.poll(() => second.getByText('this one').count()).toBe(0);
    const { text } = await guarded.token('VIEWER');
    await page.getByLabel('API token').fill(`${text} ${text}`);
    await page.keyboard.press('Enter');
    await page.getByText('a token has no space').waitFor();
    await page.getByLabel('API token').fill(` Bearer ${text} `);
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
    expect(made.complaints.filter((each) => !/status of (400|401|429|502)/.test(each))).toEqual([]);
  } finally {
    await context.close();
  }
}, 120_000);

test('two people agree at once, by mouse and by keyboard, and one whose session ends goes on by keyboard', async () => {
  const tokens = { ana: await tokenOf('ana', 'APPROVER'), ben: await tokenOf('ben', 'APPROVER') };
  await defined('shop');
  const id = await guarded.engine.trigger({ product: 'shop', version: '1.0.0' });
  const [ana, ben] = await Promise.all(
    ['ana', 'ben'].map(() => visitAt(`${guarded.url}/releases/${id}?environment=staging`)),
  );
  const [mouse, keys] = [mouseOn(ana!.page), keyboardOn(ben!.page)];
  try {
    await Promise.all([signIn(ana!, mouse, tokens.ana), signIn(ben!, keys, tokens.ben)]);
    await Promise.all([ana!, ben!].map(({ page }) => button(page, 'Approve').waitFor()));
    await Promise.all([open(ana!.page, mouse, 'Approve'), open(ben!.page, keys, 'Approve')]);
    await keys.fill('Comment', 'seen');
    await guarded.engine.app.pool.query(
      `UPDATE web_session SET ended_at = now(), end_reason = 'the admin ended it' WHERE subject = 'ben'`,
    );
    await guarded.engine.app.pool.query('UPDATE access_clock SET revision = revision + 1');
    const over = ben!.page.getByRole('alertdialog', { name: 'Your session is over' });
    await hasFocus(ben!.page, 'alertdialog');
    await confirm(ana!.page, mouse, 'Approve');
    await ana!.page.getByText('You cannot decide this').waitFor();
    await keys.fill('API token', tokens.ben);
    await ben!.page.keyboard.press('Enter');
    await over.waitFor({ state: 'detached' });
    // She has agreed meanwhile; his words are still there.
    await expect.poll(() => ben!.page.getByLabel('Comment').inputValue()).toBe('seen');
    await confirm(ben!.page, keys, 'Approve');
    for (const { page } of [ana!, ben!]) await card(page, 'asia-2').getByText('Succeeded').waitFor();
    for (const { complaints } of [ana!, ben!])
      expect(complaints.filter((each) => !each.includes('status of 401'))).toEqual([]);
  } finally {
    await Promise.all([ana!, ben!].map(({ context }) => context.close()));
  }
}, 120_000);

test('a person who may only look is told why each button is not theirs, and is shown none that is for others', async () => {
  await defined('looked-at');
  const id = await guarded.engine.trigger({ product: 'looked-at', version: '1.1.0' });
  const made = await visitAt(`${guarded.url}/releases/${id}`);
  const { page } = made;
  try {
    await signIn(made, keyboardOn(page), await tokenOf('vic', 'VIEWER'));
    await page.getByText('You cannot decide this').waitFor();
    const refused = async (name: string, reason: RegExp): Promise<void> => {
      const at = page.getByRole('button', { name, exact: true }).first();
      await expect.poll(() => at.getAttribute('aria-disabled')).toBe('true');
      await at.focus();
      await page.keyboard.press('Enter');
      const why = async () => {
        const told = page.locator(`[id="${await at.getAttribute('aria-describedby')}"]`);
        return [await told.getAttribute('class'), await told.textContent()];
      };
      await expect.poll(why).toEqual(['why-not', expect.stringMatching(reason)]);
    };
    await refused('Terminate', /vic.*TERMINATE/);
    await refused('Mark bad', /vic.*MARK_BAD/);
    await expect.poll(() => page.getByRole('link', { name: 'Administration' }).count()).toBe(0);
    for (const [link, name, reason] of [
      ['Releases', 'Release a product', /PROMOTE/],
      ['Holds', 'Hold an environment', /HOLD/],
      ['Holds', 'Mark a version', /MARK_BAD/],
      ['Calendar', 'Draft a window', /EDIT_DEFINITIONS/],
    ] as const) {
      await page.getByRole('link', { name: link, exact: true }).click();
      await refused(name, reason);
    }
    await page.goto(`${guarded.url}/releases/${id}`);
    await page.getByText('You cannot decide this').waitFor();
    expect(await seriousViolations(made)).toEqual([]);
    await page.goto(`${guarded.url}/admin`);
    await page.getByText('You administer nothing here.').waitFor();
  } finally {
    await made.context.close();
  }
}, 120_000);

test.each(BOTH)(
  'an administrator grants, makes, ends and replays with %s',
  async (_by, handsOn) => {
    const use = { kind: 'WEBHOOK' as const, source: 'monitor', products: [] };
    await setSecret(guarded.engine.app, { name: 'monitor', value: secret, description: null, use }, 'ada');
    const report = { product: 'billing', environment: 'eu', status: 'SUCCEEDED' };
    const { headers, body } = signWebhook({ secret, body: { type: 'rollout.report', data: report } });
    const sent = await fetch(`${guarded.url}/hooks/rollouts/monitor`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: new Uint8Array(body),
    });
    expect(sent.status).toBe(202);
    const made = await visitAt(`${guarded.url}/admin`);
    const other = await visitAt(guarded.url);
    const { page } = made;
    const hands = handsOn(page);
    try {
      const guest = await tokenOf('eva', 'VIEWER');
      await Promise.all([signIn(made, hands, ADMIN), signIn(other, mouseOn(other.page), guest)]);
      await administer(page, hands);
      await hands.press('Triggers');
      await page.getByRole('heading', { name: 'Webhook deliveries' }).waitFor();
      await replay(page, hands);
      await page.goto(`${guarded.url}/sessions?all=true`);
      await page.getByText('this one').waitFor();
      await open(page, hands, 'End', 'eva');
      await confirm(page, hands, 'End');
      await other.page.getByRole('alertdialog', { name: 'Your session is over' }).waitFor();
      expect(made.complaints.filter((each) => !each.includes('status of 401'))).toEqual([]);
    } finally {
      await Promise.all([made, other].map(({ context }) => context.close()));
    }
  },
  120_000,
);

test('no page has a serious fault of accessibility, in light and in dark, whatever names and reasons say', async () => {
  await defined('pages');
  const id = await guarded.engine.trigger({ product: 'pages', version: '5.0.0' });
  const hostile = await defineHostile(guarded);
  const signedIn = await visitAt(guarded.url);
  await signIn(signedIn, mouseOn(signedIn.page), ADMIN);
  const found: string[] = [];
  const paths = [
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
    '/calendar?span=month&rows=windows',
    '/admin?tab=grants',
    '/admin?tab=tokens',
    '/admin?tab=secrets',
    '/admin?tab=audit',
    '/admin?tab=findings',
    '/sessions',
    '/nowhere',
    '/flows',
    '/flows/new',
    '/flows/to-production',
    '/workflows',
    '/workflows/new',
    '/workflows/checks',
    ...hostile,
  ];
  const { host } = new URL(guarded.url);
  const look = async (): Promise<void> => {
    // One tab: another one would compile all scripts again.
    const made = await visitIn(signedIn.context, guarded.url);
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      const at = path;
      await made.page.goto(guarded.url + path);
      await made.page.locator('h1').waitFor();
      found.push(...(await seriousViolations(made)).map((each) => `${at} ${each}`));
      found.push(...(await brokenByWishes(made)).map((each) => `${at} ${each}`));
      found.push(...(await made.page.evaluate<string[]>(MADE_BY_WORDS)).map((each) => `${at} ${each}`));
      found.push(...made.complaints.splice(0).map((each) => `${at} ${each}`));
      const asked = made.addresses.splice(0).filter((each) => new URL(each).host !== host);
      found.push(...asked.map((each) => `${at} asks ${each}`));
    }
  };
  await Promise.all([look(), look()]);
  await signedIn.context.close();
  expect(found).toEqual([]);
}, 300_000);
