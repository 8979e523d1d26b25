import { SECOND } from '../../core/support/builders.ts';
import { LIMITS } from '../../../src/limits.ts';
import type { Limits } from '../../../src/limits.ts';
import type { Drawn, Mood } from './definitions.ts';
import type { Fate } from './scheduler.ts';

/** Where the moods press: between a look and its record, at the release that is in the way, at the word that something has to stop. */
export const SORE: { [mood in Mood]?: [place: string, ...fates: Fate[]][] } = {
  REPORTS: [
    ['store/health-reports newestHealthReport', 'answer late'],
    ['store/health-reports saveHealthReport', 'answer lost', 'answer late'],
  ],
  CROWD: [
    ['store/load-releases loadFrozen', 'fails', 'cut before'],
    ['store/unfinished queuedReleases', 'answer late'],
  ],
  // Between the look at those who wait and the word that ends the first of them, its turn comes.
  ROOM: [['store/unfinished queuedReleases', 'answer late']],
  STOPS: [['notice sluice_abort', 'lost']],
};

/** So small that a handful of releases lies beyond every horizon, and everything pushes everything else out. */
const SMALL: Limits = {
  ...LIMITS,
  releasesRemembered: 1,
  statesRemembered: 2,
  releasesPerTransaction: 4,
  openReleases: 2,
  releasesPerRound: 2,
  outboxRows: 3,
  releasesTold: 2,
  releasesTicked: 2,
  rollbacksSettled: 2,
  lifted: 2,
  wakeUps: 2,
  rowsPerSave: 2,
  observations: 2,
  observeEvery: 15 * SECOND,
  stopsEvery: 5 * SECOND,
  candidates: 2,
  candidatesEvery: 2 * SECOND,
  statuses: 4,
  statusesEvery: 2 * SECOND,
};
/** Where nobody pushes, looks at what is pushed only take time. */
export const SELDOM = 20 * SECOND;

/** The horizons of a world. */
export const limitsOf = ({ pushed, proposed }: Drawn): Limits => ({
  ...SMALL,
  ...(pushed.length === 0 && { candidatesEvery: SELDOM }),
  ...(pushed.length === 0 && proposed === null && { statusesEvery: SELDOM }),
});
