import type { AnyDefinition } from '../../../../../src/core/definitions.ts';
import type { Plain } from '../../../../../src/drivers/edit/node.ts';
import { readYamlText, type YamlText } from '../../../../../src/drivers/edit/yaml-document.ts';
import type { ReadManifest } from '../../../../../src/manifests/index.ts';
import type { TextDocument } from './types.ts';

/** A flow in the form that the core knows. */
export type FlowDefinition = Extract<AnyDefinition, { kind: 'PromotionFlow' }>;
export type WorkflowDefinition = Extract<AnyDefinition, { kind: 'PromotionWorkflow' }>;

/** The definition of a document. */
export type DefinitionOf<D extends TextDocument> = Extract<AnyDefinition, { kind: D['kind'] }>;

/** What a text says, with what an edit has to know of it. */
export interface Reading<D extends AnyDefinition = FlowDefinition | WorkflowDefinition> {
  text: string;
  /** Which of the documents that are not empty, from 0. */
  at: number;
  definition: D;
  /** The manifest as plain data, as the file has it. */
  wire: Plain;
  wirePath: ReadManifest['wirePath'];
  parts: YamlText['parts'];
}

const readings = new WeakMap<TextDocument, unknown>();
const sources = new WeakMap<TextDocument, YamlText | null>();

/** What the document says; of a text that cannot be read what it said last. */
export const readingOf = <D extends TextDocument>(document: D): Reading<DefinitionOf<D>> | undefined =>
  readings.get(document) as Reading<DefinitionOf<D>> | undefined;

/** The same document from here on knows its reading. */
export function withReading<D extends TextDocument>(document: D, reading: Reading<DefinitionOf<D>> | undefined): D {
  if (reading) readings.set(document, reading);
  return document;
}

/**
 * The text with the place of each of its parts; null while it is no YAML. The next edit needs it, and a text of hundreds of steps takes tens
 * of milliseconds: a page asks for it while nobody waits.
 */
export function sourceOf(document: TextDocument): YamlText | null {
  let source = sources.get(document);
  if (source !== undefined) return source;
  try {
    source = readYamlText(document.text);
  } catch {
    source = null;
  }
  sources.set(document, source);
  return source;
}
