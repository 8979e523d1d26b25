/** Behind what is said of a draft that ends with its tab. */
export const NOT_KEPT = ', not kept in this browser: save it before you leave';

/**
 * A draft is open on the page. When the page goes, what stands in a field is taken in, as when the field is left. The browser asks first
 * while `isLossy` says that something would be lost.
 * @returns the draft is closed
 */
export function whileOpen(isLossy: () => boolean): () => void {
  const ask = (event: BeforeUnloadEvent): void => {
    if (isLossy()) event.preventDefault();
  };
  const takeIn = (): void => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  window.addEventListener('beforeunload', ask);
  window.addEventListener('pagehide', takeIn);
  return () => {
    window.removeEventListener('beforeunload', ask);
    window.removeEventListener('pagehide', takeIn);
  };
}
