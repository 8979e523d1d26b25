import type { Maker } from '../caller.ts';

/** Who did something, and who made the credential with which it was done. */
export interface Act {
  name: string;
  makers?: readonly Maker[];
}

/**
 * Whether two acts can have been one person's, as far as that is known: they have one name (of e-mail addresses in any case); or one was done with a credential
 * that the other one made (or that was made with a credential of the other one's); or one and the same person made both
 * credentials. The last does not count for a maker who was ADMIN without limits: such an ADMIN has to make the tokens of all others, and
 * could also change the flow. Each caller is compared with the makers of the other's credential in any case.
 */
export function mayBeOne(a: Act, b: Act): boolean {
  const [ofA, ofB] = [a.makers ?? [], b.makers ?? []];
  if (sameName(a.name, b.name) || made(ofA, b.name) || made(ofB, a.name)) return true;
  return ofA.some(({ name, unlimited }) =>
    ofB.some((other) => name !== null && other.name === name && !(unlimited && other.unlimited)),
  );
}

/**
 * The case of an e-mail address does not count: a commit may have `Ada@Example.com` where the identity provider says
 * `ada@example.com`.
 */
export const sameName = (a: string, b: string): boolean =>
  a === b || (a.includes('@') && a.toLowerCase() === b.toLowerCase());

const made = (makers: readonly Maker[], name: string): boolean => makers.some((each) => each.name === name);

/**
 * Puts acts together that can have been one person's, also by way of others.
 * @returns for each act the position of its person; persons are numbered in the order of their first acts
 */
export function personsOf(acts: readonly Act[]): number[] {
  const persons: number[] = [];
  for (const [position, act] of acts.entries()) {
    const same = new Set(
      acts.slice(0, position).flatMap((each, i) => (mayBeOne(each, act) ? [persons[i] as number] : [])),
    );
    const own = Math.min(position, ...same);
    persons.push(own);
    for (let i = 0; i < position; i += 1) if (same.has(persons[i] as number)) persons[i] = own;
  }
  const order = [...new Set(persons)];
  return persons.map((each) => order.indexOf(each));
}
