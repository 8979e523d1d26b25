/**
 * Goes through what a query finds, page by page, each page after the last one of the page before, until a page is not full: a limit is
 * then the size of a page, and nothing lies behind it.
 */
export async function* pages<T>(size: number, read: (after: T | undefined) => Promise<T[]>): AsyncGenerator<T[]> {
  for (let after: T | undefined; ;) {
    const page = await read(after);
    if (page.length > 0) yield page;
    if (page.length < size) return;
    after = page.at(-1);
  }
}
