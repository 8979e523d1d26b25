import type { Call, HowToMerge, MergeAnswer } from './forge.ts';
import type { GitLabProject } from './gitlab-project.ts';
import { isOnItsWay, knownOf, seenOf } from './gitlab-request.ts';
import { meaningOf, quoteWords } from './refusals.ts';

/** A merge request on a merge train; its pipeline runs on the commit that is to become the branch. */
interface Car {
  status: string;
  pipeline?: { sha: string; ref: string } | null;
}

/** Of a car: before and while it is merged. `merged` and `skip_merged` are what it was. */
const RIDES = new Set(['idle', 'fresh', 'stale', 'merging']);

/**
 * GitLab merges it in its turn, once the pipelines of its head and of the train have passed.
 * @param what for messages: `merge merge request !7`
 */
export async function boardTrain(
  project: GitLabProject,
  number: number,
  { sha, method, what }: HowToMerge & { what: string },
  call: Call,
): Promise<MergeAnswer> {
  const body = { sha, auto_merge: true, ...(method && { squash: method === 'SQUASH' }) };
  const { status, words } = await project.ask('POST', pathOf(number), { what, body, accept: [400, 409] }, call);
  if (status === 409 && meaningOf('gitlab', { status, words }) === 'FINAL')
    throw project.refusal(what, { status, words });
  // While GitLab still works out whether there are conflicts it answers that it did it, and does nothing.
  const now = await project.request(number, call);
  const known = knownOf(now, sha);
  if (known) return known;
  if (isOnItsWay(now) || (await carOf(project, number, call))) return { kind: 'QUEUED' };
  const why = words === '' ? seenOf(now).blocked : quoteWords(words);
  return { kind: 'NOT_YET', why: why ?? 'GitLab has not taken it into the merge train yet' };
}

/** The commit of the train that is to become the branch; undefined: there is none. Before it boards its pipeline is that of its branch. */
export async function trainCommit(project: GitLabProject, number: number, call: Call): Promise<string | undefined> {
  const pipeline = (await carOf(project, number, call))?.pipeline;
  return pipeline?.ref === `refs/merge-requests/${number}/train` ? pipeline.sha : undefined;
}

/** Undefined: it is on no train. */
async function carOf(project: GitLabProject, number: number, call: Call): Promise<Car | undefined> {
  const ask = { what: `see the merge train of !${number}`, accept: [403, 404] };
  const { status, data } = await project.ask('GET', pathOf(number), ask, call);
  const car = status === 200 ? (data as Car) : undefined;
  return car && RIDES.has(car.status) ? car : undefined;
}

const pathOf = (number: number): string => `/merge_trains/merge_requests/${number}`;
