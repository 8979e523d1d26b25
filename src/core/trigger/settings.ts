import type { ProductSpec, PromotionFlowSpec } from '../definitions.ts';

/** When a change becomes a release by itself, as a product and a flow say together; times in milliseconds. */
export interface TriggerSettings {
  automatic: boolean;
  /** Undefined: the branch of each application. */
  branches?: string[];
  coalesce: number;
  interval: number;
  ignorePaths: string[];
}

type Says = Pick<ProductSpec, 'trigger'> | Pick<PromotionFlowSpec, 'trigger'>;

/** The product's word goes before the flow's; `automatic: false` of either counts, and so do the ignored paths of both. */
export function triggerSettings({ trigger: own = {} }: Says, { trigger: shared = {} }: Says): TriggerSettings {
  const { branches = shared.branches } = own;
  return {
    automatic: own.automatic !== false && shared.automatic !== false,
    ...(branches && { branches }),
    coalesce: own.coalesce ?? shared.coalesce ?? DEFAULT_COALESCE,
    interval: own.interval ?? shared.interval ?? DEFAULT_INTERVAL,
    ignorePaths: [...(own.ignorePaths ?? []), ...(shared.ignorePaths ?? [])],
  };
}

/** In milliseconds. */
const DEFAULT_COALESCE = 2_000;
const DEFAULT_INTERVAL = 60_000;
