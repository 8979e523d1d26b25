import type { Parts } from '../parts.ts';
import { clientOf } from '../entities/data-source.ts';
import type { RollbackTarget } from '../core/rollback/rollback.ts';
import { diffOf } from './preview-release.ts';
import type { ApplicationDiff } from './preview-release.ts';
import type { PlannedRollback } from './rollback-order.ts';
import { rollbackParts } from './rollback-parts.ts';
import type { Collected } from './rollback-parts.ts';

/** What the store knows of all targets that would go back. */
export async function partsOfPlan(
  app: Pick<Parts, 'dataSource'>,
  { question, plan }: PlannedRollback,
): Promise<Collected> {
  const going = plan.targets.filter(({ to }) => to !== null);
  return app.dataSource.transaction('REPEATABLE READ', async (tx) =>
    rollbackParts(await clientOf(tx), question.product, question, going),
  );
}

/**
 * What would be written in one environment that goes back, application by application, on top of its target as it is now: by the function that
 * writes. Network.
 * @param mayRead asked before each target
 */
export async function rollbackDiffs(
  app: Parts,
  { targets, frozen }: Collected,
  { environment, to }: RollbackTarget,
  mayRead: () => boolean,
  signal: AbortSignal,
): Promise<(ApplicationDiff | string)[]> {
  const parts = targets[environment];
  const earlier = frozen.get(to?.release ?? '');
  const good = earlier?.plan.promotions.find((each) => each.environment === environment);
  if (!parts || !earlier || !good) return [];
  const going = parts.origin.promotion.applications.filter(({ name }) => Object.hasOwn(parts.contents, name));
  return Promise.all(
    going.map(async (application) => {
      const { name } = application;
      if (!mayRead()) return name;
      const { content } = good.applications.find((each) => each.name === name)!;
      const version = parts.contents[name]!;
      const pinned = await app.releaseEngine.frozen.content({ release: earlier.id, content, version });
      return diffOf(app, application, pinned, signal, { undo: parts.undo[name]!, environment, application: name });
    }),
  );
}
