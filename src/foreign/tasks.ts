import type { AppliedValues, OnMissing, PathValues, SelectedValues } from '../drivers/edit/index.ts';
import { applyValues, selectIn, selectValues } from '../drivers/edit/index.ts';
import { readWorkflow } from '../drivers/argo-workflows/read.ts';
import { readApplication, readError, readTree, readWindows } from '../drivers/argocd/read.ts';
import { PermanentError } from '../drivers/driver.ts';
import { ownTexts, parseManifests, placesIn } from '../manifests/index.ts';
import type { ManifestPlace, ParsedManifest, PlainManifests, Position } from '../manifests/index.ts';

import { editManifests } from './edit-manifests.ts';
import type { ManifestEdit } from './edit-manifests.ts';

interface AppliedTo {
  file: string;
  text: string;
  values: PathValues[];
  onMissing: OnMissing;
}

/** What a reader can be asked for: pure functions of plain data, by name. */
export const TASKS = {
  parseManifests: ({ text, fileName }: { text: string; fileName?: string }): PlainManifests => {
    const { definitions, errors } = parseManifests(text, { fileName });
    const own =
      errors.length > 0
        ? new Map<string, string>()
        : ownTexts(
            text,
            definitions.map(({ definition }) => definition),
          );
    const textOf = ({ definition: { kind, metadata } }: ParsedManifest): string | null =>
      own.get(`${kind}/${metadata.name}`) ?? null;
    return {
      definitions: definitions.map(({ positionOf: _, ...plain }, at) => ({ ...plain, text: textOf(definitions[at]!) })),
      errors,
    };
  },
  selectValues: ({ file, text, paths }: { file: string; text: string; paths: string[] }): SelectedValues =>
    selectValues(file, text, paths),
  applyValues: ({ file, text, values, onMissing }: AppliedTo): AppliedValues => {
    const applied = applyValues(file, text, values, { onMissing });
    // The text is known on the other side.
    return applied.changed ? applied : { ...applied, text: '' };
  },
  /** The first value that each path selects in a JSON text, as text; null for those that select none. */
  selectInJson: ({ text, paths }: { text: string; paths: string[] }): (string | null)[] => {
    const root = parseJson(text);
    return paths.map((path) => {
      const [value] = selectIn(root, path);
      return value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
    });
  },
  /** Answers of Argo CD, as what decides of them. */
  argoApplication: ({ text }: { text: string }) => readApplication(parseJson(text)),
  argoTree: ({ text }: { text: string }) => readTree(parseJson(text)),
  argoWindows: ({ text }: { text: string }) => readWindows(parseJson(text)),
  /** An answer of Argo Workflows. */
  argoWorkflow: ({ text }: { text: string }) => readWorkflow(parseJson(text)),
  /** What an answer of either says that is an error. */
  argoError: ({ text }: { text: string }): string => readError(parseJson(text)),
  /** Whether regular expressions of a host fit texts; null for those that are none here, or are of another dialect. */
  fits: ({ asked }: { asked: { expression: string; text: string }[] }): (boolean | null)[] =>
    asked.map(({ expression, text }) => {
      try {
        return new RegExp(expression, 'u').test(text);
      } catch {
        return null;
      }
    }),
  editManifests: ({
    file,
    text,
    edits,
  }: {
    file: string;
    text: string;
    edits: ManifestEdit[];
  }): { text: string | null } => ({
    text: editManifests(file, text, edits),
  }),
  placesIn: ({ text, places }: { text: string; places: ManifestPlace[] }): Position[] => placesIn(text, places),
};

export type Tasks = typeof TASKS;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PermanentError('it is not JSON, so nothing can be read from it');
  }
}
