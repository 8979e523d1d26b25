import { KINDS, type AnyDefinition, type Kind } from '../core/definitions.ts';
import { closest, quote } from '../core/wording.ts';
import { isMap, nameOfType, type Path, type Report } from './codec.ts';
import { CODEFRESH_APIS, CODEFRESH_KINDS, codefreshForm } from './codefresh.ts';
import { SLUICE_API, sluiceForm, type Form } from './forms.ts';
import { readSources, type Position } from './source.ts';

export interface ManifestError extends Position {
  file?: string;
  /** Which document of the input, counted from 1. */
  document: number;
  /** Where in the manifest; empty when it could not be read at all. */
  path: Path;
  message: string;
}

export interface ParsedManifest {
  definition: AnyDefinition;
  apiVersion: string;
  /** What is read in another way than its author may expect. */
  warnings: string[];
  file?: string;
  document: number;
  /** Where the document begins. */
  position: Position;
  /** Where a path of the definition stands in the manifest, for refusals of `checkDefinition` and `checkFlow`. */
  positionOf: (path: Path) => Position;
}

/** The same as plain data, so that it can come from another thread; `placesIn` finds positions later. */
export interface PlainManifests {
  /** `text`: its own document as it is written, of the kinds that `ownTexts` keeps; null: of the others. */
  definitions: (Omit<ParsedManifest, 'positionOf'> & { text: string | null })[];
  errors: ManifestError[];
}

/** A part of one manifest of an input. */
export interface ManifestPlace {
  document: number;
  path: Path;
}

export interface ParsedManifests {
  definitions: ParsedManifest[];
  errors: ManifestError[];
}

const MAX_ERRORS = 100;

/** Kinds that are part of the vocabulary, but that nothing reads yet. */
const LATER: Record<string, string> = {
  RollbackPolicy: 'until then nothing is rolled back by itself',
};

/**
 * Reads manifests: YAML, one definition per document. What is right is returned even when something else is wrong;
 * the caller that applies them decides. Never throws, whatever the text.
 */
export function parseManifests(text: string, options: { fileName?: string } = {}): ParsedManifests {
  const file = options.fileName === undefined ? {} : { file: options.fileName };
  const definitions: ParsedManifest[] = [];
  const errors: ManifestError[] = [];
  const seen = new Map<string, ParsedManifest>();
  let document = 0;
  for (const source of readSources(text)) {
    document += 1;
    const add = (position: Position, path: Path, message: string) =>
      errors.push({ ...file, document, ...position, path, message });
    for (const { position, message } of source.problems) add(position, [], message);
    if (source.problems.length === 0 && source.value !== null && source.value !== undefined) {
      const report: Report = (path, message, at) => {
        // Finding a position walks the document: not for each of a hundred thousand wrong labels.
        if (errors.length < MAX_ERRORS) add(source.positionOf(path, at), path, message);
      };
      const read = readManifest(source.value, report);
      if (read) {
        const { wirePath, ...manifest } = read;
        const { kind, metadata } = manifest.definition;
        const earlier = seen.get(`${kind}/${metadata.name}`);
        if (earlier) {
          const where = `line ${earlier.positionOf(['metadata', 'name']).line}`;
          report(
            ['metadata', 'name'],
            `${kind} ${quote(metadata.name)} is in this input twice, first in ${where}; remove one`,
          );
        } else {
          const positionOf = (path: Path): Position => source.positionOf(wirePath(path));
          const parsed = { ...manifest, position: source.positionOf([]), positionOf, ...file, document };
          seen.set(`${kind}/${metadata.name}`, parsed);
          definitions.push(parsed);
        }
      }
    }
    if (errors.length >= MAX_ERRORS) break;
  }
  return { definitions, errors: errors.slice(0, MAX_ERRORS) };
}

/** Where parts of manifests stand, in the order of `places`; the same answers as `positionOf`, from the text alone. */
export function placesIn(text: string, places: readonly ManifestPlace[]): Position[] {
  const found = new Map(parseManifests(text).definitions.map((each) => [each.document, each]));
  return places.map(({ document, path }) => found.get(document)?.positionOf(path) ?? { line: 1, column: 1 });
}

