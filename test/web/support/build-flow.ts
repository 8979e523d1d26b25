import type { Page } from 'playwright-core';

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = (page: Page) => page.getByRole('dialog').last();
const inDialog = (page: Page, name: string) => dialog(page).getByRole('button', { name, exact: true });
const node = (page: Page, name: string) => page.locator(`[data-node="${name}"]`);
const field = (page: Page, place: string) => page.locator(`.inspector [data-field="${place}"]`);
const inOutline = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(`^${name},`) });
const said = (page: Page, words: RegExp) => page.locator('.said').getByText(words).waitFor();

/** What comes after what, in the order in which it is built. */
const PICTURE = [
  ['dev', 'staging'],
  ['staging', 'regions'],
  ['regions', 'asia-2'],
] as const;

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
  await said(page, /pre-?action/i);
}
