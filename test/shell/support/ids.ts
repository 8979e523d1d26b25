import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Random } from '../../../chaos/random.ts';

/**
 * While a world is played the ids of releases come from its seed, too: statements over several releases name them in the order of
 * their ids, and the pauses between tries are spread by them. Whatever else is drawn comes from it as well. @returns what puts the real
 * ones back.
 */
export function drawIds(random: Random): () => void {
  const { randomUUID } = crypto;
  const { random: chance } = Math;
  const hex = (length: number): string => Array.from({ length }, () => random.whole(0, 15).toString(16)).join('');
  const drawn = (): ReturnType<typeof randomUUID> => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  replace(drawn);
  Math.random = () => random.next();
  return () => {
    replace(randomUUID);
    Math.random = chance;
  };
}

function replace(made: typeof crypto.randomUUID): void {
  crypto.randomUUID = made;
  syncBuiltinESMExports();
}
