import { childIn, isPlainMap, plain, type Plain, type PlainMap } from '../../../../../src/drivers/edit/node.ts';
import { readSimilarYaml, type YamlText } from '../../../../../src/drivers/edit/yaml-document.ts';
import type { AnyDefinition } from '../../../../../src/core/definitions.ts';
import { parseManifests, readManifest } from '../../../../../src/manifests/index.ts';
import { SOUGHT } from './kinds.ts';
import { problemAt } from './places.ts';
import { type DefinitionOf, readingOf, withReading, type Reading } from './reading.ts';
import type {
  DraftKind,
  Flow,
  FlowDocument,
  Path,
  TextDocument,
  TextProblem,
  Workflow,
  WorkflowDocument,
} from './types.ts';

/**
 * Reads a text. `before` is the document that it was changed from: its flow stays in sight while the new text cannot be read, and what both
 * have in common need not be read again. Never throws, whatever the text.
 */
export const openDocument = (text: string, before?: FlowDocument): FlowDocument =>
  open('PromotionFlow', text, before, (flow?: Flow) => ({ flow: flow ?? before?.flow ?? null }));

/** The same for a workflow. */
export const openWorkflow = (text: string, before?: WorkflowDocument): WorkflowDocument =>
  open('PromotionWorkflow', text, before, (workflow?: Workflow) => ({
    workflow: workflow ?? before?.workflow ?? null,
  }));

const OPENERS = { PromotionFlow: openDocument, PromotionWorkflow: openWorkflow };

/** The same for a document of any of these kinds. */
export const openText = <D extends TextDocument>(kind: D['kind'], text: string, before?: D): D =>
  (OPENERS[kind] as unknown as (text: string, before?: D) => D)(text, before);

function open<D extends TextDocument, Spec>(
  kind: D['kind'],
  text: string,
  before: D | undefined,
  show: (said: { name: string; spec: Spec } | undefined) => Omit<D, keyof TextDocument>,
): D {
  const last = before && readingOf(before);
  const { reading, isWhole, problem } = readDefinition<DefinitionOf<D>>(text, kind, last);
  const definition = reading?.definition as AnyDefinition | undefined;
  const said = definition && { name: definition.metadata.name, spec: definition.spec as Spec };
  const bare = { kind, text, ...show(said), isCurrent: reading !== undefined, faults: [] } as unknown as D;
  const document = withReading(bare, reading ?? last);
  if (isWhole) return document;
  return withReading({ ...document, faults: faultsOf(document, problem) }, reading ?? last);
}

interface Read<D extends AnyDefinition> {
  reading?: Reading<D>;
  /** Whether it is all that the text says, and nothing is missing. */
  isWhole: boolean;
  /** What to say where the server's reader would find nothing wrong. */
  problem?: string;
}

/** The first definition of a kind in a text; what it lacks is empty. `last`: of a similar text. */
function readDefinition<D extends AnyDefinition>(
  text: string,
  kind: DraftKind,
  last?: Pick<Reading<D>, 'parts'>,
): Read<D> {
  const { emptySpec, called } = SOUGHT[kind];
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
      reading: { text, at, definition: read.definition as AnyDefinition as D, wire, wirePath: read.wirePath, parts },
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

/** What the definition in a text is called; undefined: the text cannot be read. */
export const nameIn = (document: TextDocument): string | undefined => readingOf(document)?.definition.metadata.name;

/** In the words of the server, which reads the whole text. */
function faultsOf(document: TextDocument, problem: string | undefined): TextProblem[] {
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
export const newFlowText = (name: string): string => newText('PromotionFlow', name);

/** The text that an empty flow or workflow begins with. */
export function newText(kind: DraftKind, name: string): string {
  const written = /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(name);
  return `apiVersion: sluice.dev/v1
kind: ${kind}
metadata:
  name: ${written ? name : JSON.stringify(name)}
spec:
  ${SOUGHT[kind].list}: []
`;
}
