import type { Command } from 'commander';
import { all, ask, ERRORS, Most, PAGE, wholeId } from '../asking.ts';
import type { Client } from '../client.ts';
import { bare, choiceOption, isLimited, wholeNumber } from '../options.ts';
import { age, renderList, shortened, type Style, type View } from '../output.ts';
import type { Shell } from '../shell.ts';

export const WEBHOOK_DOCUMENTS = {
  list: `query CliWebhookDeliveries($first: Int!, $after: String, $filter: WebhookDeliveryFilterInput) {
    list: webhookDeliveries(first: $first, after: $after, filter: $filter) {
      nodes { id uuid source webhookId receivedAt status outcome attempts replays verifiedBy body } ${PAGE}
    }
  }`,
  replay: `mutation CliWebhookDeliveryReplay($input: WebhookDeliveryReplayInput!) {
    payload: webhookDeliveryReplay(input: $input) { delivery { id status outcome } ${ERRORS} }
  }`,
  test: `query CliWebhookTest($input: WebhookTestInput!) {
    payload: webhookTest(input: $input) { verifiedBy matches outcome applications { application outcome } ${ERRORS} }
  }`,
};

interface DeliveryShown {
  id: string;
  uuid: string;
  source: string;
  webhookId: string;
  receivedAt: string;
  status: string;
  outcome: string | null;
}

const VIEW: View<DeliveryShown> = {
  columns: [
    ['ID', ({ uuid }) => shortened(uuid), 'whole'],
    ['SOURCE', ({ source }) => source],
    ['WEBHOOK ID', ({ webhookId }) => webhookId],
    ['CAME', ({ receivedAt }) => age(receivedAt)],
    ['STATUS', ({ status }) => status],
    ['OUTCOME', ({ outcome }) => (outcome ?? '').replaceAll('\n', '; ')],
  ],
  name: ({ id }) => `webhook/${id}`,
};

/** Newest first. */
export async function getDeliveries(client: Client, filter: object, limit: Most, style: Style): Promise<string> {
  const rows = await all<DeliveryShown>(client, WEBHOOK_DOCUMENTS.list, { filter }, limit);
  return renderList(rows, style, VIEW, 'There are no deliveries.');
}

/** The id that a list shows is the beginning of one among the newest deliveries. */
const NEWEST = 1_000;

interface ListFlags {
  source?: string;
  status?: string;
  limit: number;
}

/** `sluice webhook …` */
export function addWebhookCommands({ program, clientOf, styleOf, print, err }: Shell): void {
  const webhook = program
    .command('webhook')
    .description('what outside systems sent to the receiver: list, replay, test');
  webhook
    .command('list')
    .description('show deliveries, newest first')
    .option('--source <name>', 'only of this source')
    .addOption(choiceOption('--status <status>', 'only in this status', ['PENDING', 'DONE', 'REFUSED', 'FAILED']))
    .option('--limit <n>', 'at most so many', wholeNumber, 100)
    .action(async ({ source, status, limit }: ListFlags, command: Command) => {
      const most = new Most(limit);
      print(await getDeliveries(clientOf(command), { source, status }, most, styleOf(command)));
      if (!isLimited(command)) err.write(most.told('sluice webhook list --limit NUMBER'));
    });
  webhook
    .command('replay')
    .description('process a delivery once more')
    .argument('<id>', 'as the list shows it', bare('webhook'))
    .action(async (typed: string, _flags: unknown, command: Command) => {
      const client = clientOf(command);
      const known =
        typed.length >= 36
          ? []
          : await all<DeliveryShown>(client, WEBHOOK_DOCUMENTS.list, { filter: {} }, new Most(NEWEST));
      const id = wholeId(
        known.map((each) => each.uuid),
        typed,
        'delivery',
        'sluice webhook list',
      );
      const { delivery } = await ask<{ delivery: { status: string; outcome: string | null } }>(
        client,
        WEBHOOK_DOCUMENTS.replay,
        { id },
      );
      print(`${delivery.status}: ${delivery.outcome ?? 'not processed yet'}`);
    });
  webhook
    .command('test')
    .description('sign a push as a source would, and show what would come of it; nothing is done')
    .argument('<source>', 'the source, as its address at the receiver has it')
    .requiredOption('--repository <url>', 'the address of the repository')
    .option('--branch <name>', 'the branch; every one that matters when left out')
    .option('--commit <commit>', "the commit; the branch's newest when left out")
    .action(
      async (source: string, flags: { repository: string; branch?: string; commit?: string }, command: Command) => {
        const tested = await ask<Tested>(clientOf(command), WEBHOOK_DOCUMENTS.test, { source, ...flags });
        const { verifiedBy, outcome, applications } = tested;
        const lines = applications.map((each) => `${each.application}: ${each.outcome}`);
        print([`Verified by secret ${verifiedBy}`, outcome, ...lines].join('\n'));
      },
    );
}

interface Tested {
  verifiedBy: string;
  outcome: string;
  applications: { application: string; outcome: string }[];
}
