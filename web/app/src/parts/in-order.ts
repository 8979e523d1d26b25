export { byName, byRelease, inOrder } from '../../../../src/core/in-order.ts';

/** Sorts as `names` stand; what is not among them stands last, as it stood. */
export function asIn<Each>(
  names: readonly string[],
  nameOf: (each: Each) => string | undefined,
): (one: Each, other: Each) => number {
  const places = new Map(names.map((name, at) => [name, at]));
  const placeOf = (each: Each): number => places.get(nameOf(each) ?? '') ?? names.length;
  return (one, other) => placeOf(one) - placeOf(other);
}
