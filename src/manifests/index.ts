/** Manifests: YAML ↔ definitions, with line and column in errors. */
export { formatDuration, parseDuration } from './duration.ts';
export { diffManifests, exportManifest, exportManifests, sameDefinition } from './export.ts';
export {
  formatManifestError,
  parseManifests,
  type ManifestError,
  type ParsedManifest,
  type ParsedManifests,
} from './parse.ts';
export { MAX_BYTES, MAX_DOCUMENTS, type Position } from './source.ts';
