import { editFlow, edgeTargets, type FlowNote } from '../../../../../src/core/flow.ts';
import { indexFlow } from '../../../../../src/core/flow/graph.ts';
import type { FlowEdit as CoreEdit } from '../../../../../src/core/kinds/flow-edit.ts';
import { quote } from '../../../../../src/core/wording.ts';
import { PermanentError } from '../../../../../src/drivers/driver.ts';
import { writeYamlDocument } from '../../../../../src/drivers/edit/yaml-document.ts';
import { carried, entryName, readManifest, sameDefinition, wireOf } from '../../../../../src/manifests/index.ts';
import { SOUGHT } from './kinds.ts';
import { selectionOf } from './places.ts';
import { openText } from './read.ts';
import {
  readingOf,
  sourceOf,
  type DefinitionOf,
  type FlowDefinition,
  type Reading,
  type WorkflowDefinition,
} from './reading.ts';
import { said, selectedAfter } from './sentences.ts';
import type { Edited, FlowDocument, FlowEdit, Known, PromotionFlowSpec, Refused, TextDocument } from './types.ts';

/** Edits that were worked out before they are made, each with what it was made of. */
const foreseen = new WeakMap<FlowEdit, { document: FlowDocument; known: Known; made: Edited | Refused }>();

/** Works an edit out while a dialog still asks for it: made of the same document, this same edit is there at once. */
export function foresee(document: FlowDocument, edit: FlowEdit, known: Known): void {
  foreseen.set(edit, { document, known, made: editDocument(document, [edit], known) });
}

/**
 * Makes edits in the text, all of them or none. The core says what becomes of the flow; in the text only what says otherwise is changed. What
 * came of it is read back and has to be what the core says: otherwise the edit is refused.
 */
export function editDocument(document: FlowDocument, edits: readonly FlowEdit[], known: Known): Edited | Refused {
  const before = edits.length === 1 ? foreseen.get(edits[0]!) : undefined;
  if (before?.document === document && before.known === known) return before.made;
  const reading = readingOf(document);
  if (!document.isCurrent || !reading) return refusedText(document);
  let definition: FlowDefinition = reading.definition;
  const notes: FlowNote[] = [];
  const sentences: string[] = [];
  let selection = { node: null, field: [] } as Edited['selection'];
  for (const edit of edits) {
    const made = make(definition, edit, known);
    if ('refusals' in made) return made;
    sentences.push(said(edit, definition.spec, made.definition.spec, known.groups));
    selection = selectedAfter(edit, definition.spec, made.definition.spec);
    notes.push(...made.notes);
    definition = made.definition;
  }
  const written = write(document, definition);
  if ('refusals' in written) return written;
  const [was, now] = [reading.definition, readingOf(written)!.definition].map(
    (each) => (wireOf(each) as Wire).apiVersion,
  );
  if (was !== now)
    notes.push({
      message: `${was} has no field for that: the manifest is written as ${now} from here on`,
      path: null,
      flowPath: [],
    });
  return { document: written, said: sentences.join('; '), notes: notes.map(({ message }) => message), selection };
}

/** A form leaves out what has a default, such as the expiry of an approval: the definition with all of them, as a text of it is read. */
function withDefaults<D extends FlowDefinition | WorkflowDefinition>(definition: D): D | Refused {
  const refusals: Refused['refusals'] = [];
  const ours = plainData(wireOf({ ...definition, metadata: { ...definition.metadata, annotations: {} } }));
  const read = readManifest(
    ours,
    (path, message) => void refusals.push({ message, at: selectionOf(definition, path) }),
  );
  return read?.definition.kind === definition.kind ? { ...definition, spec: read.definition.spec } : refused(refusals);
}

/**
 * The document whose definition is this one, with all else of the text as it is: only what says otherwise is changed. What came of it is read
 * back, and has to be what was meant.
 */
export function write<D extends TextDocument>(document: D, wanted: DefinitionOf<D>): D | Refused {
  const [reading, source] = [readingOf(document), sourceOf(document)];
  if (!document.isCurrent || !reading || !source) return refusedText(document);
  const definition = withDefaults(wanted);
  if ('refusals' in definition) return definition;
  const [before, after] = [reading.definition, definition].map((each) => plainData(wireOf(each)) as Wire) as [
    Wire,
    Wire,
  ];
  const inFile = before.apiVersion === after.apiVersion ? asInFile(reading) : (wire: Wire): unknown => wire;
  // What cannot be told field by field (another form of the manifest) is written as a whole.
  for (const value of [carried(reading.wire, inFile(before), inFile(after)), after]) {
    try {
      const text = writeYamlDocument(source, reading.at, value, (list) => list.map(entryName));
      const now = text === document.text ? document : openText(document.kind, text, document);
      const read = now.isCurrent ? readingOf(now) : undefined;
      if (read && sameDefinition(read.definition, definition)) return now;
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      return refusedAt(null, error.message);
    }
  }
  return refusedAt(null, 'the text cannot be edited there by itself: change it in the YAML');
}

