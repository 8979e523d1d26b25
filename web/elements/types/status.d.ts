/** What `@sluice/elements/status` defines: the element `<sluice-status>`. */
export declare class SluiceStatus extends HTMLElement {
  /** An API token, or a token of the identity provider. */
  token: string | null | undefined;
  /** How the API is asked; the page's own when left out. */
  fetch: typeof globalThis.fetch | null | undefined;
  /** The address of the GraphQL endpoint. */
  endpoint: string;
}
declare global {
  interface HTMLElementTagNameMap {
    'sluice-status': SluiceStatus;
  }
}
