import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { actionOf, diffOf, previewRelease } from '../commands/preview-release.ts';
import type { ReleasePreview as Preview } from '../commands/preview-release.ts';
import type { WaitingReason } from '../core/waiting.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { EffectiveSetting } from '../schema/policy.ts';
import { ReleaseTriggerInput } from '../schema/release.ts';
import { ReleasePlan } from '../schema/release-plan.ts';
import {
  ApplicationDiff,
  ExpectedWait,
  PromotionPreview,
  ReleasePreview,
  ReleasePreviewPayload,
} from '../schema/release-preview.ts';
import { dateOf } from '../schema/values.ts';
import { releasing } from './access/release-rules.ts';
import { Guarded, may } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';
import { triggerOf } from './orders.ts';
import { snapshotOf } from './places.ts';

/** Reading targets for one question, in milliseconds. */
const READING = 30_000;
/** How many targets one question reads. */
export const MOST_TARGETS = 100;

/** How many targets a question may read from here on, and until when. */
export const readingOf = (context: ApiContext): { left: number; signal: AbortSignal } =>
  loaderOf(context, 'previewing', ({ clock }) => ({ left: MOST_TARGETS, signal: clock.limit('look', READING) }));

@Resolver(() => PromotionPreview)
export class ReleasePreviewResolver {
  @Guarded(may('VIEW', releasing))
  @Query(() => ReleasePreviewPayload, {
    description:
      'Everything that `releaseTrigger` with the same input would do: the flow and why, the version, and of each promotion its workflows, windows, approvals, holds, the diff of every file, and when it can start. Nothing is created; the sources are read.',
  })
  async releasePreview(
    @Ctx() context: ApiContext,
    @Arg('input', () => ReleaseTriggerInput, { description: 'What to release.' }) input: ReleaseTriggerInput,
  ): Promise<ReleasePreviewPayload> {
    const { app, actor, caller } = context;
    const wrong = unstorable(input);
    const result =
      wrong.length > 0 ? { refusals: wrong } : await previewRelease(app, triggerOf(input), actor, caller?.makers);
    if (result.refusals) return { preview: null, userErrors: refused(result.refusals) };
    const preview = result.value;
    const { plan, pinned, explanation, reasons } = preview;
    const snapshot = await snapshotOf(context);
    // The release's own stand behind all others.
    const others = plan.promotions.filter(({ own }) => own === undefined);
    const promotions = others.map((planned, position) =>
      Object.assign(new PromotionPreview(), {
        preview,
        position,
        name: planned.name,
        environmentName: planned.environment,
        action: actionOf(planned),
        workflows: workflowsOf(planned),
        settings: planned.policy ? EffectiveSetting.all(planned.policy, planned.pullRequest) : [],
        approval: planned.approval,
        windowNames:
          planned.environment === null
            ? []
            : snapshot.windowsFor(plan.product, planned.environment).map(({ name }) => name),
        waitingFor: reasons.filter((each) => each.promotion === position).map(toWait),
        earliestStart: dateOf(preview.starts[position]),
      }),
    );
    const shown = {
      version: { label: pinned.version, digest: pinned.digest },
      explanation,
      plan: ReleasePlan.of(plan),
      waitingFor: reasons.filter((each) => each.promotion === null).map(toWait),
      promotions,
    };
    return { preview: Object.assign(new ReleasePreview(), shown), userErrors: [] };
  }

  @FieldResolver(() => [ApplicationDiff], {
    description:
      'What would be written, application by application, on top of their targets as they are now. A question reads 100 targets at most, for 30 seconds.',
  })
  async changes(
    @Ctx() context: ApiContext,
    @Root() { preview: known, position }: PromotionPreview,
  ): Promise<ApplicationDiff[]> {
    const preview = known as Preview;
    const { promotions } = preview.plan;
    const reading = readingOf(context);
    const planned = promotions[position];
    if (!planned || actionOf(planned) === 'none') return [];
    const diffs = planned.applications.map(async (application) => {
      reading.left -= 1;
      const pinned = preview.pinned.contents[application.content];
      if (reading.left >= 0) return diffOf(context.app, application, pinned, reading.signal);
      const reason = `one question reads ${MOST_TARGETS} targets at most`;
      return { application: application.name, files: [], more: 0, skipped: [], reason };
    });
    return (await Promise.all(diffs)).map((each) => ApplicationDiff.of(each));
  }
}

/** Each once, in the order in which they begin. */
function workflowsOf({ steps }: Preview['plan']['promotions'][number]): string[] {
  return [...new Set(steps.flatMap(({ work }) => (work.kind === 'action' ? [work.workflow] : [])))];
}

function toWait({ message, who, earliest }: WaitingReason): ExpectedWait {
  return { message, who, earliest: dateOf(earliest) };
}
