import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Served } from '../../cli/served.ts';
import { confirm, type Hands, open } from './hands.ts';

// What pages are for, one function each. The same is done by the mouse and again by the keyboard alone, on the same page after each other.

const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

/** On `/holds`: an environment is put on hold and let go, a version is marked and unmarked. */
export async function holdAndMark(page: Page, hands: Hands, version: string): Promise<void> {
  await open(page, hands, 'Hold an environment');
  await hands.choose('Environment', 'eu');
  await hands.fill('Reason', 'the database moves');
  await confirm(page, hands, 'Hold');
  await row(page, 'the database moves').getByText('all products').waitFor();
  await open(page, hands, 'Lift', 'the database moves');
  await confirm(page, hands, 'Lift');
  await row(page, 'the database moves').waitFor({ state: 'detached' });

  await open(page, hands, 'Mark a version');
  await hands.choose('Product', 'billing');
  await hands.fill('Version', version);
  await hands.choose('Environment', 'eu');
  await hands.fill('Reason', 'it loses messages');
  await confirm(page, hands, 'Mark bad');
  await row(page, 'it loses messages').getByText(version).waitFor();
  await open(page, hands, 'Unmark', 'it loses messages');
  await hands.fill('Reason', 'it was another one');
  await confirm(page, hands, 'Unmark');
  await row(page, 'it loses messages').waitFor({ state: 'detached' });
}

