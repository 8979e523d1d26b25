import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { stringify } from 'yaml';
import type { AnyDefinition, Definition } from '../core/definitions.ts';
import { sameJson } from './codec.ts';
import { API_VERSION_ANNOTATION, CODEFRESH_APIS, CODEFRESH_KINDS, codefreshForm } from './codefresh.ts';
import { sluiceForm, type Wire } from './forms.ts';
import { parseManifests } from './parse.ts';

/**
 * A definition as YAML that reads back to exactly this definition. Fields come in a fixed order and defaults are left
 * out, so that two exports differ only where the definitions do.
 *
 * What was applied as `codefresh.io/…` is written like that as long as that form can say all of it; a flow that got a
 * soak meanwhile is written in our own form, and in theirs again when the soak is gone.
 */
export function exportManifest(definition: Definition | AnyDefinition): string {
  return print(wireOf(definition));
}

/** The same as plain data. */
export function wireOf(definition: Definition | AnyDefinition): Wire {
  const known = definition as AnyDefinition;
  const applied = known.metadata.annotations[API_VERSION_ANNOTATION];
  if (applied !== undefined && CODEFRESH_APIS.includes(applied) && CODEFRESH_KINDS.includes(known.kind)) {
    const theirs = codefreshForm.write(known);
    const back = parseManifests(print(theirs)).definitions[0]?.definition;
    if (back && sameDefinition(back, known)) return theirs;
  }
  return sluiceForm.write(known);
}

/** Several definitions as one stream of YAML documents. */
export function exportManifests(definitions: readonly (Definition | AnyDefinition)[]): string {
  return definitions.map(exportManifest).join('---\n');
}

/** Whether applying `b` over `a` changes nothing. The order of map keys does not count, nor do undefined fields. */
export function sameDefinition(a: Definition | AnyDefinition, b: Definition | AnyDefinition): boolean {
  const bare = ({ kind, metadata, spec }: Definition | AnyDefinition) => {
    const { name, labels, annotations } = metadata;
    return { kind, metadata: { name, labels, annotations }, spec };
  };
  return sameJson(bare(a), bare(b));
}

function print({ apiVersion, kind, metadata, spec }: Wire): string {
  return stringify(
    { apiVersion, kind, metadata, spec },
    // yaml-1.1: "yes" and "0o7" are quoted, because other programs will read this, too.
    { version: '1.2', compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false },
  );
}

/** A unified diff of two exports for the dry run; empty when nothing changes, one side undefined for new or gone. */
export function diffManifests(
  before: Definition | AnyDefinition | undefined,
  after: Definition | AnyDefinition | undefined,
): string {
  const [old, next] = [before, after].map((each) => (each ? exportManifest(each) : ''));
  if (old === next) return '';
  const { kind, metadata } = (after ?? before)!;
  return patchOf(`${kind}/${metadata.name}`, before && old!, after && next!);
}

/** The same of two texts of one definition; null stands for its export. */
export function diffWords(definition: Definition | AnyDefinition, before: string | null, after: string | null): string {
  const { kind, metadata } = definition;
  const [old, next] = [before ?? exportManifest(definition), after ?? exportManifest(definition)];
  return old === next ? '' : patchOf(`${kind}/${metadata.name}`, old, next);
}

/** Lines that come or go in a patch. The time grows with the square: these take about 0.1 s, in which the process does nothing else. */
export const MOST_EDITS = 1000;

function patchOf(name: string, before: string | undefined, after: string | undefined): string {
  const [from, to] = [before === undefined ? '/dev/null' : name, after === undefined ? '/dev/null' : name];
  const [old, next] = [before ?? '', after ?? ''];
  // Two manifests that share nothing would be compared for long; then both are shown whole.
  const patch = createTwoFilesPatch(from, to, old, next, before && 'current', after && 'new', {
    context: 3,
    maxEditLength: MOST_EDITS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? wholePatch(from, to, old, next);
}

/** Of two texts that share too little to be compared: all lines of one, then all of the other. */
export const wholePatch = (from: string, to: string, old: string, next: string): string =>
  `--- ${from}\n+++ ${to}\n${prefixed('-', old)}${prefixed('+', next)}`;

function prefixed(sign: string, text: string): string {
  return text.replace(/^(?=.)/gm, sign);
}
