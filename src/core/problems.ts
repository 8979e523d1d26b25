/** An expected refusal: a value, not an exception. `path` is where in the input the reason stands. */
export interface Refusal {
  code: RefusalCode;
  /** Names the thing and the value, and says what would be right. */
  message: string;
  path: (string | number)[];
  /** For WINDOW_CLOSED: which windows decide, and when they open (milliseconds since the epoch; null: not foreseen). */
  closed?: { windows: string[]; nextOpen: number | null };
}

/** Why something is refused; published, so none goes away. */
export const REFUSAL_CODES = [
  'INVALID',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'CONFLICT',
  'CYCLE',
  'UNREACHABLE',
  'DUPLICATE',
  'UNKNOWN_REFERENCE',
  'IN_USE',
  'NO_APPLICATION',
  'SOURCE_UNREACHABLE',
  'AMBIGUOUS_FLOW',
  'NO_FLOW',
  'QUEUE_FULL',
  'IDEMPOTENCY_MISMATCH',
  'WRONG_STATE',
  'NOT_AN_APPROVER',
  'NO_ENCRYPTION_KEY',
  'WINDOW_CLOSED',
  'VERSION_MARKED_BAD',
  'FORBIDDEN',
  'READ_ONLY',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A refusal whose message names the thing, the value and the cure; `path` is the place in the input. */
export function refusal(code: RefusalCode, message: string, path: (string | number)[] = []): Refusal {
  return { code, message, path };
}

/** Thrown where a refusal must cross a transaction's boundary; commands turn it into a value again. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly refusals: Refusal[];
  constructor(refusals: Refusal[], options?: { cause: unknown }) {
    super(refusals.map((each) => each.message).join('; '), options);
    this.refusals = refusals;
  }
}

/** What went wrong while working, as it is kept and shown. */
export interface Problem {
  message: string;
  /** ISO 8601, UTC. */
  at: string;
  environment?: string;
  step?: string;
  attempt?: number;
}

/** Each once, by its place and its words. */
export function distinct(refusals: Refusal[]): Refusal[] {
  return [...new Map(refusals.map((each) => [JSON.stringify([each.path, each.message]), each])).values()];
}
