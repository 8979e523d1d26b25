import { boxesOf, type Box, type Planned } from './columns.ts';
import { define, LiveElement } from './element.ts';
import { ConnectionNote, Status } from './parts.tsx';
import { RefusedError } from './refused.ts';
import { ask, stream, type Source } from './source.ts';
import { STYLES } from './style.ts';
import { exactly, lookOf, toWords } from './words.ts';
import { worstOf } from '../../app/src/parts/worst.ts';

interface Wait {
  message: string;
  who: string | null;
  earliest: string | null;
}

interface May {
  allowed: boolean;
  reason: string | null;
}

export interface Promotion {
  id: string;
  name: string;
  attempt: number;
  sequence: number;
  status: string;
  phase: string | null;
  since: string | null;
  earliestStart: string | null;
  waitingFor: Wait[];
  viewerCan?: { approve: May };
}

export interface Release {
  shortId: string;
  productName: string;
  flowName: string;
  status: string;
  version: { label: string } | null;
  createdAt: string;
  endedAt: string | null;
}

interface Opened {
  release:
    | (Release & {
        id: string;
        sequence: number;
        lastCursor: string;
        skeleton: { promotions: Planned[] };
        promotions: Promotion[];
      })
    | null;
}

interface Changed {
  releaseChanged: {
    cursor: string;
    sequence: number;
    release: Pick<Release, 'status' | 'endedAt'> | null;
    promotions: Promotion[];
  };
}

const PROMOTION = (acts: boolean): string =>
  `id name attempt sequence status phase since earliestStart waitingFor { message who earliest }${acts ? ' viewerCan { approve { allowed reason } }' : ''}`;

const OPEN = (acts: boolean): string => `query SluiceRelease($id: ID!) { release(id: $id) {
  id shortId productName flowName status version { label } createdAt endedAt sequence lastCursor
  skeleton { promotions { name environment production group dependsOn } } promotions { ${PROMOTION(acts)} } } }`;

const CHANGES = (acts: boolean): string => `subscription SluiceReleaseChanged($id: ID!, $after: String) {
  releaseChanged(id: $id, after: $after) { cursor sequence release { status endedAt } promotions { ${PROMOTION(acts)} } } }`;

const DECIDE = (verb: string): string => `mutation SluiceDecide($input: PromotionDecisionInput!) {
  payload: promotion${verb}(input: $input) { userErrors { message } } }`;

/** Members of a group that are drawn one by one; more are one box. */
const MOST_MEMBERS = 6;
const WIDTH = 150;
const HEIGHT = 52;
const ACROSS = 60;
const BETWEEN = 14;
const PAD = 16;

/**
 * `<sluice-release>`: one release, live. Attributes: `endpoint`, `release` (an id, `billing#42`, or a product for its newest), `view`
 * (`graph` or `list`), `theme`, `transport`, `actions`. Properties: `token`, `fetch`. Events: `statuschange`, `select`.
 */
export class SluiceRelease extends LiveElement {
  #id = '';
  #cursor = '';
  #sequence = -1;
  #release: Release | null = null;
  #planned: Planned[] = [];
  #promotions = new Map<string, Promotion>();
  #acting = '';
  #refusal: string | null = null;

  constructor() {
    super(STYLES);
  }

  protected override get missing(): string | null {
    return this.getAttribute('release') ? null : 'release';
  }

