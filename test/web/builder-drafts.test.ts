import { randomBytes } from 'node:crypto';
import { structuredPatch } from 'diff';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { ADMIN, type GuardedServer, openGuarded, type Token } from '../access/support.ts';
import { startForge, type TestForge } from '../peers/forges.ts';
import { type GitHost, startGitHost } from '../peers/git-host.ts';
import { openBrowser } from '../support/browser.ts';
import { PATIENCE } from '../support/patience.ts';
import { textOf } from './support/build-flow.ts';
import { BOTH, confirm, hasFocus, open as openDialog } from './support/hands.ts';

let host: GitHost;
let forge: TestForge;
let guarded: GuardedServer;
let browser: Browser;
let ana: Token;
let ben: Token;
const complaints: string[] = [];

beforeAll(async () => {
  host = await startGitHost();
  forge = await startForge('github', host);
  guarded = await openGuarded({
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_CREDENTIALS: JSON.stringify({ [`${host.url}/`]: forge.gitLogin }),
    SLUICE_DATA_DIR: `${host.root}/data`,
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  });
  const use = { kind: 'FORGE' as const, forge: 'github' as const, url: `${host.url}/`, apiUrl: forge.apiUrl };
  await setSecret(guarded.engine.app, { name: 'forge', value: forge.token, description: null, use }, 'ada');
  await guarded.engine.startWorker();
  [ana, ben] = [await guarded.token('ADMIN'), await guarded.token('ADMIN')];
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await guarded?.close();
  await forge?.close();
  await host?.close();
});

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog').last();
const inDialog = (page: Page, name: string) => dialog(page).getByRole('button', { name, exact: true });
const node = (page: Page, name: string) => page.locator(`[data-node="${name}"]`);
const field = (page: Page, place: string) => page.locator(`.inspector [data-field="${place}"]`);
const said = (page: Page, words: string | RegExp) => page.locator('.said').getByText(words).waitFor();

/** A browser of one person, who is signed in. */
async function person(token: Token): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE);
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await context.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', (event) =>
      console.error('violates ' + event.violatedDirective + ': ' + event.blockedURI + ' ' + event.sample))`,
  });
  const page = await context.newPage();
  await page.goto(guarded.url);
  await signIn(page, token);
  await page.close();
  return context;
}

async function signIn(page: Page, token: Token): Promise<void> {
  await page.getByLabel('API token').fill(token.text);
  await page.keyboard.press('Enter');
  await button(page, /^Signed in as/).waitFor();
}

/** A tab of a person, with a flow in the builder. */
async function open(context: BrowserContext, flow: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${guarded.url}/flows/${flow}`);
  await node(page, 'staging').waitFor();
  return page;
}

const apply = async (text: string): Promise<void> => {
  const { body } = await guarded.ask(
    ADMIN,
    'mutation ($text: String!) { manifestsApply(input: { text: $text }) { userErrors { message } } }',
    { text },
  );
  expect(body.data?.['manifestsApply']).toEqual({ userErrors: [] });
};
const environments = (...names: string[]): string =>
  names
    .map(
      (name) =>
        `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: ${name} }\nspec: { kind: NON_PRODUCTION }\n`,
    )
    .join('---\n');
/** A saved flow from dev over staging to production. */
const define = (flow: string, text: string = flowText(flow)): Promise<void> =>
  apply(`${environments('dev', 'staging', 'production')}---\n${text}`);
const read = async (flow: string): Promise<{ manifest: string; revision: number }> => {
  const { body } = await guarded.ask(
    ADMIN,
    'query ($flow: String!) { promotionFlow(name: $flow) { manifest revision } }',
    {
      flow,
    },
  );
  return body.data!['promotionFlow'] as { manifest: string; revision: number };
};

/** One setting of a step, by a click and a key. */
async function set(page: Page, step: string, place: string, text: string): Promise<void> {
  await node(page, step).click();
  await field(page, place).fill(text);
  await field(page, place).press('Enter');
}

async function save(page: Page): Promise<void> {
  await button(page, 'Save').click();
  await inDialog(page, 'Save flow').click();
}

const isRevision = (page: Page, revision: number) =>
  page
    .locator('.draft-state')
    .getByText(new RegExp(`^Revision ${revision}`))
    .waitFor();

/** As `git diff` tells it. */
function changes(before: string, after: string): string[] {
  const { hunks } = structuredPatch('', '', before, after, undefined, undefined, { context: 0 });
  return hunks.flatMap((hunk) => hunk.lines);
}

const flowText = (name: string): string => `apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
  name: ${name}
spec:
  triggerEnvironment: dev
  steps:
    - environment: staging
      dependsOn:
        - dev
    - environment: production
      dependsOn:
        - staging
`;

