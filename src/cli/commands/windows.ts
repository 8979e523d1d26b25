import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Definition, Kind, Selector } from '../../core/definitions.ts';
import { matchesSelector, type Selectable } from '../../core/selectors.ts';
import { checkDefinition } from '../../core/validate.ts';
import {
  jitterOf,
  occurrences,
  parseInstant,
  selectWindows,
  spreadAt,
  windowState,
  type ReleaseWindow,
} from '../../core/windows/index.ts';
import { formatDuration } from '../../core/duration.ts';
import { formatManifestError, parseManifests, type ParsedManifest } from '../../manifests/index.ts';
import { CliError, EXIT } from '../exit.ts';
import { type Style, table, toYaml, type Writer } from '../output.ts';

import { readManifests, type ManifestFile } from './apply.ts';

/** `sluice windows check`: what the engine would say, without a server; it asks the same functions. */

export interface CheckFlags {
  file: string[];
  environment?: string;
  product?: string;
  at?: string;
}

/** As `-o json` prints it; all instants in ISO 8601, UTC. */
export interface WindowAnswer {
  at: string;
  closed: boolean;
  reason: string;
  nextOpen: string | null;
  nextClose: string | null;
  /** Where a window has a jitter: over how long what waits starts after an opening, `2m`. */
  jitter?: string;
  /** With it: until when what waits at the next opening has started, or what waited at the one just passed. */
  startsBy?: string | null;
  occurrences: {
    window: string;
    kind: 'ALLOW' | 'DENY';
    start: string;
    end: string;
    localStart: string;
    localEnd: string;
    clockChange: boolean;
  }[];
}

const SHOWN = 10;

/** @returns the exit code: 1 when a line of standard input is not an instant; the other lines are answered. */
export async function checkWindows(
  flags: CheckFlags,
  style: Style,
  out: Writer,
  err: Writer,
  input: Readable,
): Promise<number> {
  if (flags.at === '-' && flags.file.includes('-')) {
    throw new CliError(EXIT.USAGE, 'Standard input is either the manifests or the instants, not both');
  }
  const definitions = readDefinitions(await readManifests(flags.file));
  const windows = selected(definitions, flags);
  if (!definitions.some(({ kind }) => kind === 'ReleaseWindow'))
    err.write(`There is no ReleaseWindow in ${flags.file.join(', ')}\n`);
  else if (windows.length === 0) err.write('No window selects this\n');
  if (flags.at === '-') return answerLines(windows, out, err, input);
  const at = flags.at === undefined ? Date.now() : parseInstant(flags.at);
  if (at === undefined) throw new CliError(EXIT.USAGE, notAnInstant(flags.at!));
  out.write(`${show(answer(windows, at), style)}\n`);
  return EXIT.OK;
}

const notAnInstant = (text: string): string =>
  `'${text}' is not an instant: write ISO 8601 with Z or an offset, for example 2026-03-08T07:00:00Z`;

async function answerLines(windows: ReleaseWindow[], out: Writer, err: Writer, input: Readable): Promise<number> {
  let code: number = EXIT.OK;
  let number = 0;
  for await (const line of createInterface({ input })) {
    number += 1;
    const text = line.trim();
    if (text === '') continue;
    const at = parseInstant(text);
    if (at === undefined) {
      err.write(`standard input:${number}:1: ${notAnInstant(text)}\n`);
      code = EXIT.REFUSED;
    } else out.write(`${JSON.stringify(answer(windows, at))}\n`);
  }
  return code;
}

const iso = (instant: number): string => new Date(instant).toISOString();
const isoOrNull = (instant: number | null): string | null => (instant === null ? null : iso(instant));

function answer(windows: ReleaseWindow[], at: number): WindowAnswer {
  const state = windowState(windows, at, 'PROMOTE');
  const { closed, reason, nextOpen, nextClose } = state;
  const jitter = jitterOf(windows, 'PROMOTE');
  const startsBy = isoOrNull(spreadAt(windows, state, at, 'PROMOTE')?.until ?? null);
  const next = windows
    .flatMap((window) => occurrences(window, at, SHOWN).map((each) => ({ window, each })))
    .sort((a, b) => a.each.start - b.each.start)
    .slice(0, SHOWN);
  return {
    at: iso(at),
    closed,
    reason,
    nextOpen: isoOrNull(nextOpen),
    nextClose: isoOrNull(nextClose),
    ...(jitter > 0 && { jitter: formatDuration(jitter), startsBy }),
    occurrences: next.map(({ window, each }) => ({
      window: window.name,
      kind: window.spec.kind,
      start: iso(each.start),
      end: iso(each.end),
      localStart: each.localStart,
      localEnd: each.localEnd,
      clockChange: each.clockChange,
    })),
  };
}

