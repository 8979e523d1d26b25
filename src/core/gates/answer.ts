interface Answered {
  /** `wait` may become `pass` by itself or by `who`; `fail` is the end of the promotion. */
  verdict: 'pass' | 'wait' | 'fail';
  reason: string;
  /** What can end the waiting, in words. */
  who?: string;
  /** When it may end by itself, in milliseconds since the epoch; absent: nobody knows. */
  recheckAt?: number;
}

/** Kept as the evidence of a start: a field that is published or stored stays. */
export type GateAnswer = Answered &
  (
    | { gate: 'DEPENDENCIES' | 'GROUP' | 'LIVE' | 'LIMIT' }
    /** `release`: the one that is at work there. */
    | { gate: 'ENVIRONMENT'; release?: string }
    /** Ids of the holds that decide; where it passes, those that end with the start. */
    | { gate: 'HOLD'; holds: string[] }
    /** Ids of the marks on the version that decide. */
    | { gate: 'VERSION'; badVersions: string[] }
    /** The windows that decide. `pauses`: one of them holds work that is on its way, too, when it closes. */
    | { gate: 'WINDOW'; windows: string[]; pauses?: boolean }
    /** When an approval that is asked for expires. */
    | { gate: 'APPROVAL'; expiresAt?: number }
  );

export type GateName = GateAnswer['gate'];
export type AnswerOf<N extends GateName> = Answered & { gate: N } & Extract<GateAnswer, { gate: N }>;
