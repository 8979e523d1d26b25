/** `ROLLED_BACK` as people write it: `Rolled back`. Works for values that a later server adds. */
export function toWords(name: string): string {
  const words = name.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What the API says of `name`, where the name stands beside it already. */
export const without = (name: string | undefined, message: string): string =>
  name !== undefined && message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;

/** How people call a promotion: a hook is one, too, and is called `ON_START` or `staging/ON_FAIL`. */
export function placeName(name: string): string {
  const [, place = 'the release', hook] = /^(?:(.+)\/)?(ON_[A-Z]+)$/.exec(name) ?? [];
  return hook === undefined ? name : `hook ${toWords(hook).toLowerCase()} of ${place}`;
}

/** `3 environments`, `1 environment`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
