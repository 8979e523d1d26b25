import { render, type VNode } from 'preact';
import { follow, type Connection } from './follow.ts';
import type { Source } from './source.ts';

/**
 * What both elements share. Attributes say what to show and nothing secret: `token` and `fetch` are properties. Styles are constructed, so a
 * strict policy of the page needs no exception.
 */
export abstract class LiveElement extends HTMLElement {
  static readonly observedAttributes: readonly string[] = [
    'endpoint',
    'release',
    'product',
    'transport',
    'theme',
    'view',
    'actions',
  ];
  readonly #root: ShadowRoot;
  #token: string | null = null;
  #fetch: typeof fetch | null = null;
  #stop: (() => void) | null = null;
  #begins = false;
  protected connection: Connection = 'connecting';
  protected problem: string | null = null;

  constructor(styles: string) {
    super();
    this.#root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    this.#root.adoptedStyleSheets = [sheet];
  }

  /** An API token, or a token of the identity provider. */
  get token(): string | null {
    return this.#token;
  }

  set token(token: string | null | undefined) {
    if (this.#token === (token ?? null)) return;
    this.#token = token ?? null;
    this.#restart();
  }

  /** How the API is asked; the page's own `fetch` when left out. */
  get fetch(): typeof fetch {
    return this.#fetch ?? ((...asked) => globalThis.fetch(...asked));
  }

  set fetch(given: typeof fetch | null | undefined) {
    this.#fetch = given ?? null;
    this.#restart();
  }

  /** The address of the GraphQL endpoint. */
  get endpoint(): string {
    return this.getAttribute('endpoint') ?? '';
  }

  set endpoint(address: string) {
    this.setAttribute('endpoint', address);
  }

  connectedCallback(): void {
    // A page may have set them before the module was there: then they hide the accessors.
    for (const name of ['token', 'fetch'] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const given = this[name];
      Reflect.deleteProperty(this, name);
      this[name] = given as never;
    }
    this.#restart();
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#stop = null;
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === 'theme' || name === 'view') this.paint();
    else this.#restart();
  }

  protected get source(): Source {
    const transport = this.getAttribute('transport') === 'websocket' ? 'websocket' : 'sse';
    return { endpoint: this.endpoint.replace(/\/$/, ''), fetch: this.fetch, token: this.#token, transport };
  }

  /** What has to be named before anything can be asked; null: it is. */
  protected abstract get missing(): string | null;
  /** Nothing of what was shown counts any more. */
  protected abstract forget(): void;
  protected abstract open(source: Source, signal: AbortSignal): Promise<void>;
  protected abstract changes(source: Source, signal: AbortSignal, connected: () => void): Promise<void>;
  protected abstract draw(): VNode;

  protected paint(): void {
    render(this.draw(), this.#root);
  }

  protected tell(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Once for all properties that are set together. */
  #restart(): void {
    if (this.#begins) return;
    this.#begins = true;
    queueMicrotask(() => {
      this.#begins = false;
      this.#stop?.();
      this.#stop = null;
      if (!this.isConnected) return;
      this.forget();
      const missing = this.endpoint === '' ? 'endpoint' : this.missing;
      if (missing !== null) {
        this.#set('refused', `the attribute ${missing} is missing`);
        return;
      }
      const source = this.source;
      this.#stop = follow({
        open: (signal) => this.open(source, signal),
        changes: (signal, connected) => this.changes(source, signal, connected),
        onConnection: (connection, problem) => this.#set(connection, problem),
        page: document,
      });
    });
  }

  #set(connection: Connection, problem: string | null): void {
    this.connection = connection;
    this.problem = problem;
    this.paint();
  }
}

/** Defined once, also where two pages of a portal bring the module along. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
