import type { People } from './people.ts';
import type { Processes } from './processes.ts';
import type { Proposals } from './proposals.ts';
import type { Pushes } from './pushes.ts';

/** Who acts in a world. */
export interface Rooms {
  processes: Processes;
  people: People;
  pushes: Pushes;
  proposals: Proposals;
}
