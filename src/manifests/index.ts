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
export { type Position } from './source.ts';
