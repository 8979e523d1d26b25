import type {
  PromotionStateFragment,
  ReasonFragment,
  ReleaseChangedSubscription,
  ReleaseQuery,
} from '../generated/documents.ts';
import { inOrder } from '../parts/in-order.ts';

type Opened = NonNullable<ReleaseQuery['release']>;
type Planned = Opened['skeleton']['promotions'][number];

/** A promotion: what the release froze of it, and where it is. */
export interface PromotionRead extends PromotionStateFragment {
  planned: Planned;
}

/** A release as a page shows it. `promotions` stand in the order of the flow. */
export interface ReleaseRead extends Omit<Opened, 'promotions' | 'skeleton'> {
  promotions: PromotionRead[];
  skeleton: Opened['skeleton'];
}

export function opened(read: Opened): ReleaseRead {
  const now = new Map(read.promotions.map((each) => [each.name, each]));
  const planned = inOrder(read.skeleton.promotions);
  return {
    ...read,
    skeleton: { ...read.skeleton, promotions: planned },
    promotions: planned.flatMap((frozen) => {
      const each = now.get(frozen.name);
      return each ? [{ ...each, planned: frozen }] : [];
    }),
  };
}

type Change = ReleaseChangedSubscription['releaseChanged'];

/** The release after a change. Whatever says that it is no newer than what is shown changes nothing. */
export function painted(before: ReleaseRead, { cursor, release, groups, promotions }: Change): ReleaseRead {
  const changed = new Map(promotions.map((each) => [each.name, each]));
  const gates = new Map(groups.map((each) => [each.name, each]));
  const newer = new Set(
    before.promotions.flatMap((each) =>
      changed.has(each.name) && changed.get(each.name)!.sequence >= each.sequence ? [each.name] : [],
    ),
  );
  return {
    ...before,
    ...(release && release.sequence >= before.sequence ? release : {}),
    lastCursor: cursor,
    waitingFor: [
      ...before.waitingFor.filter(({ promotion }) => !promotion || !newer.has(promotion.name)),
      ...promotions.flatMap((each) => (newer.has(each.name) ? each.waitingFor : [])),
    ],
    groups: gates.size === 0 ? before.groups : before.groups.map((each) => gates.get(each.name) ?? each),
    promotions:
      changed.size === 0
        ? before.promotions
        : before.promotions.map((each) => {
            if (!newer.has(each.name)) return each;
            const { waitingFor: _, ...now } = changed.get(each.name)!;
            return { ...now, planned: each.planned };
          }),
  };
}

/** What went wrong and still counts: the release did not get through, and the environment was neither skipped nor tried again since. */
export function standingProblem({
  status,
  problem,
  promotions,
}: Pick<ReleaseRead, 'status' | 'problem' | 'promotions'>) {
  if (!problem || status === 'SUCCEEDED') return undefined;
  return [problem.first, problem.last].find(({ environment, attempt }) => {
    const own = promotions.find(({ name }) => name === environment);
    return !own || (!THROUGH.includes(own.status) && (attempt == null || attempt === own.attempt));
  });
}

const THROUGH = ['SUCCEEDED', 'SKIPPED'];

/** What each promotion waits for, by its name. */
export function reasonsByPromotion({ waitingFor }: Pick<ReleaseRead, 'waitingFor'>): Map<string, ReasonFragment[]> {
  const reasons = new Map<string, ReasonFragment[]>();
  for (const each of waitingFor) {
    if (!each.promotion) continue;
    const known = reasons.get(each.promotion.name);
    if (known) known.push(each);
    else reasons.set(each.promotion.name, [each]);
  }
  return reasons;
}
