import type { DriverSpec, WorkflowAction } from '../core/definitions.ts';
import { runAction } from './actions/index.ts';
import type { Driver, EffectContext } from './driver.ts';
import type { GitSettings } from './git/driver.ts';
import { createGitDriver } from './git/driver.ts';
import { checkHealth } from './health/index.ts';
import { createSimulateDriver } from './simulate.ts';

export interface DriverSettings {
  git: GitSettings;
}

/** The outside world, as the jobs see it. */
export interface Drivers {
  driver<S extends DriverSpec>(spec: S): Driver<S>;
  checkHealth: typeof checkHealth;
  runAction(
    action: WorkflowAction,
    parameters: Record<string, string>,
    context: EffectContext,
  ): Promise<Record<string, string>>;
}

/** One per process: drivers keep caches and their locks. */
export function createDrivers(settings: DriverSettings): Drivers {
  const byType = { git: createGitDriver(settings.git), simulate: createSimulateDriver() };
  return {
    // The table's keys are the specs' types, which the compiler does not follow through an index.
    driver: <S extends DriverSpec>(spec: S) => byType[spec.type] as unknown as Driver<S>,
    checkHealth,
    runAction,
  };
}
