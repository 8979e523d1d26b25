import { childIn, isPlainMap, plain, type Plain, type PlainMap } from '../../../../../src/drivers/edit/node.ts';
import { readSimilarYaml, type YamlText } from '../../../../../src/drivers/edit/yaml-document.ts';
import type { AnyDefinition } from '../../../../../src/core/definitions.ts';
import { parseManifests, readManifest } from '../../../../../src/manifests/index.ts';
import { problemAt } from './places.ts';
import { type FlowDefinition, readingOf, withReading, type Reading } from './reading.ts';
import type { FlowDocument, FlowProblem, Path } from './types.ts';

/**
 * Reads a text. `before` is the document that it was changed from: its flow stays in sight while the new text cannot be read, and what both
 * have in common need not be read again. Never throws, whatever the text.
 */
export function openDocument(text: string, before?: FlowDocument): FlowDocument {
  const last = before && readingOf(before);
  const { reading, isWhole, problem } = readDefinition<FlowDefinition>(text, FLOW, last);
  const document = withReading(
    {
      text,
      flow: reading
        ? { name: reading.definition.metadata.name, spec: reading.definition.spec }
        : (before?.flow ?? null),
      isCurrent: reading !== undefined,
      faults: [],
    },
    reading ?? last,
  );
  if (isWhole) return document;
  return withReading({ ...document, faults: faultsOf(document, problem) }, reading ?? last);
}

/** What is looked for in a text, and what it has before anything is said of it. */
export interface Sought {
  kind: AnyDefinition['kind'];
  emptySpec: PlainMap;
  /** For people, with its article left out. */
  called: string;
}

const FLOW: Sought = {
  kind: 'PromotionFlow',
  emptySpec: { triggerEnvironment: '', steps: [] },
  called: 'flow',
};

interface Read<D> {
  reading?: Reading<D>;
  /** Whether it is all that the text says, and nothing is missing. */
  isWhole: boolean;
  /** What to say where the server's reader would find nothing wrong. */
  problem?: string;
}

/** The first definition of a kind in a text; what it lacks is empty. `last`: of a similar text. */
export function readDefinition<D extends AnyDefinition>(
  text: string,
  { kind, emptySpec, called }: Sought,
  last?: Pick<Reading<D>, 'parts'>,
): Read<D> {
  let documents: Plain[];
  let parts: YamlText['parts'];
  try {
    const similar = readSimilarYaml(text, last?.parts);
    documents = similar.documents.map(({ root }) => (root ? plain(root) : null));
    parts = similar.parts;
  } catch (error) {
    return { isWhole: false, problem: `the text ${(error as Error).message}` };
  }
  const at = documents.findIndex((each) => childIn(each, 'kind') === kind);
  const wire = documents[at];
  if (!isPlainMap(wire))
    return { isWhole: false, problem: `the text holds no ${called}: write a manifest of the kind ${kind}` };
  for (const manifest of [wire, withEmptyParts(wire, emptySpec)]) {
    const problems: string[] = [];
    const read = readManifest(manifest, (_, message) => void problems.push(message));
    if (read?.definition.kind !== kind || problems.length > 0) continue;
    const isWhole = manifest === wire && documents.length === 1;
    return {
      reading: { text, at, definition: read.definition as D, wire, wirePath: read.wirePath, parts },
      isWhole,
    };
  }
  return { isWhole: false, problem: `the text cannot be read as a ${called}` };
}

/** A draft is shown before it is complete: what it lacks is empty. */
function withEmptyParts(wire: PlainMap, emptySpec: PlainMap): Plain {
  const filled = (part: Plain, empty: PlainMap): Plain => {
    if (part !== null && !isPlainMap(part)) return part;
    return { ...part, ...Object.fromEntries(Object.entries(empty).map(([key, value]) => [key, part?.[key] ?? value])) };
  };
  return {
    ...wire,
    metadata: filled(wire['metadata'] ?? null, { name: '' }),
    spec: filled(wire['spec'] ?? null, emptySpec),
  };
}

/** In the words of the server, which reads the whole text. */
function faultsOf(document: FlowDocument, problem: string | undefined): FlowProblem[] {
  const faults = parseManifests(document.text).errors.map(({ message, path, line, column }) => {
    const words = inPlace(message, path);
    return problemAt(document, { severity: 'ERROR', message: words, path, line, column });
  });
  if (faults.length > 0 || problem === undefined) return faults;
  return [problemAt(document, { severity: 'ERROR', message: problem, path: [], line: 1, column: 1 })];
}

/** With where it is in front of it, as the server says it. */
export const inPlace = (message: string, path: Path): string =>
  path.length === 0 ? message : `${wordsOf(path)}: ${message}`;

/** `spec.steps[2].soak`. */
const wordsOf = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');

/** The text that an empty flow begins with. */
export const newFlowText = (name: string): string => newText('PromotionFlow', name, 'steps');

/** The text that a definition begins with whose spec is a list. */
export function newText(kind: string, name: string, list: string): string {
  const written = /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(name);
  return `apiVersion: sluice.dev/v1
kind: ${kind}
metadata:
  name: ${written ? name : JSON.stringify(name)}
spec:
  ${list}: []
`;
}
