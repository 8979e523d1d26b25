import type { HealthAnswer } from './source.ts';

/** Nothing to ask: the change itself is all there is to go by. */
export const checkNone = (): HealthAnswer => ({ status: 'HEALTHY', message: 'no health source' });