/** On `/triggers`: triggers are paused and go on; a candidate is dismissed, and another one is released at once. */
export async function controlTriggers(page: Page, hands: Hands, served: Served, version: string): Promise<void> {
  const arrives = async (what: string): Promise<void> => {
    expect(await served.sluice('report', 'deployment', 'shop-dev', '--version', what)).toMatchObject({ code: 0 });
    // Who comes back to the tab is shown what is new at once.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  };
  await open(page, hands, 'Pause', 'shop');
  await hands.fill('Reason', 'an audit');
  await confirm(page, hands, 'Pause');
  await row(page, 'an audit').first().waitFor();
  await open(page, hands, 'Resume', 'an audit');
  await confirm(page, hands, 'Resume');
  await row(page, 'an audit').waitFor({ state: 'detached' });

  await arrives(`${version}-a`);
  const waiting = row(page, 'Coalescing');
  await waiting.waitFor();
  await open(page, hands, 'Dismiss', 'Coalescing');
  await hands.fill('Reason', `not ${version}`);
  await confirm(page, hands, 'Dismiss');
  await row(page, `not ${version}`).getByText('Dismissed').waitFor();
  await arrives(`${version}-b`);
  await waiting.waitFor();
  await open(page, hands, 'Release now', 'Coalescing');
  await confirm(page, hands, 'Release now');
  await waiting.waitFor({ state: 'detached' });
  await row(page, 'Released')
    .getByRole('link', { name: /^shop#/ })
    .first()
    .waitFor();
  expect((await served.sluice('terminate', 'shop')).code).toBe(0);
}

/** On `/where`: found by a part of its name, compared with another environment, and followed to the release that brought it. */
export async function findWhereItIs(page: Page, hands: Hands, version: string): Promise<void> {
  await hands.fill('Product', 'bill');
  await hands.choose('Compare with', 'dev');
  await expect.poll(() => page.url()).toMatch(/product=bill.*compareTo=dev|compareTo=dev.*product=bill/);
  await page.getByRole('gridcell').filter({ hasText: version }).first().waitFor();
  await hands.press(version);
  await page.getByRole('heading', { name: /^billing#/, level: 1 }).waitFor();
}

/** On `/inbox`: what changes is looked at, and all of it is approved with one comment. */
export async function approveTogether(page: Page, hands: Hands, version: string): Promise<void> {
  await page.getByRole('link', { name: `billing ${version}` }).waitFor();
  await page.getByRole('link', { name: `shop ${version}` }).waitFor();
  await hands.press('What changes', `billing ${version}`);
  await page
    .getByRole('listitem')
    .filter({ hasText: `billing ${version}` })
    .getByLabel('to', { exact: true })
    .waitFor();
  await hands.press('Choose all 2');
  await open(page, hands, 'Approve 2');
  await hands.fill('Comment on each', 'both are fine');
  await confirm(page, hands, 'Approve 2');
  await page.getByText('Nothing waits for you.').waitFor();
}

/** A release of `shop` that waits for its approval: everything that is done to one which does not go as it should. */
export async function rescue(page: Page, hands: Hands, select: (environment: string) => Promise<void>): Promise<void> {
  await open(page, hands, 'Terminate');
  await hands.fill('Reason', 'too early');
  await confirm(page, hands, 'Terminate');
  await page.getByText('Terminated: too early').waitFor();
  await open(page, hands, 'Retry');
  await confirm(page, hands, 'Retry');
  await page.getByRole('button', { name: 'Approve', exact: true }).waitFor();
  await select('staging');
  const panel = page.getByRole('complementary', { name: 'Environment staging' });
  await panel.getByRole('button', { name: 'Skip', exact: true }).waitFor();
  await open(page, hands, 'Skip');
  await hands.fill('Reason', 'staging is broken');
  await confirm(page, hands, 'Skip');
  await page.getByRole('button', { name: 'Override', exact: true }).waitFor();
  await open(page, hands, 'Override');
  await hands.fill('Reason', 'a fix for customers');
  await confirm(page, hands, 'Override');
  await page.locator('[data-environment="asia-2"]').getByText('Succeeded').waitFor();
  await open(page, hands, 'Mark bad');
  await hands.fill('Reason', 'it was no fix');
  await confirm(page, hands, 'Mark bad');
  await open(page, hands, 'Roll back');
  const plan = page.getByRole('dialog').getByRole('row');
  await plan.filter({ hasText: 'asia-2' }).getByText('Goes back', { exact: true }).waitFor();
  await plan.filter({ hasText: 'us-east' }).getByText('Goes back', { exact: true }).waitFor();
  await hands.fill('Reason', 'back to what was good');
  await confirm(page, hands, 'Roll back');
  await page.getByRole('link', { name: /^Caused by shop#/ }).waitFor();
  await page.locator('[data-environment="asia-2"]').getByText('Succeeded').waitFor();
}

/** On `/admin`: a role is granted and taken away, a token and a secret are made and ended, and the log says who did it. */
export async function administer(page: Page, hands: Hands): Promise<void> {
  await hands.tab('Grants');
  await open(page, hands, 'Grant a role');
  await hands.fill('Who', 'mia@example.com');
  await hands.choose('Role', 'Approver');
  await hands.fill('Environments', 'us-*, eu');
  await confirm(page, hands, 'Grant a role');
  await row(page, 'mia@example.com').getByText('us-*, eu').waitFor();
  await open(page, hands, 'Take away', 'mia@example.com');
  await confirm(page, hands, 'Take away');
  await row(page, 'mia@example.com').waitFor({ state: 'detached' });

  await hands.tab('API tokens');
  await open(page, hands, 'Make a token');
  await hands.fill('What it is for', 'a build');
  await hands.fill('Service account', 'ci-shop');
  await confirm(page, hands, 'Make a token');
  await page.getByText('The token is shown here once').waitFor();
  await hands.press('I have kept it');
  await open(page, hands, 'Revoke', 'a build');
  await confirm(page, hands, 'Revoke');
  await row(page, 'a build').first().getByText('revoked').waitFor();

  await hands.tab('Secrets');
  await open(page, hands, 'Set a secret');
  await hands.fill('Name', 'slack-token');
  await hands.fill('Value', 'a value of some length');
  await hands.fill('Hosts to which it may be sent', 'hooks.example.com');
  await confirm(page, hands, 'Set a secret');
  await row(page, 'slack-token').getByText('hooks.example.com').waitFor();
  await open(page, hands, 'Delete', 'slack-token');
  await confirm(page, hands, 'Delete');
  await row(page, 'slack-token').waitFor({ state: 'detached' });

  await hands.tab('Audit log');
  await hands.fill('Command', 'secretDelete');
  await page.waitForURL(/secretDelete/);
  await row(page, 'secretDelete').first().getByText('Secret slack-token').waitFor();
}

/** On `/triggers`: a delivery is processed once more. */
export async function replay(page: Page, hands: Hands): Promise<void> {
  await open(page, hands, 'Replay', 'monitor');
  await confirm(page, hands, 'Replay');
}
