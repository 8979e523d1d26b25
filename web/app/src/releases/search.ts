import type { ReleaseStatus } from '../generated/documents.ts';

/** The filters of the list as they stand in the URL. */
export interface ReleasesSearch {
  product?: string;
  environment?: string;
  status?: ReleaseStatus[];
  /** The cursor behind which the page begins; undefined: the newest. */
  after?: string;
}

const STATUSES: ReleaseStatus[] = [
  'QUEUED',
  'RUNNING',
  'SUSPENDED',
  'SUCCEEDED',
  'FAILED',
  'TERMINATING',
  'TERMINATED',
];

/** An address that somebody typed can say anything: what is not known is left out. */
export function releasesSearch(typed: Record<string, unknown>): ReleasesSearch {
  const asked: unknown[] = Array.isArray(typed['status']) ? typed['status'] : [typed['status']];
  const status = STATUSES.filter((each) => asked.includes(each));
  return {
    product: text(typed['product']),
    environment: text(typed['environment']),
    status: status.length > 0 ? status : undefined,
    after: text(typed['after']),
  };
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

export { STATUSES as RELEASE_STATUSES };
