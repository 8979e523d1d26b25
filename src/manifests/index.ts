/** Manifests: YAML ↔ definitions, with line and column in errors. */
export { formatDuration, parseDuration } from '../core/duration.ts';
export { carried, entryName } from './carry.ts';
export {
  diffManifests,
  diffWords,
  exportManifest,
  exportManifests,
  MOST_EDITS,
  sameDefinition,
  wholePatch,
  wireOf,
} from './export.ts';
export { isKeptAsText, ownTexts, sameWords } from './own-texts.ts';
export {
  formatManifestError,
  parseManifests,
  placesIn,
  readManifest,
  type ManifestError,
  type ManifestPlace,
  type ParsedManifest,
  type ParsedManifests,
  type PlainManifests,
  type ReadManifest,
} from './parse.ts';
export { type Position } from './source.ts';
