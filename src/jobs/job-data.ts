/** Jobs carry ids, never decisions: whoever takes one looks at the state first. */
export interface PromoteData {
  releaseId: string;
  promotion: number;
  attempt: number;
  dispatch: number;
}

/** One of several steps that became ready together: a sibling below the environment's job. */
export interface StepData extends PromoteData {
  step: number;
  parent: string;
}

export interface JoinData {
  releaseId: string;
}

export interface AskData {
  releaseId: string;
  group: number;
  generation: number;
}

export type JobName = 'promote' | 'step' | 'join' | 'ask';
export type JobData = PromoteData | StepData | JoinData | AskData;

/** Deterministic, so that handing a job over twice is handing it over once. `:` is not allowed in BullMQ's ids. */
export const promoteId = (data: PromoteData): string =>
  `${data.releaseId}-p${data.promotion}-a${data.attempt}-d${data.dispatch}`;
export const stepId = (data: PromoteData, step: number): string => `${promoteId(data)}-s${step}`;
export const askId = (data: AskData): string => `${data.releaseId}-g${data.group}-q${data.generation}`;
/** `key`: of the outbox row that asks for the flow. */
export const joinId = (key: string): string => `${key}-join`;
