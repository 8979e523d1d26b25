/** Where a message is in its life. */
export const DELIVERY_STATUSES = ['PENDING', 'DONE', 'REFUSED', 'FAILED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What a receiver is for: reports of rollouts, decisions on approvals, or news of one of three kinds of senders. */
export type Purpose = 'rollouts' | 'approvals' | 'git' | 'argocd' | 'generic';

/** A message of an outside system that was signed by it, as it is kept. */
export interface Delivery {
  id: string;
  source: string;
  /** The sender's own id: the same one again is the same message. */
  webhookId: string;
  /** The receiver that it was sent to; null: it came before that was kept, and was for rollouts or approvals. */
  purpose: Purpose | null;
  /** Without signatures. */
  headers: Record<string, string>;
  /** As it came; of news what was read of it, as JSON. */
  body: string;
  /** From where it came; null: not known. */
  address: string | null;
  receivedAt: Date;
  /** The secret that verified it, by name. */
  verifiedBy: string;
  status: DeliveryStatus;
  /** In words; null while it is PENDING for the first time. */
  outcome: string | null;
  attempts: number;
  /** How often a replay was asked for. */
  replays: number;
  processedAt: Date | null;
}

/** After so many attempts a delivery is FAILED, and waits for a replay. */
export const MAX_ATTEMPTS = 10;

/** Milliseconds until the next attempt: 2 s, doubling, at most 5 min. */
export const pauseAfter = (attempts: number): number => Math.min(2_000 * 2 ** (attempts - 1), 300_000);
