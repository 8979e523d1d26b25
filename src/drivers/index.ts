import type { DriverSpec, HealthSourceSpec, WorkflowAction } from '../core/definitions.ts';
import { runAction } from './actions/index.ts';
import type { Driver, EffectContext, HealthAnswer, HealthContext } from './driver.ts';
import type { GitSettings } from './git/driver.ts';
import { createGitDriver } from './git/driver.ts';
import { checkHealth } from './health/index.ts';
import { HttpClient } from './http.ts';
import { NetworkGuard } from './network/guard.ts';
import { createSimulateDriver } from './simulate.ts';

export interface DriverSettings {
  git: Omit<GitSettings, 'guard'>;
  /** What may be called besides public addresses, as `parseAllowed` answers it. */
  allowedNetworks: readonly string[];
}

/** The outside world, as the jobs see it. */
export interface Drivers {
  driver<S extends DriverSpec>(spec: S): Driver<S>;
  checkHealth(source: HealthSourceSpec, context: HealthContext): Promise<HealthAnswer>;
  runAction(
    action: WorkflowAction,
    parameters: Record<string, string>,
    context: EffectContext,
  ): Promise<Record<string, string>>;
}

/** One per process: drivers keep caches and their locks. */
export function createDrivers(settings: DriverSettings): Drivers {
  const guard = new NetworkGuard(settings.allowedNetworks);
  const http = new HttpClient(guard);
  const byType = { git: createGitDriver({ ...settings.git, guard }), simulate: createSimulateDriver() };
  return {
    // The table's keys are the specs' types, which the compiler does not follow through an index.
    driver: <S extends DriverSpec>(spec: S) => byType[spec.type] as unknown as Driver<S>,
    checkHealth: (source, context) => checkHealth(source, context, http),
    runAction: (action, parameters, context) => runAction(action, parameters, context, http),
  };
}
