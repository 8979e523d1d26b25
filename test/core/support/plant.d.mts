/** Bugs of a list that name code which stands nowhere any more, in words. */
export function outdated(list: object): string[];
