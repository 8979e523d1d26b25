import type { Visibility } from '../../core/access/index.ts';
import { marks } from '../../core/holds.ts';
import { RefusedError } from '../../core/problems.ts';
import type { Parts } from '../../parts.ts';
import { activeBadVersions } from '../../store/bad-versions.ts';
import type { KeptBadVersion } from '../../store/bad-versions.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import type { NewRelease } from '../../store/insert-release.ts';
import { pages } from '../../store/pages.ts';
import { markedBad } from '../mark-version.ts';

/**
 * A courtesy to a person who triggers: the gate of each promotion decides, whatever is marked or taken back meanwhile.
 * @param visible of the marks those that are seen are told, and of the others that they are there; null: all are seen
 * @throws RefusedError naming the marks that stand in the way
 */
export async function refuseBadVersion(
  { pool, clock, limits }: Parts,
  definitions: DefinitionSnapshot,
  { product, version, digest, plan: { promotions } }: Pick<NewRelease, 'product' | 'version' | 'digest' | 'plan'>,
  visible: Visibility | null,
): Promise<void> {
  const marked = { product, digest, at: clock.now().getTime() };
  const limit = limits.lifted;
  const found: KeptBadVersion[] = [];
  for await (const page of pages<KeptBadVersion>(limit, (before) =>
    activeBadVersions(pool, { limit, before, ...marked }),
  ))
    found.push(...page);
  const inTheWay = found.filter((each) =>
    promotions.some(
      ({ environment }) => environment !== null && marks(each, environment, definitions.groupsOf(environment)),
    ),
  );
  if (inTheWay.length > 0) throw new RefusedError([markedBad(inTheWay, version, visible)]);
}
