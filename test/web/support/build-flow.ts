import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { placeOf, pressUntil } from './hands.ts';

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog').last();
const inDialog = (page: Page, name: string) => dialog(page).getByRole('button', { name, exact: true });
const node = (page: Page, name: string) => page.locator(`[data-node="${name}"]`);
const field = (page: Page, place: string) => page.locator(`.inspector [data-field="${place}"]`);
const inOutline = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(`^${name},`) });
const said = (page: Page, words: string) => page.locator('.said').getByText(words, { exact: true }).waitFor();

/** What is made on the way, over the draft: a group, an environment, a workflow, a promotion policy and a release window. */
export const MADE = {
  group: 'areas',
  environment: 'asia-3',
  workflow: 'smoke',
  policy: 'asia-3-policy',
  window: 'asia-2-window',
};
const AREAS = ['us-east', 'eu', 'asia'];
/** The window is always open. */
const ALWAYS = { cron: '0 0 * * *', duration: '24h' };

/** The actions of the workflow, whatever it was built with. */
export const SMOKE = [
  { name: 'unit', type: 'simulate', parameters: {} },
  { name: 'load', type: 'simulate', parameters: {} },
  { name: 'report', type: 'simulate', dependsOn: ['load', 'unit'], parameters: {} },
];

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
        preAction: smoke
      approval:
        rules: []
        forbidInitiator: false
    - group: areas
      dependsOn:
        - staging
      policy:
        action: commit
    - environment: asia-2
      dependsOn:
        - areas
      soak: 1s
    - environment: asia-3
      dependsOn:
        - areas
        - asia-2
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
        preAction: "smoke"
    - group: areas
      dependsOn: [staging]
      policy: { action: commit }
    - { environment: asia-2, dependsOn: [areas], soak: 1000ms }
    - { environment: asia-3, dependsOn: [areas, asia-2] } # last
