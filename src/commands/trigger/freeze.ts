import { randomUUID } from 'node:crypto';
import { createRelease } from '../../core/create.ts';
import { triggerOf } from '../../core/trigger/change.ts';
import type { Change } from '../../core/trigger/change.ts';
import type { NewRelease } from '../../store/insert-release.ts';
import type { Pinned } from './pin.ts';
import type { PlannedCandidate } from './plan-candidate.ts';

/** Everything that the release freezes: its plan, and the version that it brings. */
export interface Planned extends Omit<PlannedCandidate, 'candidate'> {
  pinned: Pinned;
  /** Found in the sources while they were pinned: the release tells of it with what its flow warns of. */
  found: string[];
}

/** Pinned → Planned. */
export function withContent({ product, plan }: PlannedCandidate, pinned: Pinned): Planned {
  const found = Object.values(pinned.contents).flatMap((each) => each.warnings ?? []);
  return { product, plan: { ...plan, warnings: [...new Set([...plan.warnings, ...found])] }, pinned, found };
}

/** Planned → Release, as it is written; it has a new id each time. */
export function freeze(planned: Planned, change: Change, now: number): NewRelease {
  const { product, plan, pinned, found } = planned;
  const { version, digest, contents } = pinned;
  const created = createRelease(randomUUID(), plan, version, now, change.by, change.makers, found);
  return {
    ...created,
    plan,
    contents,
    kind: 'FORWARD',
    product: product.metadata.name,
    version,
    digest,
    concurrency: product.spec.concurrency,
    trigger: triggerOf(change),
  };
}
