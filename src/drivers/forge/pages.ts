/** Of one list: an entry that was touched longer ago is asked for by its number. */
export const MOST_PAGES = 10;

/** Pages of a list until one is not full or `enough` says so; at most ten. */
export async function pages<T>(
  size: number,
  page: (number: number) => Promise<T[]>,
  enough: (some: T[]) => boolean = () => false,
): Promise<T[]> {
  const all: T[] = [];
  for (let number = 1; number <= MOST_PAGES; number += 1) {
    const some = await page(number);
    all.push(...some);
    if (some.length < size || enough(some)) break;
  }
  return all;
}
