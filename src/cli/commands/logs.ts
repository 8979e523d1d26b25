import type { Command } from 'commander';
import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { readRelease } from '../operations.ts';
import { bare, RELEASE, wholeNumber } from '../options.ts';
import type { Writer } from '../output.ts';
import type { ReleaseShown } from '../release-shown.ts';
import type { Shell } from '../shell.ts';

/** What the actions of a release wrote. */

const CHUNK = 'sequence at environment application step action attempt try text';

export const LOG_DOCUMENTS = {
  actionLog: `query CliActionLog($release: ID!, $filter: ActionLogFilterInput, $first: Int!, $after: String) {
    log: actionLog(releaseId: $release, filter: $filter, first: $first, after: $after) {
      edges { cursor node { ${CHUNK} } } pageInfo { hasNextPage endCursor } } }`,
  actionLogAdded: `subscription CliActionLogAdded($release: ID!, $filter: ActionLogFilterInput, $after: String!) {
    added: actionLogAdded(releaseId: $release, filter: $filter, after: $after) { cursor node { ${CHUNK} } } }`,
};

interface Chunk {
  sequence: number;
  at: string;
  environment: string;
  application: string | null;
  step: string;
  action: string;
  attempt: number;
  try: number;
  text: string;
}

interface Edge {
  cursor: string;
  node: Chunk;
}

/** Of a page: a chunk has up to 16 KiB. */
const FIRST = 20;

interface Wanted {
  release: string;
  filter: { environment?: string; step?: string; attempt?: number };
}

/** All that is there after a cursor. @returns the last cursor */
async function showAll(client: Client, wanted: Wanted, from: string, show: (chunk: Chunk) => void): Promise<string> {
  let after = from;
  for (let more = true; more;) {
    const { log } = await client.ask<{
      log: { edges: Edge[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    }>(LOG_DOCUMENTS.actionLog, { ...wanted, first: FIRST, after: after === '' ? null : after });
    for (const { node } of log.edges) show(node);
    after = log.pageInfo.endCursor ?? after;
    more = log.pageInfo.hasNextPage;
  }
  return after;
}

/** Until the release has ended and all of it was shown, or a person ends it. */
async function showLive(client: Client, wanted: Wanted, show: (chunk: Chunk) => void, err: Writer): Promise<void> {
  const [{ followRelease }, { interruption }] = await Promise.all([
    import('../watch/follow.ts'),
    import('../watch/watch.ts'),
  ]);
  const over = new AbortController();
  const signal = AbortSignal.any([interruption(), over.signal]);
  const silent = { onEvent: () => undefined, onLost: () => undefined, onBack: () => undefined };
  const ended = followRelease(client, wanted.release, silent, signal).finally(() => over.abort());
  ended.catch(() => undefined);
  let after = '';
  const stream = client.follow<{ added: Edge }>(LOG_DOCUMENTS.actionLogAdded, () => ({ ...wanted, after }), {
    signal,
    onLost: (why) => err.write(`Connection lost, trying again. ${why}\n`),
    onBack: () => err.write('Connected again.\n'),
  });
  try {
    for await (const { added } of stream) {
      after = added.cursor;
      show(added.node);
    }
  } finally {
    over.abort();
  }
  if (await ended) await showAll(client, wanted, after, show);
}

/** Lines, each with the action that wrote it in front, unless it is always the same; a line that is not whole yet waits for its end. */
class Lines {
  readonly #out: Writer;
  readonly #prefixed: boolean;
  readonly #timestamps: boolean;
  readonly #rests = new Map<string, { front: string; text: string }>();

  constructor(out: Writer, { prefixed, timestamps }: { prefixed: boolean; timestamps: boolean }) {
    this.#out = out;
    this.#prefixed = prefixed;
    this.#timestamps = timestamps;
  }

  readonly show = (chunk: Chunk): void => {
    const key = `${chunk.environment}/${chunk.step}/${chunk.attempt}/${chunk.try}`;
    const lines = ((this.#rests.get(key)?.text ?? '') + chunk.text).split('\n');
    const front = this.#frontOf(chunk);
    const text = lines.pop()!;
    if (text === '') this.#rests.delete(key);
    else this.#rests.set(key, { front, text });
    for (const line of lines) this.#out.write(`${front}${line}\n`);
  };

  end(): void {
    for (const { front, text } of this.#rests.values()) this.#out.write(`${front}${text}\n`);
    this.#rests.clear();
  }

  #frontOf({ at, environment, step, attempt, try: number }: Chunk): string {
    const again = attempt > 1 || number > 1 ? ` (attempt ${attempt}, try ${number})` : '';
    const who = this.#prefixed ? `${placeOf(environment, step)}${again} | ` : '';
    return this.#timestamps ? `${at} ${who}` : who;
  }
}

/** `billing-eu/PRE_ACTION/smoke`, `eu/ON_START/tell`: two workflows may have actions of one name. */
function placeOf(environment: string, step: string): string {
  const [first = '', ...rest] = step.split('/');
  if (rest.length > 1) return step;
  // A hook that is a promotion of its own is called like its phase.
  return environment === first || environment.endsWith(`/${first}`)
    ? [environment, ...rest].join('/')
    : `${environment}/${step}`;
}

interface LogFlags {
  step?: string;
  attempt?: number;
  follow?: boolean;
  timestamps?: boolean;
  json?: boolean;
}

/** `sluice logs`. */
export function addLogs({ program, clientOf, styleOf, out, err }: Shell): void {
  program
    .command('logs')
    .description('show what the actions of the workflows of a release wrote')
    .argument(...RELEASE)
    .argument('[environment]', 'only there; also the name of a workflow step', bare('environment'))
    .option('--step <name>', 'only this step, or this action: its lines as they are')
    .option('--attempt <number>', 'only this attempt of the promotion', wholeNumber)
    .option('-f, --follow', 'go on with what comes, until the release has ended')
    .option('--timestamps', 'begin each line with the time at which it was kept')
    .option('--json', 'one JSON object per line, with the step, attempt and try of its text')
    .action(async (name: string, environment: string | undefined, flags: LogFlags, command: Command) => {
      const client = clientOf(command);
      const { step, attempt, follow = false, timestamps = false } = flags;
      const release = await readRelease(client, name);
      const { id } = release;
      const wanted = { release: id, filter: { environment, step, attempt } };
      const lines = new Lines(out, { prefixed: step === undefined, timestamps });
      const isJson = flags.json || styleOf(command).format === 'json';
      let isEmpty = true;
      const show = (chunk: Chunk): void => {
        isEmpty = false;
        if (isJson) out.write(`${JSON.stringify(chunk)}\n`);
        else lines.show(chunk);
      };
      try {
        if (follow) await showLive(client, wanted, show, err);
        else await showAll(client, wanted, '', show);
      } finally {
        lines.end();
      }
      if (isEmpty) err.write(`${whyEmpty(release, wanted.filter)}\n`);
    });
}

/** No line is no answer: a name may be misspelt, or there are no actions there. @throws CliError for an environment that is not there */
function whyEmpty({ shortId, promotions }: ReleaseShown, { environment, step }: Wanted['filter']): string {
  const names = promotions.map((each) => each.name);
  if (environment !== undefined && !names.includes(environment) && !environment.includes('ON_'))
    throw new CliError(EXIT.REFUSED, `${shortId} has no environment '${environment}'. It has: ${names.join(', ')}`);
  const at = environment === undefined ? shortId : `${shortId} in ${environment}`;
  const which = step === undefined ? 'No action' : `No action '${step}'`;
  return `${which} of ${at} has written anything. Its steps: sluice get release ${shortId}`;
}
