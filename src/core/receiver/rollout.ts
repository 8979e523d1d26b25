import { openEnvelope, shown } from './envelope.ts';

/** How a rollout went, as its sender says. */
export const ROLLOUT_STATUSES = ['SUCCEEDED', 'FAILED', 'ROLLED_BACK', 'UNKNOWN'] as const;

/** What an outside system tells about a rollout. */
export interface RolloutMessage {
  product: string;
  environment: string;
  /** What is live there, or on its way there, when left out. */
  version?: string;
  status: (typeof ROLLOUT_STATUSES)[number];
  message?: string;
  at?: Date;
}

const FIELDS = { product: 1_000, environment: 1_000, version: 1_000, status: 1_000, message: 10_000, at: 1_000 };

/** Reads a body of the type `rollout.report`. @returns why it is none, in words, when it is none. */
export function readRollout(body: string): RolloutMessage | { wrong: string } {
  const told = openEnvelope(body, 'rollout.report', FIELDS);
  if ('wrong' in told) return told;
  const { product, environment, version, status, message, at } = told as Record<string, string | null | undefined>;
  if (!product || !environment) return { wrong: 'product and environment are needed' };
  const known = ROLLOUT_STATUSES.find((each) => each === status?.toUpperCase());
  if (!known) return { wrong: `the status ${shown(status)} must be one of ${ROLLOUT_STATUSES.join(', ')}` };
  const seen = at ? new Date(at) : undefined;
  if (seen && Number.isNaN(seen.getTime())) return { wrong: `at is ${shown(at)}, which is not a time in ISO 8601` };
  return {
    product,
    environment,
    status: known,
    ...(version && { version }),
    ...(message && { message }),
    ...(seen && { at: seen }),
  };
}
