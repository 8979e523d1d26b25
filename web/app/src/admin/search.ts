import type { AuditOutcome } from '../generated/documents.ts';
import { textOf } from '../parts/address.ts';

const TABS = ['grants', 'tokens', 'secrets', 'audit', 'findings'] as const;
export type AdminTab = (typeof TABS)[number];
export const OUTCOMES: AuditOutcome[] = ['DONE', 'REFUSED', 'FORBIDDEN', 'FAILED'];

export interface AdminSearch {
  /** undefined: the first one that the viewer may see. */
  tab?: AdminTab;
  after?: string;
  /** Of the audit log. */
  actor?: string;
  action?: string;
  outcome?: AuditOutcome;
}

export const adminSearch = (typed: Record<string, unknown>): AdminSearch => ({
  tab: TABS.find((each) => each === typed['tab']),
  after: textOf(typed['after']),
  actor: textOf(typed['actor']),
  action: textOf(typed['action']),
  outcome: OUTCOMES.find((each) => each === typed['outcome']),
});
