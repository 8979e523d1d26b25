/**
 * Which person counts for which rule: a maximum matching between people and the seats of the rules (Kuhn's algorithm, with
 * rules that have several seats). People are seated in their order; a later one may move an earlier one to another rule,
 * but never out, so an approval that once counted goes on counting.
 *
 * @param seats how many people each rule wants
 * @param people for each person, the positions of the rules that the person counts for
 * @returns for each person the position of the rule, or null when nothing that is missing could be filled
 */
export function seat(seats: readonly number[], people: readonly (readonly number[])[]): (number | null)[] {
  const seated: number[][] = seats.map(() => []);
  const rules = people.map<number | null>(() => null);

  const findSeat = (person: number, tried: Set<number>): boolean => {
    for (const rule of people[person] ?? []) {
      const there = seated[rule];
      if (there === undefined || tried.has(rule)) continue;
      tried.add(rule);
      const free = there.length < (seats[rule] ?? 0);
      const leaves = free ? -1 : there.findIndex((other) => findSeat(other, tried));
      if (!free && leaves < 0) continue;
      if (free) there.push(person);
      else there[leaves] = person;
      rules[person] = rule;
      return true;
    }
    return false;
  };

  for (const person of people.keys()) findSeat(person, new Set());
  return rules;
}
