/** Manifests: YAML ↔ definitions, with line and column in errors. */
export { formatDuration, parseDuration } from '../core/duration.ts';
export { diffManifests, exportManifest, exportManifests, sameDefinition } from './export.ts';
export {
  formatManifestError,
  parseManifests,
  placesIn,
  type ManifestError,
  type ManifestPlace,
  type ParsedManifest,
  type ParsedManifests,
  type PlainManifests,
} from './parse.ts';
export { MAX_BYTES, MAX_DOCUMENTS, type Position } from './source.ts';
