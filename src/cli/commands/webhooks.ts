import type { Command } from 'commander';
import type { Client, UserError } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { age, type Column, type Format, render } from '../output.ts';

export const WEBHOOK_DOCUMENTS = {
  list: `query CliWebhookDeliveries($first: Int!, $filter: WebhookDeliveryFilterInput) {
    webhookDeliveries(first: $first, filter: $filter) {
      nodes { id source webhookId receivedAt status outcome attempts replays verifiedBy body }
    }
  }`,
  replay: `mutation CliWebhookDeliveryReplay($input: WebhookDeliveryReplayInput!) {
    payload: webhookDeliveryReplay(input: $input) {
      delivery { id status outcome } userErrors { code message path }
    }
  }`,
};

interface DeliveryShown {
  id: string;
  source: string;
  webhookId: string;
  receivedAt: string;
  status: string;
  outcome: string | null;
}

const COLUMNS: Column<DeliveryShown>[] = [
  ['ID', ({ id }) => id],
  ['SOURCE', ({ source }) => source],
  ['WEBHOOK ID', ({ webhookId }) => webhookId],
  ['CAME', ({ receivedAt }) => age(receivedAt)],
  ['STATUS', ({ status }) => status],
  ['OUTCOME', ({ outcome }) => outcome ?? ''],
];

interface Parts {
  clientOf: (command: Command) => Client;
  formatOf: (command: Command) => Format;
  print: (text: string) => void;
}

/** `sluice webhook …` */
export function addWebhookCommands(program: Command, { clientOf, formatOf, print }: Parts): void {
  const webhook = program.command('webhook').description('what outside systems sent to the receiver: list, replay');
  webhook
    .command('list')
    .description('show deliveries, newest first')
    .option('--source <name>', 'only of this source')
    .option('--status <status>', 'only in this status: PENDING, DONE, REFUSED or FAILED')
    .action(async ({ source, status }: { source?: string; status?: string }, command: Command) => {
      const filter = { source, status: status?.toUpperCase() };
      const { webhookDeliveries } = await clientOf(command).ask<{ webhookDeliveries: { nodes: DeliveryShown[] } }>(
        WEBHOOK_DOCUMENTS.list,
        { first: 100, filter },
      );
      const format = formatOf(command);
      if (webhookDeliveries.nodes.length === 0 && format === 'table') return print('There are no deliveries.');
      print(render(webhookDeliveries.nodes, format, { columns: COLUMNS, name: ({ id }) => `webhook/${id}` }));
    });
  webhook
    .command('replay')
    .description('process a delivery once more')
    .argument('<id>')
    .action(async (id: string, _flags: unknown, command: Command) => {
      const { payload } = await clientOf(command).ask<{
        payload: { delivery: { status: string; outcome: string | null } | null; userErrors: UserError[] };
      }>(WEBHOOK_DOCUMENTS.replay, { input: { id } });
      if (!payload.delivery)
        throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
      print(`${payload.delivery.status}: ${payload.delivery.outcome ?? 'not processed yet'}`);
    });
}
