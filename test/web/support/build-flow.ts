import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog').last();
const inDialog = (page: Page, name: string) => dialog(page).getByRole('button', { name, exact: true });
const node = (page: Page, name: string) => page.locator(`[data-node="${name}"]`);
const field = (page: Page, place: string) => page.locator(`.inspector [data-field="${place}"]`);
const inOutline = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(`^${name},`) });
const said = (page: Page, words: string) => page.locator('.said').getByText(words, { exact: true }).waitFor();

/** What comes after what, in the order in which it is built. */
const PICTURE = [
  ['dev', 'staging'],
  ['staging', 'regions'],
  ['regions', 'asia-2'],
] as const;

/** The release window that is made on the way: always open. */
export const WINDOW = 'asia-2-window';
const ALWAYS = { cron: '0 0 * * *', duration: '24h' };

/** What becomes of it, byte for byte, whatever it was built with. */
export const BUILT = `apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
  name: new-flow
spec:
  triggerEnvironment: dev
  steps:
    - environment: staging
      dependsOn:
        - dev
      policy:
        preAction: checks
      approval:
        rules: []
        forbidInitiator: false
    - group: regions
      dependsOn:
        - staging
    - environment: asia-2
      dependsOn:
        - regions
      soak: 1s
  rollbackPolicies:
    - targets:
        - siblings: true
`;

/** The same flow as a person writes it. */
export const WRITTEN = `# The way of Billing
apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata: { name: typed-flow }
spec:
  triggerEnvironment: 'dev'
  rollbackPolicies:
    - { targets: [{ siblings: true }] } # eu and asia go back with us-east

  steps:
    - environment: staging
      dependsOn: [dev]
      approval: { rules: [], forbidInitiator: false }
      policy:
        preAction: "checks"
    - group: regions
      dependsOn: [staging]
    - { environment: asia-2, dependsOn: [regions], soak: 1000ms } # last
`;

/** The user's picture, by pointing at things. */
export async function buildByMouse(page: Page): Promise<void> {
  await button(page, 'Choose the trigger environment').click();
  await dialog(page).getByRole('option', { name: 'dev', exact: true }).click();
  await inDialog(page, 'Begin here').click();
  for (const [before, after] of PICTURE) {
    await node(page, before).hover();
    await page.getByRole('button', { name: `Add after ${before}` }).click();
    await dialog(page).getByRole('option', { name: after, exact: true }).click();
    await inDialog(page, 'Add').click();
    await node(page, after).waitFor();
  }
  await inOutline(page, 'staging').click();
  await button(page, /^Pre-action of staging/).click();
  await field(page, 'policy.preAction').fill('checks');
  await page.getByRole('option', { name: 'checks', exact: true }).click();
  await said(page, 'pre-action of staging is checks');
  await button(page, 'Set approval').click();
  await field(page, 'approval.forbidInitiator').click();
  await inOutline(page, 'asia-2').click();
  await field(page, 'soak').fill('1s');
  await field(page, 'soak').blur();
  await said(page, 'soak of asia-2 is 1s');
  await button(page, 'New release window').click();
  await dialog(page).locator('[data-field="cron"]').fill(ALWAYS.cron);
  await dialog(page).locator('[data-field="duration"]').fill(ALWAYS.duration);
  await inDialog(page, 'Create release window').click();
  await said(page, `${WINDOW} created`);
  await page.locator('.outline-flow').click();
  await button(page, 'Add to rollback policies').click();
  await button(page, 'Add to targets').click();
  await field(page, 'rollbackPolicies.0.targets.0.siblings').click();
}

/** Presses a key until what has the focus has this text or label, or is the field of this place. */
async function pressTo(page: Page, key: string, wanted: string): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press(key);
    const found = await page.evaluate<string[]>(
      `(() => {
        const { activeElement: at } = document;
        const labels = (at.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id));
        const texts = [at.textContent, at.getAttribute('aria-label'), ...[...(at.labels ?? []), ...labels].map((each) => each?.textContent)];
        return [...texts.map((each) => each?.trim() ?? ''), at.closest('[data-field]')?.dataset.field ?? ''];
      })()`,
    );
    if (found.includes(wanted)) return;
    seen.push(found.find((each) => each !== '') ?? '');
  }
  throw new Error(`${key} does not reach ${wanted}: ${seen.join(', ')}`);
}

const tabTo = (page: Page, wanted: string): Promise<void> => pressTo(page, 'Tab', wanted);

