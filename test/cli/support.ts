import type { PromotionShown, ReleaseShown } from '../../src/cli/release-shown.ts';

export function releaseShown(given: Partial<ReleaseShown> = {}): ReleaseShown {
  return {
    id: 'UmVsZWFzZTox',
    shortId: 'billing#1',
    uuid: '1',
    kind: 'FORWARD',
    product: 'billing',
    version: '1.1.0',
    commit: null,
    flow: 'billing-flow',
    status: 'RUNNING',
    createdAt: '2026-03-02T14:00:00.000Z',
    startedAt: null,
    endedAt: null,
    problem: null,
    waitingFor: [],
    promotions: [],
    rollback: null,
    ...given,
  };
}

export function promotionShown(name: string, given: Partial<PromotionShown> = {}): PromotionShown {
  return {
    name,
    group: null,
    status: 'PENDING',
    attempt: 1,
    phase: null,
    startedAt: null,
    endedAt: null,
    waitingFor: [],
    problem: null,
    commit: null,
    pullRequests: [],
    ...given,
  };
}
