import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/**
 * How a person works a page. What a page is for is written once with these, and done by the mouse and again by the keyboard alone: then
 * nothing is clicked, and whatever is not reached by Tab, arrows and Enter fails.
 */
export interface Hands {
  /** A button or a link, in the dialog where one is open. @param within a text of the table row or list item that it stands in */
  press(name: string, within?: string): Promise<void>;
  /** A text, over what stands in the field. */
  fill(label: string, text: string): Promise<void>;
  choose(label: string, option: string): Promise<void>;
  tab(name: string): Promise<void>;
}

type Box = NonNullable<Awaited<ReturnType<Locator['boundingBox']>>>;

/** Where it is once it stands still: what comes later, or slides to its place, moves what is below it. */
export async function placeOf(of: Locator): Promise<Box> {
  let [before, now]: (Box | null)[] = [null, null];
  await expect
    .poll(
      async () => {
        [before, now] = [now, await of.boundingBox()];
        return before !== null && JSON.stringify(before) === JSON.stringify(now);
      },
      { interval: 50 },
    )
    .toBe(true);
  return now!;
}

/** A dialog takes the focus a moment after it is there: a key before that goes to the page behind it. */
export const hasFocus = (page: Page, role: 'dialog' | 'alertdialog' = 'dialog'): Promise<void> =>
  page.locator(`[role="${role}"]:focus, [role="${role}"] :focus`).first().waitFor({ state: 'attached' });

/** Presses a button that opens a dialog, and waits for the dialog. */
export async function open(page: Page, hands: Hands, name: string, within?: string): Promise<void> {
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await hands.press(name, within);
  await page.getByRole('dialog').waitFor();
  await hasFocus(page);
}

/** Presses the button that ends a dialog, and waits until it is gone: what was refused stays open. */
export async function confirm(page: Page, hands: Hands, name: string): Promise<void> {
  await hands.press(name);
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

export function mouseOn(page: Page): Hands {
  const scope = async (): Promise<Page | Locator> =>
    (await page.getByRole('dialog').count()) > 0 ? page.getByRole('dialog').last() : page;
  const named = (where: Page | Locator, name: string) =>
    where
      .getByRole('button', { name, exact: true })
      .or(where.getByRole('link', { name, exact: true }))
      .or(where.locator('summary').getByText(name, { exact: true }));
  return {
    async press(name, within) {
      const where = await scope();
      const place = within === undefined ? where : where.locator('tr, li').filter({ hasText: within });
      await named(place, name).first().click();
    },
    fill: async (label, text) => (await scope()).getByLabel(label, { exact: true }).fill(text),
    async choose(label, option) {
      await (await scope()).getByRole('button', { name: new RegExp(`${label}$`) }).click();
      await page.getByRole('option', { name: option, exact: true }).click();
    },
    tab: (name) => page.getByRole('tab', { name, exact: true }).click(),
  };
}

/** What has the focus: its texts and labels, the text of the row that it stands in, and the place of the field in the Flow Builder. */
const FOCUS = `(() => {
  const at = document.activeElement;
  const labels = (at.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id));
  const texts = [at.textContent, at.getAttribute('aria-label'), ...[...(at.labels ?? []), ...labels].map((each) => each?.textContent)];
  return { texts: texts.map((each) => each?.trim() ?? ''), role: at.getAttribute('role'), row: at.closest('tr, li')?.textContent ?? '', field: at.closest('[data-field]')?.dataset.field ?? '' };
})()`;

interface Focus {
  texts: string[];
  role: string | null;
  row: string;
  field: string;
}

/** Once it stays: a dialog that opens or goes moves the focus a frame later. */
export const focusOf = (page: Page): Promise<Focus> =>
  page.evaluate<Focus>(
    `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(${FOCUS}))))`,
  );

/** Presses a key until what has the focus is as wanted. */
export async function pressUntil(page: Page, key: string, what: string, isIt: (at: Focus) => boolean): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press(key);
    const at = await page.evaluate<Focus>(FOCUS);
    if (isIt(at) && isIt(await focusOf(page))) return;
    seen.push(at.texts.find((each) => each !== '') ?? '');
  }
  throw new Error(`${key} does not reach ${what}: ${seen.join(', ')}`);
}

export function keyboardOn(page: Page): Hands {
  const { keyboard } = page;
  const go = (name: string, within?: string): Promise<void> =>
    pressUntil(
      page,
      'Tab',
      name,
      ({ texts, row }) => texts.includes(name) && (within === undefined || row.includes(within)),
    );
  return {
    async press(name, within) {
      await go(name, within);
      await keyboard.press('Enter');
    },
    async fill(label, text) {
      if (!(await focusOf(page)).texts.includes(label)) await go(label);
      await keyboard.press('Control+a');
      await keyboard.type(text);
    },
    async choose(label, option) {
      await go(label);
      await keyboard.press('Enter');
      await page.getByRole('option', { name: option, exact: true }).waitFor();
      await keyboard.type(option);
      await page.locator('[role="option"][data-focused]').filter({ hasText: option }).waitFor();
      await keyboard.press('Enter');
      await page.getByRole('option').first().waitFor({ state: 'detached' });
    },
    async tab(name) {
      await pressUntil(page, 'Tab', 'the tabs', ({ role }) => role === 'tab');
      if ((await focusOf(page)).texts.includes(name)) return;
      await pressUntil(page, 'ArrowRight', name, ({ texts }) => texts.includes(name));
    },
  };
}

/** By the mouse, and again by the keyboard alone: what is written once is done by both. */
export const BOTH: [name: string, handsOn: (page: Page) => Hands][] = [
  ['the mouse', mouseOn],
  ['the keyboard alone', keyboardOn],
];