function show(given: WindowAnswer, { format, width }: Style): string {
  if (format === 'json') return JSON.stringify(given, null, 2);
  if (format === 'yaml') return toYaml(given);
  if (format === 'name') return given.closed ? 'closed' : 'open';
  const { at, closed, reason, nextOpen, nextClose, jitter, startsBy } = given;
  const list = table(
    given.occurrences,
    [
      ['WINDOW', ({ window }) => window],
      ['KIND', ({ kind }) => kind],
      ['START', ({ localStart }) => localStart],
      ['END', ({ localEnd }) => localEnd],
      ['', ({ clockChange }) => (clockChange ? 'clock change' : ' ')],
    ],
    width,
  );
  const known = (instant: string | null): string => instant ?? 'not within five years';
  const spread = startsBy ? `starts by ${startsBy}, spread over its jitter of ${jitter}` : '';
  const lines = [
    `${at}: ${closed ? 'closed' : 'open'}, ${reason}`,
    ...(spread && !closed ? [`What waited for the opening ${spread}`] : []),
    `Next it opens: ${known(nextOpen)}${spread && closed ? `; what waits ${spread}` : ''}`,
    `Next it closes: ${known(nextClose)}`,
  ];
  const parts = [lines.join('\n')];
  if (given.occurrences.length > 0) parts.push(list);
  return parts.join('\n\n');
}

/** @throws CliError with a line `file:line:column: path: message` for each error, of any file */
function readDefinitions(files: ManifestFile[]): Definition[] {
  const lines: string[] = [];
  const found: Definition[] = [];
  for (const { name, text } of files) {
    const { definitions, errors } = parseManifests(text, { fileName: name });
    lines.push(...errors.map(formatManifestError));
    for (const manifest of definitions) {
      lines.push(...refusalsOf(manifest));
      found.push(manifest.definition);
    }
  }
  if (lines.length > 0) throw new CliError(EXIT.REFUSED, lines.join('\n'));
  return found;
}

function refusalsOf({ definition, document, file, positionOf }: ParsedManifest): string[] {
  return checkDefinition(definition).map(({ path, message }) =>
    formatManifestError({ ...positionOf(path), document, path, message, ...(file === undefined ? {} : { file }) }),
  );
}

function ofKind<K extends Kind>(definitions: Definition[], kind: K): Definition<K>[] {
  return definitions.filter((each) => each.kind === kind) as Definition<K>[];
}

/**
 * What is not said is not asked for: without --environment every window counts, whatever environments it selects. What
 * is named and not in the files is known by its name alone; labels, kind and groups are then taken as matching, because
 * a check that overlooks a freeze is worse than one that sees one too many.
 */
function selected(definitions: Definition[], { environment, product }: CheckFlags): ReleaseWindow[] {
  const place = find(ofKind(definitions, 'Environment'), environment);
  const thing = find(ofKind(definitions, 'Product'), product);
  const groups = ofKind(definitions, 'EnvironmentGroup');
  const isMember = place.known
    ? groups
        .filter(({ spec }) => matchesSelector(spec.environments, place.subject))
        .map(({ metadata }) => metadata.name)
    : [];
  const all = ofKind(definitions, 'ReleaseWindow').map(({ metadata, spec }) => ({ name: metadata.name, spec }));
  const asked = all.map(({ name, spec }) => ({
    name,
    spec: {
      ...spec,
      selector: {
        environments: place.judges(spec.selector.environments),
        products: thing.judges(spec.selector.products),
        ...(place.known && groups.length > 0 && { groups: spec.selector.groups }),
      },
    },
  }));
  return selectWindows(asked, { environment: place.subject, groups: isMember, product: thing.subject });
}

interface Named {
  subject: Selectable;
  known: boolean;
  /** The part of a selector that can be judged. */
  judges: (selector: Selector) => Selector;
}

function find(definitions: Definition<'Environment' | 'Product'>[], name: string | undefined): Named {
  if (name === undefined) return { subject: { name: '', labels: {} }, known: false, judges: () => ({}) };
  const found = definitions.find(({ metadata }) => metadata.name === name);
  if (!found) return { subject: { name, labels: {} }, known: false, judges: ({ names }) => ({ names }) };
  const { spec, metadata } = found;
  const subject = { name, labels: metadata.labels, ...('kind' in spec && { kind: spec.kind }) };
  return { subject, known: true, judges: (selector) => selector };
}
