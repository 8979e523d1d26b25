import { createHash } from 'node:crypto';
import type { Parts } from '../../parts.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { wrongLabel } from '../../core/printable.ts';
import type { Candidate } from '../../core/trigger/candidate.ts';
import type { Change } from '../../core/trigger/change.ts';
import { templateFor } from '../../core/trigger/template.ts';
import type { PinnedContent } from '../../drivers/driver.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import { askSources } from './ask-sources.ts';

/** A candidate with its version and content, read once and for all. */
export interface Pinned {
  /** Its revisions are all known. */
  candidate: Candidate;
  /** By application of the trigger environment. */
  contents: Record<string, PinnedContent>;
  /** What people call it. */
  version: string;
  /** The same digest is the same content in every application. */
  digest: string;
}

/**
 * Candidate → Pinned. Network; never inside a transaction.
 * @throws RefusedError
 */
export async function pin(
  app: Parts,
  definitions: DefinitionSnapshot,
  candidate: Candidate,
  { commit, version }: Pick<Change, 'commit' | 'version'>,
): Promise<Pinned> {
  const { product: name, environment, state } = candidate;
  if (version !== undefined) checkLabel(version, 'the version', 'version');
  const product = definitions.products.get(name)!;
  const about = commit === undefined ? 'product' : 'commit';
  const contents = await askSources(app, definitions, { product: name, environment, about }, (source, signal) => {
    const { driver } = source.spec;
    const template = templateFor(product, source, definitions.templates);
    return app.drivers.driver(driver).pin(driver, template, state[source.metadata.name] ?? {}, signal);
  });
  for (const [application, { label }] of Object.entries(contents))
    checkLabel(label, `the version of application "${application}"`, 'product');
  const pinned = Object.entries(contents);
  return {
    candidate: {
      ...candidate,
      state: Object.fromEntries(
        pinned.map(([application, content]) => {
          const known = content.commit === undefined ? { version: content.label } : { commit: content.commit };
          return [application, { ...state[application], ...known }];
        }),
      ),
    },
    contents,
    version: [...new Set(pinned.map(([, { label }]) => label))].join(' + ') || (version ?? ''),
    digest: versionDigest(contents),
  };
}

/** @throws RefusedError */
function checkLabel(label: string, what: string, field: string): void {
  const wrong = wrongLabel(label);
  if (wrong) throw new RefusedError([refusal('INVALID', `${what} ${wrong}`, [field])]);
}

/** Several applications are one version: its digest is over all of them. */
function versionDigest(contents: Record<string, PinnedContent>): string {
  const names = Object.keys(contents).sort();
  const [only] = names;
  if (only !== undefined && names.length === 1) return contents[only]!.digest;
  const lines = names.map((name) => `${name} ${contents[name]!.digest}`);
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