/** What one manifest says. */
export type ReadManifest = Pick<ParsedManifest, 'definition' | 'apiVersion' | 'warnings'> & {
  /** Where in the manifest a path of the definition stands. */
  wirePath: (path: Path) => Path;
};

/** The definition in a manifest that is plain data already; undefined after reporting why there is none. */
export function readManifest(wire: unknown, report: Report): ReadManifest | undefined {
  if (!isMap(wire)) {
    report([], `a manifest is a map with apiVersion, kind, metadata and spec, but this is ${nameOfType(wire)}`);
    return undefined;
  }
  const kind = readKind(wire, report);
  const form = kind && readForm(wire, kind, report);
  if (!kind || !form) return undefined;
  let wrong = false;
  const noting: Report = (path, message, at) => {
    wrong = true;
    report(path, message, at);
  };
  for (const key of Object.keys(wire)) {
    if (['apiVersion', 'kind', 'metadata', 'spec'].includes(key)) continue;
    const near = closest(key, ['apiVersion', 'kind', 'metadata', 'spec']);
    noting(
      [key],
      `unknown field ${quote(key)}; ${near ? `did you mean ${near}?` : 'a manifest has apiVersion, kind, metadata and spec'}`,
      'key',
    );
  }
  for (const key of ['metadata', 'spec']) {
    if (wire[key] === undefined || wire[key] === null) noting([key], `the field ${key} is missing`);
  }
  if (wrong) return undefined;
  const warnings: string[] = [];
  const definition = form.read(wire, kind, noting, (message) => void warnings.push(message));
  if (wrong || !definition) return undefined;
  return {
    definition,
    apiVersion: String(wire.apiVersion),
    warnings: warnings.map((each) => `${kind} ${quote(definition.metadata.name)}: ${each}`),
    wirePath: (path) => form.wirePath(path, wire),
  };
}

function readKind({ kind }: Record<string, unknown>, report: Report): Kind | undefined {
  if (KINDS.includes(kind as Kind)) return kind as Kind;
  if (kind === undefined || kind === null) report([], `the field kind is missing; it is one of ${KINDS.join(', ')}`);
  else if (typeof kind !== 'string') report(['kind'], `must be one of ${KINDS.join(', ')}, but is ${nameOfType(kind)}`);
  else if (Object.hasOwn(LATER, kind)) {
    report(['kind'], `kind ${kind} is not available yet: it comes in a later version of Sluice; ${LATER[kind]}`);
  } else {
    const near = closest(kind, KINDS);
    report(
      ['kind'],
      `unknown kind ${quote(kind)}; ${near ? `did you mean ${near}?` : `it is one of ${KINDS.join(', ')}`}`,
    );
  }
  return undefined;
}

function readForm({ apiVersion }: Record<string, unknown>, kind: Kind, report: Report): Form | undefined {
  if (apiVersion === SLUICE_API) return sluiceForm;
  if (CODEFRESH_APIS.includes(apiVersion as string)) {
    if (CODEFRESH_KINDS.includes(kind)) return codefreshForm;
    report(['apiVersion'], `${quote(apiVersion)} has no kind ${kind}; use ${SLUICE_API}`);
  } else if (apiVersion === undefined || apiVersion === null) {
    report([], `the field apiVersion is missing; use ${SLUICE_API}`);
  } else {
    const choices = CODEFRESH_KINDS.includes(kind) ? [SLUICE_API, ...CODEFRESH_APIS] : [SLUICE_API];
    report(['apiVersion'], `unknown apiVersion ${quote(apiVersion)} for kind ${kind}; use ${choices.join(' or ')}`);
  }
  return undefined;
}

/** `billing.yaml:12:7: spec.steps[2].dependsOn[0]: …`, as compilers print it and editors read it. */
export function formatManifestError({ file = 'manifests', line, column, path, message }: ManifestError): string {
  const where = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
  return `${file}:${line}:${column}: ${where ? `${where}: ` : ''}${message}`;
}