test('somebody who has never seen it makes a first flow, with all that it needs, and releases by it', async () => {
  const context = await person(ana);
  const page = await context.newPage();
  await page.goto(guarded.url);
  let clicks = 0;
  const click = async (name: string): Promise<void> => {
    clicks += 1;
    await (
      (await page.getByRole('dialog').count()) > 0 ? inDialog(page, name) : page.locator(`text="${name}"`).first()
    ).click();
  };
  /** Makes an environment in the dialog that is open. */
  const make = async (environment: string): Promise<void> => {
    await dialog(page).getByRole('searchbox').fill(environment);
    await click(`New environment ${environment}`);
    await click('Create environment');
    await dialog(page).getByRole('option', { name: environment, selected: true }).waitFor();
  };
  await click('Make your first flow');
  await click('Choose the trigger environment');
  await make('dev');
  await click('Begin here');
  for (const [before, after] of [
    ['dev', 'staging'],
    ['staging', 'production'],
  ] as const) {
    await node(page, before).click();
    await button(page, 'Add after').click();
    clicks += 2;
    await make(after);
    await click('Add');
    await node(page, after).waitFor();
  }
  await page.getByText('Nothing is wrong.').waitFor();
  await click('Save and trigger');
  await dialog(page).getByLabel('Name of the flow').fill('web');
  await dialog(page).getByLabel('Name of the product').fill('shop');
  await click('Save and release');
  await page.getByRole('heading', { level: 1, name: /^shop#1/ }).waitFor();
  for (const environment of ['dev', 'staging', 'production'])
    await page.locator(`[data-environment="${environment}"]`).getByText('Succeeded').waitFor();
  expect(clicks).toBeLessThan(20);
  await expect.poll(() => read('web')).toEqual({ manifest: flowText('web'), revision: 1 });
  await context.close();
}, 120_000);

describe('a draft', () => {
  test('is one in two tabs of one person: what each of them does is in both, and told', async () => {
    await define('tabs');
    const context = await person(ana);
    const [one, two] = [await open(context, 'tabs'), await open(context, 'tabs')];
    const list = await context.newPage();
    await list.goto(`${guarded.url}/flows`);
    await list.getByRole('row').filter({ hasText: 'tabs' }).waitFor();
    const listed = list.getByRole('region', { name: 'Your drafts in this browser' });
    await expect.poll(() => listed.count()).toBe(0);
    await set(one, 'staging', 'soak', '10m');
    await said(two, 'another tab changed the draft');
    await listed.getByRole('link', { name: 'tabs', exact: true }).waitFor();
    await node(two, 'staging').click();
    await expect.poll(() => field(two, 'soak').inputValue()).toBe('10m');
    // Both at once, and not one after the other.
    await node(one, 'production').click();
    await field(one, 'soak').fill('20m');
    await field(two, 'timeout').fill('30m');
    await Promise.all([field(one, 'soak').press('Enter'), field(two, 'timeout').press('Enter')]);
    const both = /soak: 10m\n {6}timeout: 30m[^]*soak: 20m/;
    await expect.poll(() => textOf(one)).toMatch(both);
    await expect.poll(() => textOf(two)).toBe(await textOf(one));
    // What one of them saves, the other one goes on from.
    await save(one);
    await said(two, 'another tab went on to revision 2');
    await isRevision(two, 2);
    await expect.poll(() => two.getByRole('region', { name: 'A newer revision' }).count()).toBe(0);
    await expect.poll(async () => (await read('tabs')).manifest).toMatch(both);
    await expect.poll(() => listed.count()).toBe(0);
    // What one of them discards is gone in both, which the dialog says before.
    await set(one, 'staging', 'soak', '30m');
    await listed.waitFor();
    await said(two, 'another tab changed the draft');
    await node(two, 'staging').click();
    await expect.poll(() => field(two, 'soak').inputValue()).toBe('30m');
    await button(one, 'Discard').click();
    await dialog(one)
      .getByText('The draft goes in every tab, and revision 2 is shown again. Nothing undoes that.')
      .waitFor();
    await inDialog(one, 'Discard').click();
    await said(two, 'another tab discarded the draft');
    await expect.poll(() => textOf(two)).toMatch(/soak: 10m[^]*soak: 20m/);
    await expect.poll(() => listed.count()).toBe(0);
    await context.close();
  }, 120_000);

  test('is there after its tab has crashed, with what could be undone', async () => {
    await define('crash');
    const context = await person(ana);
    const page = await open(context, 'crash');
    await set(page, 'staging', 'soak', '10m');
    await said(page, 'soak of staging is 10m');
    await set(page, 'production', 'soak', '20m');
    await page.getByText(/^Draft, 2 changes since revision 1.*, kept here/).waitFor();
    // Not confirmed: neither Enter nor another field.
    await field(page, 'timeout').fill('45m');
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => {});
    await crashed;
    const again = await open(context, 'crash');
    await again.getByText(/Draft, 2 changes since revision 1/).waitFor();
    await expect.poll(() => textOf(again)).toMatch(/soak: 10m[^]*soak: 20m/);
    // What was not confirmed is offered, and counts when it is confirmed now.
    const left = again.getByRole('region', { name: 'Typed and not taken in' });
    await left.getByText('The page ended while 45m stood in timeout of production. It was not taken in.').waitFor();
    await left.getByRole('button', { name: 'Put it back into the field' }).click();
    await expect.poll(() => field(again, 'timeout').inputValue()).toBe('45m');
    await again.getByText(/Draft, 2 changes since revision 1/).waitFor();
    await field(again, 'timeout').press('Enter');
    await said(again, 'timeout of production is 45m');
    await expect.poll(() => left.count()).toBe(0);
    await button(again, 'Undo').click();
    await button(again, 'Undo').click();
    await button(again, 'Undo').click();
    await expect.poll(() => textOf(again)).toBe(flowText('crash'));
    await context.close();
  }, 120_000);

  test('has every key of a tab that is reloaded at once, time after time, and the field that one was in', async () => {
    await define('keys');
    const context = await person(ana);
    const page = await open(context, 'keys');
    const typed: string[] = [];
    for (let at = 1; at <= 3; at += 1) {
      await button(page, 'YAML').click();
      await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
      await page.keyboard.press('Control+End');
      typed.push(`# remark ${at}`);
      await page.keyboard.type(`${typed.at(-1)}\n`);
      await page.reload();
    }
    await node(page, 'staging').click();
    await field(page, 'soak').fill('10m');
    await page.reload();
    await page.getByText(/^Draft, .* since revision 1.*, kept here/).waitFor();
    const whole = flowText('keys').replace('        - dev\n', '        - dev\n      soak: 10m\n');
    await expect.poll(() => textOf(page)).toBe(`${whole}${typed.join('\n')}\n`);
    await context.close();
  }, 120_000);

  test('of a workflow has every key of a tab that is reloaded at once', async () => {
    const context = await person(ana);
    const page = await context.newPage();
    await page.goto(`${guarded.url}/workflows/new`);
    const text = page.getByRole('textbox', { name: 'YAML of the workflow' });
    for (let at = 1; at <= 3; at += 1) {
      await button(page, 'YAML').click();
      await text.click();
      await page.keyboard.press('Control+Home');
      await page.keyboard.type(`# remark ${at}\n`);
      await page.reload();
      await page.getByText(/^Never saved, kept here/).waitFor();
    }
    await button(page, 'YAML').click();
    for (const words of ['# remark 3', '# remark 2', '# remark 1']) await text.getByText(words).waitFor();
    await context.close();
  }, 120_000);

  test('that a browser cannot keep is told as that, and is asked for before the page goes', async () => {
    await define('unkept');
    const context = await person(ana);
    await context.addInitScript({
      content: `Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
        IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };`,
    });
    const page = await open(context, 'unkept');
    await set(page, 'staging', 'soak', '10m');
    await page.getByText(/since revision 1.*, not kept in this browser: save it before you leave/).waitFor();
    const asked = page.waitForEvent('dialog');
    const closed = page.close({ runBeforeUnload: true });
    const question = await asked;
    expect(question.type()).toBe('beforeunload');
    await question.dismiss();
    await closed;
    await save(page);
    await isRevision(page, 2);
    complaints.splice(0, complaints.length, ...complaints.filter((each) => !each.includes('cannot be kept')));
    await context.close();
  }, 120_000);

  test('of two people: the second is told who saved, sees what by step, merges, decides, and saves', async () => {
    await define('pair');
    const [first, second] = [await person(ana), await person(ben)];
    const [hers, his] = [await open(first, 'pair'), await open(second, 'pair')];
    await set(hers, 'staging', 'soak', '10m');
    await set(hers, 'production', 'timeout', '2h');
    await said(hers, 'timeout of production is 2h');
    await set(his, 'staging', 'soak', '20m');
    await node(his, 'production').click();
    await button(his, 'Add after').click();
    await dialog(his).getByRole('searchbox').fill('canary');
    await inDialog(his, 'New environment canary').click();
    await inDialog(his, 'Create environment').click();
    await inDialog(his, 'Add').click();
    await save(his);
    await isRevision(his, 2);

    const newer = hers.getByRole('region', { name: 'A newer revision' });
    await newer.getByText(/^service-account\/admin-2 saved revision 2 .* draft began with revision 1/).waitFor();
    await newer.getByText('What changed, step by step').click();
    const rows = newer.locator('tbody tr');
    const cells = async () =>
      (await rows.allInnerTexts()).map((row) => row.split(/\s*[\t\n]\s*/).filter((each) => each !== ''));
    await expect
      .poll(async () => (await cells()).map(([step]) => step!).sort())
      .toEqual(['canary', 'production', 'staging']);
    await expect
      .poll(async () => (await cells()).find(([step]) => step === 'staging'))
      .toEqual(['staging', 'soak', 'changed by both: yours stays until you decide', 'is not there', '20m', '10m']);
    await newer.getByRole('button', { name: 'Merge it into the draft' }).click();
    const conflicts = hers.getByRole('region', { name: 'Conflicts' });
    await conflicts.getByText('soak of staging is 20m there and 10m here').waitFor();
    await expect.poll(() => textOf(hers)).toMatch(/soak: 10m[^]*timeout: 2h[^]*environment: canary/);
    await conflicts.getByRole('button', { name: 'Take theirs' }).click();
    await conflicts.waitFor({ state: 'detached' });
    await save(hers);
    await isRevision(hers, 3);
    const { manifest } = await read('pair');
    expect(manifest).toMatch(/soak: 20m[^]*timeout: 2h[^]*environment: canary/);

    // He has changed nothing since: he is shown the newer one when he wants.
    const toHim = his.getByRole('region', { name: 'A newer revision' });
    await toHim.getByRole('button', { name: 'Show revision 3' }).click();
    await toHim.waitFor({ state: 'detached' });
    await expect.poll(() => textOf(his)).toBe(manifest);
    await isRevision(his, 3);
    await Promise.all([first.close(), second.close()]);
  }, 120_000);

  test('is not saved over what somebody else saved, also where the page has not heard of it', async () => {
    await define('deaf');
    const context = await person(ana);
    // Its socket is never answered.
    await context.routeWebSocket(/graphql/, () => {});
    const page = await open(context, 'deaf');
    await set(page, 'staging', 'soak', '10m');
    await define(
      'deaf',
      flowText('deaf').replace('- environment: production', '- environment: production\n      soak: 1h'),
    );
    await save(page);
    await page.getByRole('region', { name: 'A newer revision' }).getByText('It is not saved.').waitFor();
    await said(page, /^It is not saved: somebody else saved the flow in between/);
    await page.getByRole('button', { name: 'Merge it into the draft' }).click();
    await save(page);
    await isRevision(page, 3);
    await expect.poll(async () => (await read('deaf')).manifest).toMatch(/soak: 10m[^]*soak: 1h/);
    await context.close();
  }, 120_000);

  test('outlives the flow: who deletes that is told, and it can be saved again', async () => {
    await define('gone');
    const context = await person(ana);
    const page = await open(context, 'gone');
    await set(page, 'staging', 'soak', '10m');
    await guarded.ask(ADMIN, 'mutation { promotionFlowDelete(input: { name: "gone" }) { userErrors { message } } }');
    await page.getByText(/deleted this flow/).waitFor();
    await page.reload();
    await page.getByText(/deleted this flow/).waitFor();
    await button(page, 'Keep it as a new flow').click();
    await save(page);
    await isRevision(page, 3);
    await expect.poll(async () => (await read('gone')).manifest).toContain('soak: 10m');
    await context.close();
  }, 120_000);

  test('whose text is broken shows the last good chart, is kept like that, and lives again when it is mended', async () => {
    await define('broken');
    const context = await person(ana);
    const page = await open(context, 'broken');
    await set(page, 'staging', 'soak', '10m');
    await button(page, 'YAML').click();
    await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('# A remark\nspec: [');
    await page.locator('.chart.stale').waitFor();
    await expect.poll(() => node(page, 'production').isVisible()).toBe(true);
    await page.reload();
    await page.locator('.chart.stale').waitFor();
    await expect.poll(() => node(page, 'production').isVisible()).toBe(true);
    await expect.poll(() => textOf(page)).toContain('# A remark\nspec: [');
    // An edit by hand of the chart would have to guess.
    await set(page, 'production', 'soak', '20m');
    await said(page, /^the text cannot be read in line/);
    await button(page, 'YAML').click();
    await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
    await page.keyboard.press('Control+End');
    // The line, with the bracket that the editor closes by itself, and the end of the one before.
    for (const key of ['Shift+Home', 'Backspace', 'Backspace']) await page.keyboard.press(key);
    await page.locator('.chart:not(.stale)').waitFor();
    await set(page, 'production', 'soak', '20m');
    await said(page, 'soak of production is 20m');
    await expect.poll(() => textOf(page)).toMatch(/soak: 10m[^]*soak: 20m[^]*# A remark/);
    await context.close();
  }, 120_000);

  test('is undone by 200 steps to the byte, and done again', async () => {
    await define('long');
    const context = await person(ana);
    const page = await open(context, 'long');
    await set(page, 'staging', 'soak', '10m');
    await button(page, 'Set approval').click();
    await field(page, 'approval.forbidInitiator').waitFor();
    /** As fast as the page can, and not as fast as keys come to it over the debugger. */
    const again = (times: number, what: string, pause = ''): Promise<void> =>
      page.evaluate(`(async () => { for (let at = 0; at < ${times}; at += 1) { ${what}; ${pause} } })()`);
    const drawn = 'await new Promise((resolve) => setTimeout(resolve))';
    await again(
      196,
      `document.querySelector('.inspector [data-field="approval.forbidInitiator"] input').click()`,
      drawn,
    );
    await node(page, 'production').click();
    await button(page, 'Remove').click();
    await inDialog(page, 'Remove').click();
    await button(page, 'Undo').click();
    await button(page, 'Redo').click();
    await set(page, 'staging', 'timeout', '2h');
    await page.getByText(/^Draft, 200 changes since revision 1/).waitFor();
    const text = await textOf(page);
    const press = (key: string): string =>
      `document.querySelector('[data-node="staging"]').dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', ctrlKey: true, bubbles: true, cancelable: true }))`;
    await again(200, press('z'));
    await isRevision(page, 1);
    await expect.poll(() => textOf(page)).toBe(flowText('long'));
    await again(200, press('y'));
    await expect.poll(() => textOf(page)).toBe(text);
    await context.close();
  }, 120_000);

  test('goes on while the session is over, and is saved after signing in again', async () => {
    await define('session');
    const context = await person(ana);
    const page = await open(context, 'session');
    await guarded.engine.app.pool.query(
      `UPDATE web_session SET ended_at = now(), end_reason = 'the admin ended it' WHERE ended_at IS NULL`,
    );
    await guarded.engine.app.pool.query('UPDATE access_clock SET revision = revision + 1');
    const over = page.getByRole('alertdialog', { name: 'Your session is over' });
    await over.getByRole('button', { name: 'Look at the page first' }).click();
    await set(page, 'staging', 'soak', '10m');
    await set(page, 'production', 'soak', '20m');
    await button(page, 'Sign in again').click();
    await over.getByLabel('API token').fill(ana.text);
    await page.keyboard.press('Enter');
    await over.waitFor({ state: 'detached' });
    await save(page);
    await isRevision(page, 2);
    await expect.poll(async () => (await read('session')).manifest).toMatch(/soak: 10m[^]*soak: 20m/);
    // What was saved can be undone, and is a draft again.
    await button(page, 'Undo').click();
    await page.getByText(/^Draft, 1 change since revision 2/).waitFor();
    await expect.poll(() => textOf(page)).not.toContain('soak: 20m');
    await context.close();
  }, 120_000);
});

describe.each(BOTH)('with %s', (by, handsOn) => {
  test('a group of many is opened and changed, the policies of each member are seen, what differs is drawn, and the flow is copied and deleted', async () => {
    const of = by.replaceAll(' ', '-');
    const [flow, group, product] = [`flow-${of}`, `regions-${of}`, `product-${of}`];
    const members = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'south'];
    const text = flowText(flow).replace('environment: production', `group: ${group}`);
    await apply(
      [
        environments('dev', 'staging', ...members, 'lab'),
        `apiVersion: sluice.dev/v1\nkind: EnvironmentGroup\nmetadata: { name: ${group} }\nspec: { environments: { names: [${members.join(', ')}] } }\n`,
        `apiVersion: sluice.dev/v1\nkind: Product\nmetadata: { name: ${product} }\nspec: {}\n`,
        `apiVersion: sluice.dev/v1\nkind: PromotionPolicy\nmetadata: { name: ${product}-south }\nspec: { priority: 10, selector: { product: { names: [${product}] }, targetEnvironment: { names: [south] } }, policy: { action: pr } }\n`,
        `# The way of ${product}\n${text}`,
      ].join('---\n'),
    );
    const context = await person(ana);
    const page = await open(context, flow);
    const hands = handsOn(page);
    const isMouse = by === 'the mouse';
    const toGroup = async (): Promise<void> => {
      if (isMouse) return node(page, group).click();
      await node(page, 'dev').focus();
      // Two arrows, as fast as they come.
      await Promise.all(['staging', group].map(() => page.keyboard.press('ArrowRight')));
      await page.locator(`[data-node="${group}"][aria-pressed="true"]:focus`).waitFor();
    };

    const member = node(page, group).getByText('south', { exact: true });
    await expect.poll(() => member.count()).toBe(0);
    await toGroup();
    if (isMouse) await page.getByRole('button', { name: `All members of ${group}` }).click();
    else await page.keyboard.press('m');
    await said(page, `all 7 members of ${group} are shown`);
    await page.reload();
    await member.waitFor();
    await toGroup();
    await openDialog(page, hands, 'Members, gate, soak and limits');
    await hands.press('Add to names');
    await page.locator('input:focus[role="combobox"]').waitFor();
    await page.keyboard.type('lab');
    // The option that has the name; or the name as it stands there, and the form by the next key.
    if (isMouse) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    if (isMouse) await confirm(page, hands, 'Save environment group');
    else await page.keyboard.press('Enter');
    await said(page, `${group} saved`);
    await node(page, group).getByText('lab', { exact: true }).waitFor();

    await hands.choose('Policies of', product);
    const policies = page.getByRole('region', { name: `Policies of ${product}` });
    await expect.poll(() => policies.innerText()).toMatch(new RegExp(`south\\nAction: pr, from ${product}-south`));
    await expect.poll(() => policies.locator('dt').allInnerTexts()).toContain('south');
    const slot = page.getByRole('button', {
      name: new RegExp(`^Action of ${group}: .*pr, from ${product}-south in south`),
    });
    await expect.poll(() => slot.textContent()).toBe('≠');

    await set(page, 'staging', 'soak', '10m');
    await toGroup();
    await openDialog(page, hands, 'Remove');
    await confirm(page, hands, 'Remove');
    const differences = () => (isMouse ? hands.press('Differences') : page.keyboard.press('c'));
    await differences();
    const changed = page.getByRole('region', { name: 'Changes' });
    const rows = async () => (await changed.locator('li').allInnerTexts()).map((row) => row.replaceAll(/\s+/g, ' '));
    await expect
      .poll(() => rows())
      .toEqual(['changed staging soak: 10m is new', `removed ${group}`, `removed staging → ${group}`]);
    await expect.poll(() => page.locator('.edge-change').allInnerTexts()).toEqual(['− gone']);
    const marks = page.locator('.react-flow__node .change-mark');
    await expect.poll(async () => (await marks.allInnerTexts()).sort()).toEqual(['changed', 'removed']);
    if (isMouse) await hands.press('Save');
    else await page.keyboard.press('Control+s');
    const diff = dialog(page).getByRole('region', { name: 'What changes' });
    for (const line of ['+      soak: 10m', `-    - group: ${group}`]) await diff.getByText(line).waitFor();
    await confirm(page, hands, 'Cancel');
    await differences();
    await changed.waitFor({ state: 'detached' });
    await expect.poll(() => page.locator('.edge-change, .change-mark').count()).toBe(0);

    await page.goto(`${guarded.url}/flows`);
    await button(page, 'From YAML').waitFor();
    await hands.press(`Duplicate ${flow}`);
    await node(page, 'staging').waitFor();
    await expect
      .poll(() => textOf(page))
      .toBe(`# The way of ${product}\n${text.replace(`name: ${flow}`, `name: ${flow}-copy`)}`);
    await page.goto(`${guarded.url}/flows`);
    const row = page.getByRole('rowheader').getByRole('link', { name: flow, exact: true });
    await row.waitFor();
    await openDialog(page, hands, 'Delete', flow);
    await confirm(page, hands, 'Delete');
    await row.waitFor({ state: 'detached' });
    await expect.poll(() => read(flow)).toBe(null);
    await context.close();
  }, 120_000);
});

const workflow = (name: string, duration: string): string =>
  `# How long it settles
apiVersion: sluice.dev/v1
kind: PromotionWorkflow
metadata:
  name: ${name}
spec:
  actions:
    - name: unit
      type: wait
      parameters:
        duration: ${duration}
    - name: load
      type: wait
      dependsOn: [unit]
      parameters:
        duration: 1m # enough
`;
const readWorkflow = async (name: string): Promise<string> => {
  const { body } = await guarded.ask(ADMIN, 'query ($name: String!) { promotionWorkflow(name: $name) { text } }', {
    name,
  });
  return (body.data!['promotionWorkflow'] as { text: string }).text;
};
/** A tab of a person, with a workflow. */
async function openActions(context: BrowserContext, name: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${guarded.url}/workflows/${name}`);
  await node(page, 'unit').waitFor();
  return page;
}

test('a workflow has the drafts of a flow: two tabs have one, somebody else saves, and it is merged by action', async () => {
  await apply(workflow('shared', '1m'));
  const context = await person(ana);
  const [page, beside] = [await openActions(context, 'shared'), await openActions(context, 'shared')];
  await set(page, 'unit', 'parameters.duration', '2m');
  await said(beside, 'another tab changed the draft');
  await set(beside, 'load', 'timeout', '1h');
  await said(page, 'another tab changed the draft');
  await apply(workflow('shared', '5m').replace('1m # enough', '3m # enough'));
  const newer = page.getByRole('region', { name: 'A newer revision' });
  await newer.getByText(/saved revision 2 .*this draft began with revision 1/).waitFor();
  // Saved all the same, by its key in the text: it is refused, and the draft stays.
  await button(page, 'YAML').click();
  await page.getByRole('textbox', { name: 'YAML of the workflow' }).click();
  await page.keyboard.press('Control+s');
  await inDialog(page, 'Save workflow').click();
  await newer.getByText('It is not saved.').waitFor();
  await expect.poll(() => readWorkflow('shared')).toContain('5m');
  await newer.getByText('What changed, action by action').click();
  await newer.getByText('changed by both: yours stays until you decide').waitFor();
  await newer.getByRole('button', { name: 'Merge it into the draft' }).click();
  await said(beside, 'another tab went on to revision 2');
  await page.getByText('parameters.duration of unit was 1m, is 5m there and 2m here').waitFor();
  await page.getByRole('button', { name: 'Keep mine' }).click();
  // By its key in a field of the settings: what is typed there is saved with it.
  await node(page, 'unit').click();
  await field(page, 'timeout').fill('2h');
  await field(page, 'timeout').press('Control+s');
  await inDialog(page, 'Save workflow').click();
  await isRevision(page, 3);
  await isRevision(beside, 3);
  const merged = workflow('shared', '2m').replace('1m # enough', '3m # enough');
  expect(changes(merged, await readWorkflow('shared'))).toEqual(['+      timeout: 2h', '+      timeout: 1h']);
  // From a list that is open, too: the browser does not save the page.
  await field(page, 'type').click();
  const options = page.locator('.popover').getByRole('option');
  await options.first().waitFor();
  await page.keyboard.press('Control+s');
  await inDialog(page, 'Cancel').click();
  await dialog(page).waitFor({ state: 'detached' });
  await expect.poll(() => options.count()).toBe(0);
  // What it changes is drawn, by a key alone; what is gone has no settings.
  await node(page, 'load').click();
  await page.getByRole('complementary', { name: 'Settings of load' }).waitFor();
  for (const key of ['Delete', 'Enter', 'c']) {
    await page.keyboard.press(key);
    if (key === 'Delete') await hasFocus(page);
    if (key === 'Enter') await dialog(page).waitFor({ state: 'detached' });
  }
  const changed = page.getByRole('region', { name: 'Changes' });
  const rows = async () => (await changed.locator('li').allInnerTexts()).map((row) => row.replaceAll(/\s+/g, ' '));
  await expect.poll(() => rows()).toEqual(['removed load', 'removed unit → load']);
  await expect.poll(() => page.locator('.edge-change').allInnerTexts()).toEqual(['− gone']);
  await expect.poll(() => page.locator('.react-flow__node .change-mark').allInnerTexts()).toEqual(['removed']);
  await node(page, 'load').click();
  await page.getByRole('complementary', { name: 'Settings of load' }).getByText('does not have it').waitFor();
  await button(page, 'Undo').click();
  await changed.getByText('Nothing differs from revision 3.').waitFor();
  await button(page, 'Differences').click();
  await changed.waitFor({ state: 'detached' });
  // Deleted meanwhile, it stays on the page, and can be had again.
  await guarded.ask(
    ADMIN,
    'mutation { promotionWorkflowDelete(input: { name: "shared" }) { userErrors { message } } }',
  );
  await page.getByText(/deleted this workflow/).waitFor();
  await button(page, 'Keep it as a new workflow').click();
  await button(page, 'Save workflow').click();
  await inDialog(page, 'Save workflow').click();
  await isRevision(page, 5);
  await context.close();
}, 120_000);

test('a workflow that is synced from git is read, edited as a proposal, and sent as a pull request of that edit alone', async () => {
  const repository = await host.repository('checks');
  const written = workflow('synced-checks', '1m');
  await repository.commit({ 'sluice/checks.yaml': written }, 'First');
  await apply(
    `apiVersion: sluice.dev/v1\nkind: GitSource\nmetadata: { name: checks }\nspec: { repoURL: '${repository.url}', path: sluice, interval: 1h }\n`,
  );
  await guarded.ask(ADMIN, 'mutation { gitSourceSync(input: { name: "checks" }) { userErrors { message } } }');
  const context = await person(ana);
  const page = await openActions(context, 'synced-checks');
  await page.getByText('It comes from the git source checks, file sluice/checks.yaml.').waitFor();
  await expect.poll(() => button(page, 'Save workflow').count()).toBe(0);
  await button(page, 'Edit as a proposal').click();
  await set(page, 'unit', 'parameters.duration', '2m');
  await page.getByText('Nothing is wrong.').waitFor();
  await button(page, 'Propose').click();
  await dialog(page).getByLabel('Title of the pull request').fill('Units settle longer');
  await dialog(page).getByRole('region', { name: 'What changes' }).getByText('duration: 2m').waitFor();
  await inDialog(page, 'Open a pull request').click();
  await dialog(page)
    .getByRole('link', { name: /^pull request \d+$/ })
    .waitFor();
  const [opened] = await forge.pullRequests('checks');
  expect(opened).toMatchObject({ title: 'Units settle longer' });
  await forge.merge('checks', opened!.number);
  await expect.poll(() => repository.read('sluice/checks.yaml')).toBe(workflow('synced-checks', '2m'));
  await context.close();
}, 120_000);

test('a flow that is synced from git is read, edited as a proposal, and sent as a pull request of that edit alone', async () => {
  const repository = await host.repository('flows');
  const written = `# How we get to production\n${flowText('synced').replace('- environment: production', '- environment: production # at last')}`;
  await repository.commit({ 'sluice/flow.yaml': written }, 'First');
  await apply(
    `${environments('dev', 'staging', 'production')}---\napiVersion: sluice.dev/v1\nkind: GitSource\nmetadata: { name: flows }\nspec: { repoURL: '${repository.url}', path: sluice, interval: 1h }\n`,
  );
  const sync = async (): Promise<void> => {
    const { body } = await guarded.ask(
      ADMIN,
      'mutation { gitSourceSync(input: { name: "flows" }) { userErrors { message } } }',
    );
    expect(body.data?.['gitSourceSync']).toEqual({ userErrors: [] });
  };
  await sync();
  const context = await person(ana);
  const page = await open(context, 'synced');
  await page.getByText('It comes from the git source flows, file sluice/flow.yaml.').waitFor();
  await expect.poll(() => button(page, 'Save').count()).toBe(0);
  await node(page, 'staging').click();
  await expect.poll(() => field(page, 'soak').isEditable()).toBe(false);
  await button(page, 'Edit as a proposal').click();
  await set(page, 'production', 'soak', '20m');
  await button(page, 'YAML').click();
  await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('# Watched since May\n');
  await button(page, 'Propose').click();
  await dialog(page).getByLabel('Title of the pull request').fill('Production is watched');
  await dialog(page).getByRole('region', { name: 'What changes' }).getByText('+      soak: 20m').waitFor();
  await inDialog(page, 'Open a pull request').click();
  const link = dialog(page).getByRole('link', { name: /^pull request \d+$/ });
  await link.waitFor();
  const [opened, ...others] = await forge.pullRequests('flows');
  expect(others).toEqual([]);
  expect(opened).toMatchObject({ title: 'Production is watched' });
  await expect.poll(() => link.getAttribute('href')).toContain(String(opened!.number));
  await dialog(page)
    .getByRole('region', { name: 'What changes in the repository' })
    .getByText('+      soak: 20m')
    .waitFor();
  await forge.merge('flows', opened!.number);
  expect(changes(written, (await repository.read('sluice/flow.yaml'))!)).toEqual([
    '+      soak: 20m',
    '+# Watched since May',
  ]);
  await page.keyboard.press('Escape');
  // Merged and synced, it is what is saved: the draft is none any more.
  await sync();
  await page.getByRole('button', { name: 'Merge it into the draft' }).click();
  await isRevision(page, 2);
  await expect.poll(async () => (await read('synced')).manifest).toContain('soak: 20m');
  await context.close();
}, 120_000);

