import type { Page } from 'playwright-core';
import type { Story } from './story.ts';

/** One picture: where it is, and what is done there before it is taken. */
export interface Shot {
  path: string;
  /** Of the server that asks who is calling; as a person who is signed in there unless `isStranger`. */
  isGuarded?: boolean;
  isStranger?: boolean;
  act?: (page: Page) => Promise<void>;
}

const press =
  (name: string | RegExp) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name }).first().click();
    await page.getByRole('dialog').waitFor();
  };

/** Every page of the web app by its name, with the dialogs that are larger than a question. */
export const shotsOf = ({ waiting, failed, rollback, wide }: Story & { wide: string }): Record<string, Shot> => ({
  releases: { path: '/' },
  filtered: { path: '/?product=billing&status=%5B%22SUCCEEDED%22%5D&kind=FORWARD' },
  trigger: { path: '/', act: press('Release a product') },
  release: { path: `/releases/${waiting}` },
  approve: { path: `/releases/${waiting}`, act: press('Approve') },
  promotion: { path: `/releases/${failed}?environment=us-east` },
  list: { path: `/releases/${failed}?view=list` },
  gantt: { path: `/releases/${failed}?view=gantt` },
  notes: { path: `/releases/${failed}?view=notes` },
  timeline: { path: `/releases/${failed}?view=timeline` },
  rollback: { path: `/releases/${rollback}` },
  plan: { path: `/releases/${waiting}`, act: press('Roll back') },
  where: { path: '/where?compareTo=dev' },
  environment: { path: '/environments/eu?product=billing' },
  calendar: { path: '/calendar' },
  month: { path: '/calendar?span=month&rows=windows' },
  draft: { path: '/calendar', act: press('Draft a window') },
  inbox: { path: '/inbox' },
  holds: { path: '/holds' },
  triggers: { path: '/triggers' },
  grants: { path: '/admin?tab=grants' },
  grant: { path: '/admin?tab=grants', act: press('Grant a role') },
  tokens: { path: '/admin?tab=tokens', isGuarded: true },
  secrets: { path: '/admin?tab=secrets' },
  audit: { path: '/admin?tab=audit' },
  findings: { path: '/admin?tab=findings' },
  flows: { path: '/flows' },
  builder: { path: '/flows/billing-flow' },
  newFlow: { path: '/flows/new' },
  workflows: { path: '/workflows' },
  workflow: { path: '/workflows/smoke-tests' },
  newWorkflow: { path: '/workflows/new' },
  find: {
    path: '/',
    act: async (page) => {
      await page.keyboard.press('Control+k');
      await page.keyboard.type('eu');
      await page.getByRole('option', { name: 'eu', exact: true }).waitFor();
    },
  },
  nowhere: { path: '/nowhere' },
  signIn: { path: '/', isGuarded: true, isStranger: true },
  sessions: { path: '/sessions', isGuarded: true },
  wide: { path: `/releases/${wide}`, isGuarded: true },
  // A telephone shows the list first.
  wideOpen: {
    path: `/releases/${wide}?view=graph`,
    isGuarded: true,
    act: (page) =>
      page
        .getByRole('button', { name: /^region-/, expanded: false })
        .first()
        .click(),
  },
  wideList: { path: `/releases/${wide}?view=list`, isGuarded: true },
  wideInbox: { path: '/inbox', isGuarded: true },
  empty: { path: '/holds', isGuarded: true },
});
