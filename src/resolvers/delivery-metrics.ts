import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { deliveryMetrics } from '../core/delivery-metrics.ts';
import { badInput } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { DeliveryMetrics } from '../schema/delivery-metrics.ts';
import { readChanges } from '../store/delivery-metrics.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesPlace } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { readsOf } from './reads.ts';

const DAY = 24 * 60 * 60 * 1000;
/** What is asked about when nothing else is said, and the longest that can be. */
const USUAL = 30 * DAY;
const LONGEST = 400 * DAY;
/** Deployments that one question counts. */
const MOST = 2_000;

@Resolver()
export class DeliveryMetricsResolver {
  @Guarded(SEES)
  @Query(() => DeliveryMetrics, {
    description:
      'Lead time, deployment frequency, change failure rate and time to restore of a product in an environment, from what was recorded.',
  })
  async deliveryMetrics(
    @Ctx() context: ApiContext,
    @Arg('product', () => String, { description: 'The name of the product.' }) product: string,
    @Arg('environment', () => String, { description: 'The name of the environment.' }) environment: string,
    @Arg('since', () => Date, { nullable: true, description: '30 days before `until`, when left out.' }) since?: Date,
    @Arg('until', () => Date, { nullable: true, description: 'Now, when left out.' }) until?: Date,
  ): Promise<DeliveryMetrics> {
    checkStorable({ product, environment });
    const end = until ?? context.app.clock.now();
    const begin = since ?? new Date(end.getTime() - USUAL);
    const span = end.getTime() - begin.getTime();
    if (span <= 0 || span > LONGEST)
      throw badInput(`\`since\` has to be before \`until\`, by ${LONGEST / DAY} days at most`, 'since');
    const place = { product, environment };
    const isSeen = await seesPlace(context, product, environment);
    const read = { since: begin.getTime(), most: MOST };
    const changes = isSeen ? await readChanges(readsOf(context), place, read) : [];
    const truncated = changes.length >= MOST;
    const first = truncated ? Math.min(...changes.map(({ at }) => at)) : begin.getTime();
    const figures = deliveryMetrics(changes, { since: first, until: end.getTime() });
    return { ...figures, since: new Date(first), until: end, truncated };
  }
}