test("other people's manifests are opened, edited by one click and saved: the difference is that edit alone", async () => {
  await apply(
    `${environments('lab', 'north', 'south')}---\napiVersion: sluice.dev/v1\nkind: PromotionWorkflow\nmetadata: { name: smoke }\nspec: { actions: [{ name: run, type: simulate }] }\n`,
  );
  const context = await person(ben);
  const page = await context.newPage();
  const file = readFileSync('test/manifests/published/48-PromotionFlow-properties.yaml', 'utf8');
  const text = `# Theirs, as they wrote it\n${file}\n# The end\n`;
  await page.goto(`${guarded.url}/flows`);
  await button(page, 'From YAML').click();
  await dialog(page).getByLabel('Manifests').fill(text);
  await inDialog(page, 'Check').click();
  await inDialog(page, 'Save all').click();
  const name = /name: (\S+)/.exec(file)![1]!;
  const step = /environment: (\S+)/.exec(file)![1]!;
  await node(page, step).waitFor();
  await expect.poll(() => textOf(page)).toBe(text);
  await node(page, step).click();
  await field(page, 'hooks.onSuccess').fill('smoke');
  await field(page, 'hooks.onSuccess').blur();
  await said(page, `on success of ${step} is smoke`);
  await save(page);
  await isRevision(page, 2);
  await page.reload();
  await node(page, step).waitFor();
  expect(changes(text, await textOf(page))).toEqual(['+        hooks:', '+          onSuccess: smoke']);
  await expect.poll(async () => (await read(name)).manifest).toContain('onSuccess: smoke');
  await context.close();
}, 120_000);

