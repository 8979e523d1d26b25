import { vi } from 'vitest';
import { PATIENCE } from './patience.ts';

/** Looks again until it throws nothing. @returns what it returned then */
export const eventually = <T>(look: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: PATIENCE, interval: 20 });
