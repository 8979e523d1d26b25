import type { AnyDefinition, Definition, Kind, Metadata } from '../core/definitions.ts';
import { metadata as metadataShape } from '../core/kinds/common.ts';
import { object, type Path, type Report } from './codec.ts';
import { fieldsOf, SPECS } from './kinds.ts';

export const SLUICE_API = 'sluice.dev/v1';

/** A manifest as plain data, header included. */
export interface Wire {
  apiVersion: string;
  kind: string;
  metadata: unknown;
  spec: unknown;
}

/** One way of writing definitions down; which one a manifest uses is its `apiVersion`. */
export interface Form {
  /**
   * Answers undefined only after reporting why.
   * @param warn what is read in another way than its author may expect
   */
  read(
    wire: Record<string, unknown>,
    kind: Kind,
    report: Report,
    warn: (message: string) => void,
  ): AnyDefinition | undefined;
  write(definition: AnyDefinition): Wire;
  /** Where in the manifest a path of the definition stands. */
  wirePath(path: Path, wire: unknown): Path;
}

/** Fields that a form of another system lacks, with what to say of them. */
export const alsoOurs = (ours: object, theirs: object): Record<string, string> =>
  Object.fromEntries(
    Object.keys(ours)
      .filter((key) => !Object.hasOwn(theirs, key))
      .map((key) => [key, `it is a field of ${SLUICE_API}: change apiVersion to use it`]),
  );

export const metadataFields = fieldsOf(metadataShape);
const metadata = object<Metadata>(metadataFields);

export const sluiceForm: Form = {
  read(wire, kind, report) {
    const head = metadata.read(wire.metadata ?? {}, ['metadata'], report);
    const spec = SPECS[kind].read(wire.spec ?? {}, ['spec'], report);
    return head && spec && ({ kind, metadata: head, spec } as AnyDefinition);
  },
  write(definition) {
    return {
      apiVersion: SLUICE_API,
      kind: definition.kind,
      metadata: metadata.write(definition.metadata),
      spec: SPECS[definition.kind].write((definition as Definition).spec as never),
    };
  },
  wirePath: (path) => path,
};