test('what one person writes around a flow is in the browser of another, who adds to it, and of a third', async () => {
  const text = flowText('shared').replace(
    '    - environment: staging',
    '    # First where nobody is hurt.\n    - environment: "staging"',
  );
  await define('shared', text);
  const [hers, his] = await Promise.all([person(ana), person(ben)]);
  const page = await open(hers, 'shared');
  await expect.poll(() => textOf(page)).toBe(text);
  await set(page, 'production', 'soak', '10m');
  await save(page);
  await isRevision(page, 2);
  const edited = `${text}      soak: 10m\n`;
  const other = await open(his, 'shared');
  await expect.poll(() => textOf(other)).toBe(edited);
  await button(other, 'YAML').click();
  await other.getByRole('textbox', { name: 'YAML of the flow' }).click();
  await other.keyboard.press('Control+End');
  await other.keyboard.insertText('# Ask Ben first.\n');
  await button(other, 'Save').click();
  await dialog(other).getByText('+# Ask Ben first.').waitFor();
  await inDialog(other, 'Save flow').click();
  await isRevision(other, 3);
  // She goes on meanwhile: both are there.
  await set(page, 'staging', 'soak', '5m');
  await page.getByRole('button', { name: 'Merge it into the draft' }).click();
  await save(page);
  await isRevision(page, 4);
  const third = await person(ben);
  const both = edited.replace('- dev\n', '- dev\n      soak: 5m\n');
  const theirs = await open(third, 'shared');
  await expect.poll(() => textOf(theirs)).toBe(`${both}# Ask Ben first.\n`);
  await Promise.all([hers, his, third].map((each) => each.close()));
}, 120_000);

test('several lines that are typed at once, as a keyboard of a phone or an input method does, break no policy', async () => {
  await define('typed');
  const context = await person(ana);
  const page = await open(context, 'typed');
  await button(page, 'YAML').click();
  await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.insertText('# One\n# Two\n\n# Three\n');
  await expect.poll(() => textOf(page)).toBe(`${flowText('typed')}# One\n# Two\n\n# Three\n`);
  // In place of all that is there, and in the middle of a line.
  await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
  await page.keyboard.press('Control+a');
  const other = `# Anew\n${flowText('typed')}`;
  await page.keyboard.insertText(other);
  await expect.poll(() => textOf(page)).toBe(other);
  await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.insertText(' One\n# Two\n#');
  await expect.poll(() => textOf(page)).toBe(`# One\n# Two\n# Anew\n${flowText('typed')}`);
  await context.close();
}, 120_000);

test('in all of that no page broke its policy or complained', () => {
  expect(complaints.filter((each) => !/status of 401|WebSocket/.test(each))).toEqual([]);
});
