import { openEnvelope, shown } from './envelope.ts';

/** What an outside system decides about one attempt of a promotion. */
export interface DecisionMessage {
  release: string;
  /** The environment's name, or the workflow step's. */
  environment: string;
  /** The step that asks: its id, or the name of its action; left out where the start of the promotion is decided on. */
  step?: string;
  decision: 'approve' | 'reject';
  /**
   * Always the same for the same message, whenever it is processed: a decision that came late, or is replayed, never counts
   * for an attempt that its sender does not know of.
   */
  attempt: number;
  comment?: string;
}

const FIELDS = { release: 100, environment: 1_000, step: 1_000, decision: 100, attempt: 0, comment: 2_000 };
const DECISIONS = { APPROVE: 'approve', REJECT: 'reject' } as const;

/** Reads a body of the type `approval.decision`. @returns why it is none, in words, when it is none. */
export function readDecision(body: string): DecisionMessage | { wrong: string } {
  const told = openEnvelope(body, 'approval.decision', FIELDS);
  if ('wrong' in told) return told;
  const { release, environment, step, decision, comment } = told as Record<string, string | null | undefined>;
  if (!release || !environment) return { wrong: 'release and environment are needed' };
  const known = DECISIONS[decision?.toUpperCase() as keyof typeof DECISIONS] as DecisionMessage['decision'] | undefined;
  if (!known) return { wrong: `the decision ${shown(decision)} must be one of ${Object.keys(DECISIONS).join(', ')}` };
  const attempt = (told.attempt as number | null | undefined) ?? 1;
  return { release, environment, decision: known, attempt, ...(step && { step }), ...(comment && { comment }) };
}
