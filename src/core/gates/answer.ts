/** All gates answer alike. */
interface Answered {
  /** `wait` may become `pass` by itself or by `who`; `fail` is the end of the promotion. */
  verdict: 'pass' | 'wait' | 'fail';
  reason: string;
  /** What can end the waiting, in words. */
  who?: string;
  /** When it may end by itself, in milliseconds since the epoch; absent: not known. */
  recheckAt?: number;
}

/** What the answer of each gate says besides. The answers are kept as the evidence of a start: what stands here stays. */
interface Details {
  DEPENDENCIES: unknown;
  /** `release`: the one that is at work there. */
  ENVIRONMENT: { release?: string };
  GROUP: unknown;
  /** Ids of the holds that decide; where it passes, those that end with the start. */
  HOLD: { holds: string[] };
  /** Ids of the marks on the version that decide. */
  VERSION: { badVersions: string[] };
  /** The windows that decide. `pauses`: one of them holds work that is on its way, too, when it closes. */
  WINDOW: { windows: string[]; pauses?: boolean };
  /** When an approval that is asked for expires. */
  APPROVAL: { expiresAt?: number };
  LIVE: unknown;
  LIMIT: unknown;
}

export type GateName = keyof Details;
export type AnswerOf<N extends GateName> = N extends GateName ? Answered & { gate: N } & Details[N] : never;
export type GateAnswer = AnswerOf<GateName>;

/** A window that let it start, or holds it, stops what is on its way when it closes. */
export function pauses(answer: GateAnswer): boolean {
  return answer.gate === 'WINDOW' && answer.pauses === true;
}
