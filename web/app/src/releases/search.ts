import type { ReleaseFilterInput, ReleaseKind, ReleaseStatus } from '../generated/documents.ts';
import { dayOf, textOf } from '../parts/address.ts';

/** The filters of the list as they stand in the URL. */
export interface ReleasesSearch {
  product?: string;
  environment?: string;
  flow?: string;
  kind?: ReleaseKind;
  actor?: string;
  status?: ReleaseStatus[];
  /** Only what a person should look at. */
  attention?: true;
  /** Part of a version, of `billing#42`, of a flow or of a name. */
  text?: string;
  commit?: string;
  /** Days of the viewer's calendar, both included: `2026-11-29`. */
  since?: string;
  until?: string;
  /** The cursor behind which the page begins; undefined: the newest. */
  after?: string;
}

export const RELEASE_STATUSES: ReleaseStatus[] = [
  'QUEUED',
  'RUNNING',
  'SUSPENDED',
  'SUCCEEDED',
  'FAILED',
  'TERMINATING',
  'TERMINATED',
];
export const RELEASE_KINDS: ReleaseKind[] = ['FORWARD', 'ROLLBACK'];

/** An address that somebody typed can say anything: what is not known is left out. */
export function releasesSearch(typed: Record<string, unknown>): ReleasesSearch {
  const asked: unknown[] = Array.isArray(typed['status']) ? typed['status'] : [typed['status']];
  const status = RELEASE_STATUSES.filter((each) => asked.includes(each));
  return {
    product: textOf(typed['product']),
    environment: textOf(typed['environment']),
    flow: textOf(typed['flow']),
    kind: RELEASE_KINDS.find((each) => each === typed['kind']),
    actor: textOf(typed['actor']),
    status: status.length > 0 ? status : undefined,
    attention: typed['attention'] === true ? true : undefined,
    text: textOf(typed['text']),
    commit: textOf(typed['commit']),
    since: dayOf(typed['since']),
    until: dayOf(typed['until']),
    after: textOf(typed['after']),
  };
}

/** The filter of the API that the address asks for. Days begin and end where the viewer is. */
export function toFilter(search: ReleasesSearch): ReleaseFilterInput {
  const { product, environment, flow, kind, actor, status, attention, text, commit, since, until } = search;
  return {
    product,
    environment,
    flow,
    kind,
    actor,
    status,
    needsAttention: attention,
    text,
    // The API takes seven digits or more.
    commit: commit !== undefined && commit.length >= 7 ? commit : undefined,
    since: since === undefined ? undefined : startOf(since, 0),
    until: until === undefined ? undefined : startOf(until, 1),
  };
}

function startOf(day: string, daysLater: number): string {
  const at = new Date(`${day}T00:00`);
  at.setDate(at.getDate() + daysLater);
  return at.toISOString();
}
