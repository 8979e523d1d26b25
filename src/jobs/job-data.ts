/** Jobs carry ids, never decisions: a worker that takes one looks at the state first. */
export interface PromoteData {
  releaseId: string;
  promotion: number;
  attempt: number;
  dispatch: number;
  /** A join waits for this job, to ask a group: it goes on with nothing else. */
  joined?: boolean;
}

/** One of several steps that became ready together: a sibling below the environment's job. */
export interface StepData extends PromoteData {
  step: number;
  parent: string;
}

/** The parent of promotions that started together; the gates of their groups are asked when all have ended. */
export interface JoinData {
  releaseId: string;
}

/** A gate of a group that is asked; `generation` counts its questions. */
export interface AskData {
  releaseId: string;
  group: number;
  generation: number;
}

/** What jobs of the queue are called. */
export type JobName = 'promote' | 'step' | 'join' | 'ask';

/** What a job of the queue carries. */
export type JobData = PromoteData | StepData | JoinData | AskData;

/** Deterministic, so that handing a job over twice is handing it over once. `:` is not allowed in BullMQ's ids. */
export const promoteId = (data: PromoteData): string =>
  `${data.releaseId}-p${data.promotion}-a${data.attempt}-d${data.dispatch}`;
/** The id of the job of one step below the job that carries its promotion. */
export const stepId = (data: PromoteData, step: number): string => `${promoteId(data)}-s${step}`;

/** The id of the job that asks a gate: one for each question. */
export const askId = (data: AskData): string => `${data.releaseId}-g${data.group}-q${data.generation}`;
/** `key`: of the outbox row that asks for the flow. */
export const joinId = (key: string): string => `${key}-join`;

/** How the state of a release names a job that carries something: its id without the release's; null: it is no job of that release. */
export const nameOf = (releaseId: string, jobId: string): string | null =>
  jobId.startsWith(`${releaseId}-`) ? jobId.slice(releaseId.length + 1) : null;
/** The id of the job that a state names. */
export const namedJob = (releaseId: string, name: string): string => `${releaseId}-${name}`;
