import { Initial1764000000000 } from './1764000000000-initial.ts';

/** In the order in which they run; a released one is never changed. */
export const migrations = [Initial1764000000000];
