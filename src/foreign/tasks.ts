import { parseManifests, placesIn } from '../manifests/index.ts';
import type { ManifestPlace, PlainManifests, Position } from '../manifests/index.ts';

/** What a thread can be asked for: pure functions of plain data, by name. */
export const TASKS = {
  parseManifests: ({ text, fileName }: { text: string; fileName?: string }): PlainManifests => {
    const { definitions, errors } = parseManifests(text, { fileName });
    return { definitions: definitions.map(({ positionOf: _, ...plain }) => plain), errors };
  },
  placesIn: ({ text, places }: { text: string; places: ManifestPlace[] }): Position[] => placesIn(text, places),
};

export type Tasks = typeof TASKS;
