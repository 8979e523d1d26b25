import type { ApiContext } from '../schema/context.ts';
import type { Db } from '../store/reads.ts';

/** Where lists and the log are read for the caller. */
export const readsOf = ({ app, limitedAs }: ApiContext): Db => app.reads.of(limitedAs);
