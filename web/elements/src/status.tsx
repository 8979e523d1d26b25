import { define, LiveElement } from './element.ts';
import { ConnectionNote, Status } from './parts.tsx';
import { ask, stream, type Source } from './source.ts';
import { STYLES } from './style.ts';
import { toWords } from './words.ts';

export interface NewestRelease {
  id: string;
  shortId: string;
  sequence: number;
  lastCursor: string;
  status: string;
  createdAt: string;
  version: { label: string } | null;
  counts: { total: number; succeeded: number; waiting: number; suspended: number };
}

const NEWEST = `query SluiceStatus($product: String!) { releases(first: 1, filter: { product: $product }) { nodes {
  id shortId sequence lastCursor status createdAt version { label } counts { total succeeded waiting suspended } } } }`;

const SIGNALS = `subscription SluiceStatusSignals($product: String!, $after: String) {
  releaseEvents(filter: { product: $product }, after: $after) { cursor } }`;

/** Looks at most so often, in milliseconds. */
const PAUSE = 1_000;
/** While the server does not answer. */
const LONGEST_PAUSE = 8_000;

/**
 * `<sluice-status>`: the newest release of a product in one line, live. Attributes: `endpoint`, `product`, `theme`, `transport`. Properties:
 * `token`, `fetch`. Events: `statuschange`, `select`.
 */
export class SluiceStatus extends LiveElement {
  #cursor: string | null = null;
  #newest: NewestRelease | null = null;
  /** Something was heard that no look has shown yet. */
  #isBehind = false;

  constructor() {
    super(STYLES);
  }

  protected override get missing(): string | null {
    return this.getAttribute('product') ? null : 'product';
  }

  protected override forget(): void {
    this.#cursor = null;
    this.#newest = null;
  }

  protected override async open(source: Source, signal: AbortSignal): Promise<void> {
    await this.#look(source, signal);
    this.#cursor = this.#newest?.lastCursor ?? null;
  }

  protected override async changes(source: Source, signal: AbortSignal, connected: () => void): Promise<void> {
    let isDue = false;
    let isOver = false;
    // What comes close together is one look, after the last of it. It is made until it has been answered: what is over tells nothing more.
    const again = (pause = PAUSE): void => {
      this.#isBehind = true;
      if (isDue) return;
      isDue = true;
      setTimeout(() => {
        isDue = false;
        if (!signal.aborted && !isOver)
          this.#look(source, signal).catch(() => again(Math.min(pause * 2, LONGEST_PAUSE)));
      }, pause);
    };
    const asked = {
      query: SIGNALS,
      variables: { product: this.getAttribute('product'), after: this.#cursor },
      signal,
      connected: () => {
        connected();
        // The page was hidden before it could look; or nothing had a cursor yet from which the stream could go on.
        if (this.#isBehind || this.#cursor === null) again();
      },
    };
    try {
      for await (const { releaseEvents } of stream<{ releaseEvents: { cursor: string } }>(source, asked)) {
        this.#cursor = releaseEvents.cursor;
        again();
      }
    } finally {
      isOver = true;
    }
  }

  /** An older answer about the same release, or one about an older release, is dropped. */
  async #look(source: Source, signal: AbortSignal): Promise<void> {
    const variables = { product: this.getAttribute('product') };
    this.#isBehind = false;
    const { releases } = await ask<{ releases: { nodes: NewestRelease[] } }>(source, NEWEST, variables, signal);
    const [found] = releases.nodes;
    const before = this.#newest;
    if (!found) return this.paint();
    if (before && (before.id === found.id ? found.sequence < before.sequence : found.createdAt < before.createdAt))
      return;
    this.#newest = found;
    this.paint();
    if (before?.id !== found.id || before.status !== found.status)
      this.tell('statuschange', { release: found, status: found.status, before: before?.status ?? null });
  }

  protected override draw() {
    const newest = this.#newest;
    const quiet = this.connection === 'live' && newest === null;
    return (
      <div class="line" part="line">
        {newest && (
          <>
            <button type="button" class="act" part="release" onClick={() => this.tell('select', { release: newest })}>
              {newest.shortId}
            </button>
            <strong>{newest.version?.label}</strong>
            <Status status={newest.status} word={wordsOf(newest)} />
          </>
        )}
        {quiet && <span class="note">{`${this.getAttribute('product')} has not been released yet.`}</span>}
        <ConnectionNote connection={this.connection} problem={this.problem} />
      </div>
    );
  }
}

/** `Running, 3 of 6`: how far it is, while it is on its way. */
function wordsOf({ status, counts }: NewestRelease): string {
  const waits = counts.waiting + counts.suspended;
  const ended = ['SUCCEEDED', 'FAILED', 'TERMINATED'].includes(status);
  return ended
    ? toWords(status)
    : `${toWords(status)}, ${counts.succeeded} of ${counts.total}${waits > 0 ? `, ${waits} waiting` : ''}`;
}

define('sluice-status', SluiceStatus);