/** The same without a pointer: the keys of the builder, Tab, arrows, Space and Enter. */
export async function buildByKeyboard(page: Page): Promise<void> {
  const { keyboard } = page;
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await keyboard.press(key);
  };
  const choose = async (name: string): Promise<void> => {
    await dialog(page).getByRole('searchbox').waitFor();
    await keyboard.type(name);
    await press('ArrowDown', 'Enter');
    await dialog(page).getByRole('option', { name, exact: true, selected: true }).waitFor();
  };
  const isSelected = (name: string) => page.locator(`[data-node="${name}"][aria-pressed="true"]:focus`).waitFor();
  const goTo = async (...path: [key: string, name: string][]): Promise<void> => {
    for (const [key, name] of path) {
      await press(key);
      await isSelected(name);
    }
    await press('e');
  };
  await tabTo(page, 'Choose the trigger environment');
  await press('Enter');
  await choose('dev');
  await tabTo(page, 'Begin here');
  await press('Enter');
  await isSelected('dev');
  for (const [, after] of PICTURE) {
    await press('a');
    await choose(after);
    await tabTo(page, 'Add');
    await press('Enter');
    await isSelected(after);
  }
  await goTo(['ArrowLeft', 'regions'], ['ArrowLeft', 'staging']);
  await tabTo(page, 'policy.preAction');
  await keyboard.type('checks');
  await press('ArrowDown', 'Enter');
  await said(page, 'pre-action of staging is checks');
  await tabTo(page, 'Set approval');
  await press('Enter');
  await tabTo(page, 'approval.forbidInitiator');
  await press('Space', 'Escape');
  await isSelected('staging');
  await goTo(['ArrowRight', 'regions'], ['ArrowRight', 'asia-2']);
  await tabTo(page, 'soak');
  await keyboard.type('1s');
  await press('Enter');
  await said(page, 'soak of asia-2 is 1s');
  await tabTo(page, 'New release window');
  await press('Enter');
  await dialog(page).locator('[data-field="cron"]').waitFor();
  for (const [name, text] of Object.entries(ALWAYS)) {
    await tabTo(page, name);
    await press('Control+a');
    await keyboard.type(text);
  }
  await tabTo(page, 'Create release window');
  await press('Enter');
  await said(page, `${WINDOW} created`);
  await page.locator('button:focus', { hasText: 'New release window' }).waitFor();
  await press('Escape');
  await isSelected('asia-2');
  await press('w');
  await tabTo(page, 'Add to rollback policies');
  await press('Enter');
  await tabTo(page, 'Add to targets');
  await press('Enter');
  await tabTo(page, 'rollbackPolicies.0.targets.0.siblings');
  await press('Space');
}

/** The text of the draft, as it leaves the builder. */
export async function textOf(page: Page): Promise<string> {
  await button(page, 'Export').click();
  const text = await dialog(page).getByRole('region', { name: 'YAML' }).textContent();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  return text!;
}

/** Another text, pasted into the editor, and a remark, typed there. */
export async function typeText(page: Page, text: string, remark: string): Promise<void> {
  await button(page, 'YAML').click();
  await page.getByRole('textbox', { name: 'YAML of the flow' }).click();
  await page.keyboard.press('Control+a');
  await page.evaluate(`(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', ${JSON.stringify(text)});
    const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    document.activeElement.shadowRoot.activeElement.dispatchEvent(paste);
  })()`);
  await node(page, 'asia-2').waitFor();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(remark);
}

/** Saves the draft under a name, releases Billing by it, and watches the release to its end. */
export async function saveAndRelease(page: Page, name: string, version: string): Promise<void> {
  await button(page, 'Save').click();
  await dialog(page).getByLabel('Name of the flow').fill(name);
  await inDialog(page, 'Save flow').click();
  await isSaved(page, name);
  await button(page, 'Trigger').click();
  await dialog(page)
    .getByRole('button', { name: /Product/ })
    .click();
  await page.getByRole('option', { name: 'billing', exact: true }).click();
  await dialog(page).getByLabel('Version').fill(version);
  await inDialog(page, 'Release').click();
  await button(page, 'Approve').click();
  await inDialog(page, 'Approve').click();
  await isEverywhere(page, version);
}

/** The same without a pointer. */
export async function saveAndReleaseByKeyboard(page: Page, name: string, version: string): Promise<void> {
  const { keyboard } = page;
  await keyboard.press('Escape');
  await keyboard.press('Control+s');
  await dialog(page).getByLabel('Name of the flow').waitFor();
  await keyboard.press('Control+a');
  await keyboard.type(name);
  await keyboard.press('Enter');
  await isSaved(page, name);
  // A toolbar is one stop of Tab, as everywhere.
  await tabTo(page, 'Search a node');
  await pressTo(page, 'ArrowRight', 'Trigger');
  await keyboard.press('Enter');
  await dialog(page).getByLabel('Version').waitFor();
  await tabTo(page, 'Product');
  await keyboard.type('billing');
  await tabTo(page, 'Version');
  await keyboard.type(version);
  await keyboard.press('Enter');
  await button(page, 'Approve').waitFor();
  await tabTo(page, 'Approve');
  await keyboard.press('Enter');
  await tabTo(page, 'Approve');
  await keyboard.press('Enter');
  await isEverywhere(page, version);
}

/** Ctrl-K leads to the builder. */
export async function findFlow(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.keyboard.type(name);
  await page.getByRole('option', { name }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await isSaved(page, name);
}

/** The page of the flow that is saved is there, and no longer that of a new one. */
async function isSaved(page: Page, name: string): Promise<void> {
  await expect.poll(() => page.title(), { timeout: 15_000 }).toContain(name);
  await button(page, 'Trigger').waitFor();
}

async function isEverywhere(page: Page, version: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: /^billing#/ }).waitFor();
  await page.getByText(version).first().waitFor();
  await page.locator('[data-environment="asia-2"]').getByText('Succeeded').waitFor();
}
