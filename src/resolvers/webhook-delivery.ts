import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { replayDelivery } from '../commands/replay-delivery.ts';
import { testWebhook } from '../commands/test-webhook.ts';
import { EVERYTHING } from '../core/access/index.ts';
import { refusal } from '../core/problems.ts';
import { PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { fromNodeId } from '../schema/node-id.ts';
import { UUID } from '../schema/node.ts';
import {
  WebhookDelivery,
  WebhookDeliveryConnection,
  WebhookDeliveryFilterInput,
  WebhookDeliveryReplayInput,
  WebhookDeliveryReplayPayload,
  WebhookTestInput,
  WebhookTestPayload,
} from '../schema/webhook-delivery.ts';
import { listDeliveries } from '../store/deliveries.ts';
import { Guarded, may } from './access/rules.ts';
import { checkStorable, refused, unstorable } from './answers.ts';
import { forget } from './batches.ts';
import { cutSince, pageOf, writeSince } from './newest-first.ts';
import { readsOf } from './reads.ts';

/** A source may report on everything, so its messages are for those who may do that themselves. */
const REPORTS = may('REPORT', () => [EVERYTHING]);

@Resolver()
export class WebhookDeliveryResolver {
  @Guarded(REPORTS)
  @Query(() => WebhookDeliveryConnection, { description: 'What outside systems sent, newest first.' })
  async webhookDeliveries(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => WebhookDeliveryFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    filter?: WebhookDeliveryFilterInput | null,
  ): Promise<Connection<WebhookDelivery>> {
    checkStorable({ filter });
    const { source, status } = filter ?? {};
    const asked = {
      ...pageOf(context, page),
      source: source ?? undefined,
      status: status ?? undefined,
    };
    const { rows, cut } = await listDeliveries(readsOf(context), asked);
    return toConnection(
      rows,
      page,
      ({ id, receivedAt }) => writeSince({ since: receivedAt.getTime(), id }),
      (row) => new WebhookDelivery(row),
      cutSince(cut),
    );
  }

  @Guarded(REPORTS)
  @Mutation(() => WebhookDeliveryReplayPayload, {
    description: 'Processes a stored delivery once more; what it says is judged by how things are now.',
  })
  async webhookDeliveryReplay(
    @Ctx() context: ApiContext,
    @Arg('input', () => WebhookDeliveryReplayInput, { description: 'Which one.' }) input: WebhookDeliveryReplayInput,
  ): Promise<WebhookDeliveryReplayPayload> {
    const unfit = unstorable(input);
    if (unfit.length > 0) return { delivery: null, userErrors: refused(unfit) };
    const node = fromNodeId(input.id);
    const id = node?.type === 'WebhookDelivery' ? node.what : input.id;
    if (!UUID.test(id)) {
      const wrong = [refusal('NOT_FOUND', 'the id is not that of a delivery', ['id'])];
      return { delivery: null, userErrors: refused(wrong) };
    }
    const { value, refusals } = await replayDelivery(context.app, id);
    forget(context);
    return { delivery: value ? new WebhookDelivery(value) : null, userErrors: refused(refusals ?? []) };
  }

  @Guarded(REPORTS)
  @Query(() => WebhookTestPayload, {
    description:
      'Signs a push with the secret of a source, takes it in, and says what would come of it. Nothing is written.',
  })
  async webhookTest(
    @Ctx() { app }: ApiContext,
    @Arg('input', () => WebhookTestInput, { description: 'Which push.' }) input: WebhookTestInput,
  ): Promise<WebhookTestPayload> {
    const unfit = unstorable(input);
    const none = { verifiedBy: null, matches: false, outcome: null, applications: [] };
    if (unfit.length > 0) return { ...none, userErrors: refused(unfit) };
    const { source, repository, branch, commit } = input;
    const asked = { source, repository, branch: branch ?? undefined, commit: commit ?? undefined };
    const { value, refusals } = await testWebhook(app, asked);
    return { ...(value ?? none), userErrors: refused(refusals ?? []) };
  }
}
