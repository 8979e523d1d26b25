import type { ArgoCdSpec, HealthStatus } from '../../core/definitions.ts';
import type { Awaited } from '../../core/release.ts';

/** Whose health is asked, and since when it counts. */
export interface HealthContext {
  application: string;
  environment: string;
  product: string;
  /** What people call the version that is there. */
  version?: string;
  /** When the change was applied; `simulate` counts its intervals from here. */
  since: Date;
  now: Date;
  /** The Argo CD application that the application's `sync` names, for `argocd`. */
  argoCd?: ArgoCdSpec;
  /** The newest report for the application not older than `since`, for `report`. */
  report?: HealthReport;
  signal: AbortSignal;
}

/** The last report of an application's health. */
export interface HealthReport {
  status: HealthStatus;
  message?: string;
  at: Date;
  /** When a report of DEGRADED or PROGRESSING came the last time, by our clock. */
  unhealthyAt?: Date;
}

/** How an application is, as its source tells. */
export interface HealthAnswer {
  status: HealthStatus;
  message?: string;
  /** When it was seen; just now when absent. */
  at?: Date;
  /** When it was last known to be DEGRADED or PROGRESSING; absent where the source cannot tell. */
  unhealthyAt?: Date;
  /** When to ask again when not final; absent: a report will come. */
  recheckAfter?: number;
  /** It goes on when a person has done something. */
  waitsFor?: Awaited;
}
