import type { Parts } from '../parts.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { shortIdOf } from '../core/short-id.ts';
import { UUID } from './control-release.ts';
import { checkEnd, checkReason } from './hold-environment.ts';
import type { Result } from './result.ts';

/** Which windows shall not hold one release in one environment, why, and until when. */
export interface OverrideInput {
  releaseId: string;
  environment: string;
  /** Exact names; other windows that are closed, too, go on holding. */
  windows: string[];
  reason: string;
  expiresAt: Date;
}

/**
 * Lets one release into one environment although these windows are closed, until the override expires or the release ends.
 * All other gates stay. What waited for the windows alone starts at once.
 */
export async function overrideWindows(
  app: Parts,
  input: OverrideInput,
  actor: string | null,
): Promise<Result<{ releaseId: string; promotion: number }>> {
  const { releaseId, environment, reason, expiresAt } = input;
  const seen = UUID.test(releaseId) ? await app.releaseEngine.look(releaseId, { fresh: true }) : null;
  if (!seen) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const { plan, product, number } = seen.release;
  const promotion = plan.promotions.findIndex((each) => each.environment === environment);
  if (promotion < 0) {
    const message = `release ${shortIdOf(product, number)} does not promote into "${environment}"`;
    return { refusals: [refusal('NOT_FOUND', message, ['environment'])] };
  }
  const action = plan.rollback ? 'ROLLBACK' : 'PROMOTE';
  const concerned = (await app.definitions.current())
    .windowsFor(plan.product, environment)
    .filter(({ spec }) => spec.holds.includes(action))
    .map(({ name }) => name);
  const wrong = [
    ...checkReason(reason),
    ...checkEnd(expiresAt, app.clock.now().getTime(), 'expiresAt'),
    ...checkWindows(input.windows, concerned, environment),
  ];
  if (wrong.length > 0) return { refusals: wrong };
  const windows = [...new Set(input.windows)];
  const override = { promotion, windows, reason, by: actor, expiresAt: expiresAt.getTime() };
  const moved = await app.releaseEngine.tellKnown(releaseId, { kind: 'override-windows', ...override });
  return moved.refused ? { refusals: [moved.refused] } : { value: { releaseId, promotion } };
}

function checkWindows(named: string[], concerned: string[], environment: string): Refusal[] {
  if (named.length === 0) return [refusal('INVALID', 'name the windows that do not count', ['windows'])];
  const there = concerned.length === 0 ? 'none does' : `those that do: ${concerned.join(', ')}`;
  return named.flatMap((name, index) =>
    concerned.includes(name)
      ? []
      : [
          refusal('NOT_FOUND', `no window "${name}" holds this release in "${environment}"; ${there}`, [
            'windows',
            index,
          ]),
        ],
  );
}