  get #acts(): boolean {
    return this.hasAttribute('actions');
  }

  protected override forget(): void {
    this.#release = null;
    this.#sequence = -1;
    this.#promotions.clear();
    this.#planned = [];
    this.#refusal = null;
  }

  protected override async open(source: Source, signal: AbortSignal): Promise<void> {
    const { release } = await ask<Opened>(source, OPEN(this.#acts), { id: this.getAttribute('release') }, signal);
    if (!release) throw new RefusedError(`there is no release "${this.getAttribute('release')}"`, 'NOT_FOUND');
    const { id, sequence, lastCursor, skeleton, promotions, ...shown } = release;
    // A product's name means its newest release: this one from here on.
    this.#id = id;
    this.#planned = skeleton.promotions;
    this.#cursor = lastCursor;
    this.#take(sequence, shown, promotions);
  }

  protected override async changes(source: Source, signal: AbortSignal, connected: () => void): Promise<void> {
    const variables = { id: this.#id, after: this.#cursor };
    const asked = { query: CHANGES(this.#acts), variables, signal, connected };
    for await (const { releaseChanged } of stream<Changed>(source, asked)) {
      if (signal.aborted) return;
      this.#cursor = releaseChanged.cursor;
      this.#take(releaseChanged.sequence, releaseChanged.release, releaseChanged.promotions);
    }
  }

  /** What is older than what is shown is dropped: it never paints over it. */
  #take(sequence: number, release: Partial<Release> | null, promotions: readonly Promotion[]): void {
    const before = this.#release?.status;
    if (release && sequence > this.#sequence) {
      this.#release = { ...(this.#release as Release), ...release };
      this.#sequence = sequence;
    }
    for (const each of promotions)
      if (each.sequence >= (this.#promotions.get(each.name)?.sequence ?? -1)) this.#promotions.set(each.name, each);
    this.paint();
    const { status } = this.#release ?? {};
    if (status !== undefined && status !== before)
      this.tell('statuschange', { release: this.#release, status, before: before ?? null });
  }

  #select(name: string): void {
    this.tell('select', { name, promotion: this.#promotions.get(name) ?? null, release: this.#release });
  }

  async #decide(promotion: Promotion, verb: 'Approve' | 'Reject'): Promise<void> {
    this.#acting = promotion.id;
    this.#refusal = null;
    this.paint();
    try {
      // What was asked for by what is shown, and nothing that came since.
      const input = { promotionId: promotion.id, attempt: promotion.attempt };
      const { payload } = await ask<{ payload: { userErrors: { message: string }[] } }>(this.source, DECIDE(verb), {
        input,
      });
      this.#refusal = payload.userErrors[0]?.message ?? null;
    } catch (error) {
      this.#refusal = error instanceof Error ? error.message : String(error);
    }
    this.#acting = '';
    this.paint();
  }

  protected override draw() {
    const release = this.#release;
    const view = this.getAttribute('view') ?? 'graph';
    return (
      <div part="release">
        <div class="head" part="head">
          {release && (
            <>
              <strong>{release.shortId}</strong>
              <span>{release.version?.label}</span>
              <Status status={release.status} />
              <time class="note" dateTime={release.createdAt}>
                {exactly(release.createdAt)}
              </time>
            </>
          )}
          <ConnectionNote connection={this.connection} problem={this.problem} />
        </div>
        {release && (view === 'list' ? this.#list() : this.#graph(release))}
        {release && this.#waiting()}
      </div>
    );
  }

  #statusOf(name: string): string {
    return this.#promotions.get(name)?.status ?? 'PENDING';
  }

  #list() {
    return (
      <ul class="list" part="list">
        {this.#planned.map(({ name }) => (
          <li key={name}>
            <button type="button" class="row" part="row" onClick={() => this.#select(name)}>
              {name}
              <Status status={this.#statusOf(name)} />
            </button>
          </li>
        ))}
      </ul>
    );
  }

  #graph(release: Release) {
    const boxes = boxesOf(this.#planned);
    const places = new Map<string, { x: number; y: number; height: number }>();
    const filled: number[] = [];
    for (const box of boxes) {
      const rows = box.isGroup && box.members.length <= MOST_MEMBERS ? box.members.length : 1;
      const height = rows * HEIGHT + (rows - 1) * BETWEEN;
      const y = filled[box.column] ?? PAD;
      filled[box.column] = y + height + BETWEEN * 2;
      places.set(box.name, { x: PAD + box.column * (WIDTH + ACROSS), y, height });
    }
    const width = PAD * 2 + filled.length * (WIDTH + ACROSS) - ACROSS;
    const height = Math.max(0, ...filled) - BETWEEN * 2 + PAD;
    const edges = boxes.flatMap((box) => box.dependsOn.map((from) => [from, box.name] as const));
    return (
      <div
        class="scroll"
        part="scroll"
        role="group"
        aria-label={`Flow ${release.flowName} of ${release.shortId}`}
        tabIndex={0}
      >
        <svg class="graph" part="graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          {edges.map(([from, to]) => {
            const [one, other] = [places.get(from), places.get(to)];
            if (!one || !other) return null;
            const [y1, y2] = [one.y + one.height / 2, other.y + other.height / 2];
            const [x1, x2] = [one.x + WIDTH, other.x];
            const bend = (x2 - x1) / 2;
            return (
              <path
                key={`${from}>${to}`}
                class="edge"
                part="edge"
                d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
              />
            );
          })}
          {boxes.flatMap((box) => this.#box(box, places.get(box.name) ?? { x: 0, y: 0 }))}
        </svg>
      </div>
    );
  }

  #box(box: Box, { x, y }: { x: number; y: number }) {
    if (box.isGroup && box.members.length > MOST_MEMBERS) {
      const statuses = box.members.map((each) => this.#statusOf(each));
      const through = statuses.filter((each) => each === 'SUCCEEDED').length;
      return [this.#node(box.name, worstOf(statuses), x, y, `${through}/${statuses.length} through`)];
    }
    return box.members.map((name, row) => this.#node(name, this.#statusOf(name), x, y + row * (HEIGHT + BETWEEN)));
  }

  #node(name: string, status: string, x: number, y: number, word = toWords(status)) {
    const { tone, icon } = lookOf(status);
    const pick = (): void => this.#select(name);
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      pick();
    };
    return (
      <g
        key={name}
        class={`node ${tone}`}
        part={`node node-${status.toLowerCase()}`}
        transform={`translate(${x} ${y})`}
        role="button"
        // In SVG attributes have the case in which they are written.
        tabindex={0}
        data-name={name}
        data-status={status}
        onClick={pick}
        onKeyDown={onKeyDown}
      >
        <title>{`${name}: ${word}`}</title>
        <rect width={WIDTH} height={HEIGHT} rx="8" />
        <g class="mark" transform="translate(10 18)">
          <circle cx="8" cy="8" r="7" />
          <path d={icon} />
        </g>
        <text class="name" x="34" y="22">
          {name.length > 15 ? `${name.slice(0, 14)}…` : name}
        </text>
        <text class="word" x="34" y="40">
          {word}
        </text>
      </g>
    );
  }

  /** What holds it, and who can end that; with `actions` the button is there. */
  #waiting() {
    const waits = [...this.#promotions.values()].filter(({ status }) => status === 'WAITING' || status === 'SUSPENDED');
    if (waits.length === 0 && this.#refusal === null) return null;
    return (
      <div class="waiting" part="waiting">
        {this.#refusal !== null && (
          <p class="problem" role="alert">
            {this.#refusal}
          </p>
        )}
        <ul>
          {waits.map((promotion) => (
            <li key={promotion.name}>
              <strong>{promotion.name}</strong>
              <span>
                {promotion.waitingFor.map(({ message }) => message.replace(`${promotion.name}: `, '')).join('; ')}
              </span>
              {this.#acts && promotion.status === 'SUSPENDED' && this.#buttons(promotion)}
            </li>
          ))}
        </ul>
      </div>
    );
  }

  #buttons(promotion: Promotion) {
    const { allowed = false, reason = null } = promotion.viewerCan?.approve ?? {};
    const verbs = ['Approve', 'Reject'] as const;
    return verbs.map((verb) => (
      <button
        key={verb}
        type="button"
        class="act"
        part={`action action-${verb.toLowerCase()}`}
        disabled={!allowed || this.#acting !== ''}
        title={allowed ? undefined : (reason ?? undefined)}
        aria-label={`${verb} ${promotion.name}`}
        onClick={() => void this.#decide(promotion, verb)}
      >
        {verb}
      </button>
    ));
  }
}

define('sluice-release', SluiceRelease);