`;

/** Drags from the dot at the right of a node; `before` is looked at while the button is still down. */
async function drag(page: Page, from: string, to: string | null, before: string | RegExp): Promise<void> {
  const within = page.locator('.react-flow__node', { has: node(page, from) });
  const canvas = page.locator('.canvas', { has: node(page, from) });
  const start = await placeOf(within.locator('.react-flow__handle-right'));
  const end = await placeOf(to === null ? canvas : node(page, to));
  const y = to === null ? end.y + end.height - 45 : end.y + end.height / 2;
  await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2);
  await page.mouse.down();
  await page.mouse.move(end.x + end.width / 2, y, { steps: 8 });
  await canvas.locator('.verdict').getByText(before).waitFor();
  await page.mouse.up();
}

const choice = (page: Page, name: string) => dialog(page).getByRole('option', { name, exact: true });

/** The user's picture, by pointing at things. */
export async function buildByMouse(page: Page): Promise<void> {
  const beginAfter = async (before: string): Promise<void> => {
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // A new step moves the others: a press that the chart moves away under is none.
    await placeOf(node(page, before));
    await node(page, before).hover();
    await page.getByRole('button', { name: `Add after ${before}` }).click();
    await dialog(page).waitFor();
  };
  const addAfter = async (before: string, after: string): Promise<void> => {
    await beginAfter(before);
    await choice(page, after).click();
    await inDialog(page, 'Add').click();
    await node(page, after).waitFor();
  };
  await button(page, 'Choose the trigger environment').click();
  await choice(page, 'dev').click();
  await inDialog(page, 'Begin here').click();
  await addAfter('dev', 'staging');

  await beginAfter('staging');
  await inDialog(page, 'New group').click();
  await dialog(page).getByLabel('Name', { exact: true }).fill(MADE.group);
  for (const [index, name] of AREAS.entries()) {
    await inDialog(page, 'Add to names').click();
    await dialog(page).locator(`[data-field="environments.names.${index}"]`).fill(name);
    await page.getByRole('option', { name, exact: true }).last().click();
  }
  await inDialog(page, 'Create environment group').click();
  await choice(page, MADE.group).and(page.locator('[aria-selected="true"]')).waitFor();
  await inDialog(page, 'Add').click();
  await node(page, MADE.group).getByText('waits for all of them').waitFor();

  // Dropped where nothing is: what comes there is chosen, or made.
  await drag(page, MADE.group, null, /drop where nothing is/);
  await choice(page, 'asia-2').click();
  await inDialog(page, 'New environment').click();
  await dialog(page).getByLabel('Name', { exact: true }).fill(MADE.environment);
  await inDialog(page, 'Create environment').click();
  await inDialog(page, 'Add 2 in parallel').click();
  await node(page, 'asia-3').waitFor();
  await drag(page, 'asia-3', 'staging', /both would wait for each other/);
  await page
    .locator('.said')
    .getByText(/both would wait for each other/)
    .waitFor();
  await drag(page, 'asia-2', 'asia-3', 'asia-3 will wait for asia-2');
  await said(page, 'asia-3 depends on asia-2');

  await inOutline(page, 'staging').click();
  await button(page, /^Pre-action of staging/).click();
  await page.locator('.inspector .name-field').first().locator('button', { hasText: 'New workflow' }).click();
  await buildWorkflowByMouse(page);
  await said(page, 'pre-action of staging is smoke');
  await button(page, 'Set approval').click();
  await field(page, 'approval.forbidInitiator').click();
  await node(page, MADE.group).click();
  await button(page, /^Action of areas/).click();
  await field(page, 'policy.action').click();
  await page.getByRole('option', { name: 'commit' }).click();
  await said(page, 'action of areas is commit');
  await node(page, 'asia-3').click();
  await button(page, 'New promotion policy').click();
  await dialog(page).locator('[data-field="policy.action"]').click();
  await page.getByRole('option', { name: 'commit' }).click();
  await inDialog(page, 'Create promotion policy').click();
  await said(page, `${MADE.policy} created`);
  await node(page, 'asia-2').click();
  await field(page, 'soak').fill('1s');
  await field(page, 'soak').blur();
  await said(page, 'soak of asia-2 is 1s');
  await button(page, 'New release window').click();
  await dialog(page).locator('[data-field="cron"]').fill(ALWAYS.cron);
  await dialog(page).locator('[data-field="duration"]').fill(ALWAYS.duration);
  await inDialog(page, 'Create release window').click();
  await said(page, `${MADE.window} created`);
  await page.locator('.outline-flow').click();
  await button(page, 'Add to rollback policies').click();
  await button(page, 'Add to targets').click();
  await field(page, 'rollbackPolicies.0.targets.0.siblings').click();
}

/** A workflow is a graph of its own, over the draft. */
async function buildWorkflowByMouse(page: Page): Promise<void> {
  const whole = page.getByRole('dialog', { name: 'New workflow', exact: true });
  const add = async (opener: string, name: string): Promise<void> => {
    await page.getByRole('button', { name: opener, exact: true }).last().click();
    await choice(page, 'simulate').click();
    await inDialog(page, 'Add action').click();
    await whole.locator('[data-field="name"]').fill(name);
    await whole.locator('[data-field="name"]').blur();
    await node(page, name).waitFor();
  };
  await add('Add the first action', 'unit');
  await add('Add side by side', 'load');
  await add('Add after', 'report');
  await drag(page, 'unit', 'report', 'report will wait for unit');
  await whole.locator('.outline-flow').click();
  await whole.locator('[data-field="metadata.name"]').fill(MADE.workflow);
  await whole.locator('[data-field="metadata.name"]').blur();
  await whole.getByRole('button', { name: 'Save workflow' }).click();
  await inDialog(page, 'Save workflow').click();
  await whole.waitFor({ state: 'detached' });
}

/** Presses a key until what has the focus has this text or label, or is the field of this place. */
const pressTo = (page: Page, key: string, wanted: string): Promise<void> =>
  pressUntil(page, key, wanted, ({ texts, field }) => texts.includes(wanted) || field === wanted);

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
  await press('a');
  await choose('staging');
  await tabTo(page, 'Add');
  await press('Enter');
  await isSelected('staging');

  await press('g');
  await dialog(page).locator('[data-field="environments.names"]').waitFor();
  await keyboard.type(MADE.group);
  for (const name of AREAS) {
    await tabTo(page, 'Add to names');
    await press('Enter');
    await page.locator('input:focus[role="combobox"]').waitFor();
    await keyboard.type(name);
    await press('ArrowDown', 'Enter');
  }
  await tabTo(page, 'Create environment group');
  await press('Enter');
  await isSelected(MADE.group);

  await press('a');
  await choose('asia-2');
  await tabTo(page, 'New environment');
  await press('Enter');
  await dialog(page).locator('[data-field="kind"]').waitFor();
  await keyboard.type(MADE.environment);
  await press('Enter');
  await inDialog(page, 'Add 2 in parallel').waitFor();
  await tabTo(page, 'Add 2 in parallel');
  await press('Enter');
  await isSelected('asia-2');
  await press('ArrowDown');
  await isSelected('asia-3');
  await press('d');
  await choose('asia-2');
  await tabTo(page, 'Update dependencies');
  await press('Enter');
  await isSelected('asia-3');

  await goTo(['ArrowLeft', 'asia-2'], ['ArrowLeft', MADE.group], ['ArrowLeft', 'staging']);
  await tabTo(page, 'policy.preAction');
  await tabTo(page, 'New workflow');
  await press('Enter');
  await button(page, 'Add the first action').waitFor();
  await tabTo(page, 'Add the first action');
  await press('Enter');
  const name = async (typed: string): Promise<void> => {
    await choose('simulate');
    await tabTo(page, 'Add action');
    await press('Enter');
    await page.locator('[data-field="name"]:focus').waitFor();
    await press('Control+a');
    await keyboard.type(typed);
    await press('Enter', 'Escape');
    await isSelected(typed);
  };
  await name('unit');
  await press('p');
  await name('load');
  await press('a');
  await name('report');
  await press('d');
  await choose('unit');
  await tabTo(page, 'Update dependencies');
  await press('Enter');
  await isSelected('report');
  await press('w');
  await tabTo(page, 'metadata.name');
  await press('Control+a');
  await keyboard.type(MADE.workflow);
  await press('Enter', 'Escape', 'Control+s');
  await inDialog(page, 'Save workflow').waitFor();
  await press('Enter');
  await said(page, 'pre-action of staging is smoke');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  await tabTo(page, 'Set approval');
  await press('Enter');
  await tabTo(page, 'approval.forbidInitiator');
  await press('Space', 'Escape');
  await isSelected('staging');
  await goTo(['ArrowRight', MADE.group]);
  await tabTo(page, 'policy.action');
  await keyboard.type('commit');
  await said(page, 'action of areas is commit');
  await press('Escape');
  await isSelected(MADE.group);
  await goTo(['ArrowRight', 'asia-2'], ['ArrowRight', 'asia-3']);
  await tabTo(page, 'New promotion policy');
  await press('Enter');
  await dialog(page).locator('[data-field="policy.action"]').waitFor();
  await tabTo(page, 'policy.action');
  await keyboard.type('commit');
  await tabTo(page, 'Create promotion policy');
  await press('Enter');
  await said(page, `${MADE.policy} created`);
  await page.locator('button:focus', { hasText: 'New promotion policy' }).waitFor();
  await press('Escape');
  await isSelected('asia-3');
  await goTo(['ArrowLeft', 'asia-2']);
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
  await said(page, `${MADE.window} created`);
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
  const product = dialog(page).getByRole('button', { name: /Product$/ });
  await expect.poll(() => product.isEnabled()).toBe(true);
  await tabTo(page, 'Product');
  await keyboard.type('billing');
  await dialog(page).getByRole('button', { name: 'billing' }).waitFor();
  await tabTo(page, 'Version');
  await keyboard.type(version);
  await keyboard.press('Enter');
  await button(page, 'Approve').waitFor();
  await tabTo(page, 'Approve');
  await keyboard.press('Enter');
  // The button that opens it is called the same.
  await inDialog(page, 'Approve').waitFor();
  await dialog(page).locator(':focus').waitFor();
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
  await expect.poll(() => page.title()).toContain(name);
  await button(page, 'Trigger').waitFor();
}

async function isEverywhere(page: Page, version: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: /^billing#/ }).waitFor();
  await page.getByText(version).first().waitFor();
  await page.locator('[data-environment="asia-3"]').getByText('Succeeded').waitFor();
}