interface Wire {
  apiVersion: string;
  spec: unknown;
}

/** An old form has the spec one level further in. */
function asInFile({ wirePath }: Pick<Reading, 'wirePath'>): (wire: Wire) => unknown {
  const [, inside, ...below] = wirePath(['spec', 'steps']);
  return below.length === 0 ? (wire) => wire : (wire) => ({ ...wire, spec: { [inside!]: wire.spec } });
}

/** Without what is undefined. */
const plainData = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

interface Made {
  definition: FlowDefinition;
  notes: FlowNote[];
}

function make(definition: FlowDefinition, edit: FlowEdit, { groups }: Known): Made | Refused {
  const { spec, metadata } = definition;
  const become = (made: PromotionFlowSpec, notes: FlowNote[] = []): Made => ({
    definition: { ...definition, spec: made },
    notes,
  });
  switch (edit.type) {
    case 'renameFlow':
      return { definition: { ...definition, metadata: { ...metadata, name: edit.to } }, notes: [] };
    case 'setTriggerEnvironment':
      if (spec.triggerEnvironment !== '')
        return throughCore(spec, { type: 'renameStep', step: spec.triggerEnvironment, to: edit.environment });
      if (indexFlow(spec, groups).nodeOf.has(edit.environment))
        return refusedAt(edit.environment, `${quote(edit.environment)} is already in the flow`);
      return become({ ...spec, triggerEnvironment: edit.environment });
    case 'connect': {
      const targets = edgeTargets(spec, groups, edit.from);
      if (!targets) return refusedAt(null, `${quote(edit.from)} is not in the flow`);
      const reason = targets.find(({ name }) => name === edit.to)?.reason;
      if (reason) return refusedAt(edit.to, reason);
      const before = spec.steps[(indexFlow(spec, groups).nodeOf.get(edit.to) ?? 0) - 1]?.dependsOn ?? [];
      return throughCore(spec, { type: 'setDependencies', step: edit.to, dependsOn: [...before, edit.from] });
    }
    case 'disconnect': {
      const { nodeOf } = indexFlow(spec, groups);
      const step = spec.steps[(nodeOf.get(edit.to) ?? 0) - 1];
      const from = nodeOf.get(edit.from);
      const left = step?.dependsOn.filter((name) => nodeOf.get(name) !== from) ?? [];
      if (!step || from === undefined || left.length === step.dependsOn.length)
        return refusedAt(edit.to, `${quote(edit.to)} does not depend on ${quote(edit.from)}`);
      if (left.length === 0)
        return refusedAt(
          edit.to,
          `${quote(edit.to)} would depend on nothing: connect it to another step first, or remove it`,
        );
      return throughCore(spec, { type: 'setDependencies', step: edit.to, dependsOn: left });
    }
    default:
      return throughCore(spec, edit);
  }

  function throughCore(from: PromotionFlowSpec, core: CoreEdit): Made | Refused {
    const made = editFlow(from, [core], groups);
    if (made.refusals)
      return refused(
        made.refusals.map(({ message, flowPath }) => ({
          message,
          at: selectionOf({ ...definition, spec: from }, flowPath),
        })),
      );
    return become(made.spec, made.notes);
  }
}

/** An edit that is not made, and the node that is the reason. */
export const refusedAt = (node: string | null, message: string): Refused =>
  refused([{ message, at: { node, field: [] } }]);

function refused(refusals: Refused['refusals']): Refused {
  return { refusals, said: refusals[0]!.message };
}

/** An edit of a text that says nothing would have to guess. */
export function refusedText(document: TextDocument): Refused {
  const [fault] = document.faults;
  const message = fault
    ? `the text cannot be read in line ${fault.line}: ${fault.message}. Mend it or undo, then edit`
    : `there is no ${SOUGHT[document.kind].called} in the text`;
  return refused([{ message, at: fault?.at ?? { node: null, field: [] } }]);
}
