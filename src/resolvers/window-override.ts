import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { overrideWindows } from '../commands/override-windows.ts';
import type { ApiContext } from '../schema/context.ts';
import { EnvironmentPromotion } from '../schema/promotion.ts';
import { WindowOverrideInput, WindowOverridePayload } from '../schema/window-override.ts';
import { Guarded, may } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';
import { forget } from './batches.ts';
import { releaseIdOf } from './release-id.ts';
import { partsOf } from './release-parts.ts';

@Resolver()
export class WindowOverrideResolver {
  @Guarded(may('OVERRIDE', ({ input }, lookup) => lookup.release(input.releaseId)))
  @Mutation(() => WindowOverridePayload, {
    description:
      'Lets one release into one environment although release windows are closed, until it expires. All other gates stay.',
  })
  async windowOverride(
    @Ctx() context: ApiContext,
    @Arg('input', () => WindowOverrideInput, { description: 'Which windows, for what, why.' })
    input: WindowOverrideInput,
  ): Promise<WindowOverridePayload> {
    const wrong = unstorable(input);
    if (wrong.length > 0) return { promotion: null, userErrors: refused(wrong) };
    const { environment, windows, reason, expiresAt } = input;
    const given = { releaseId: await releaseIdOf(context, input.releaseId), environment, windows, reason, expiresAt };
    const result = await overrideWindows(context.app, given, context.actor);
    forget(context);
    if (result.refusals) return { promotion: null, userErrors: refused(result.refusals) };
    const parts = await partsOf(context, result.value.releaseId);
    return { promotion: new EnvironmentPromotion(parts, result.value.promotion), userErrors: [] };
  }
}
