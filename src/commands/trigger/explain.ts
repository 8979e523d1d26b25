import type { Parts } from '../../parts.ts';
import { headsSeen } from './heads-seen.ts';
import type { HeadOutcome } from './heads-seen.ts';

/** A push that may have happened: which applications it would concern, and what would come of it. */
export interface TriggerQuestion {
  repository: string;
  /** `refs/heads/…`, `refs/tags/…` or a bare branch; every branch of a trigger application when left out. */
  ref?: string;
  /** Any commit of that branch; its head when left out. */
  commit?: string;
}

/** What would come of it. */
export interface TriggerExplanation {
  /** Why nothing here looks at it at all; null: applications do. */
  nothing: string | null;
  applications: HeadOutcome[];
}

/** What a push to this repository leads to, application by application. Nothing is written. */
export async function explainTrigger(app: Parts, { repository }: TriggerQuestion): Promise<TriggerExplanation> {
  const applications = await headsSeen(app, { repository, heads: new Map(), via: 'POLL', deliveries: [] });
  const nothing = applications.length > 0 ? null : 'no application that triggers releases is in this repository';
  return { nothing, applications };
}
