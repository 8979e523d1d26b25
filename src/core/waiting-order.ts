import type { ReleasePlan } from './plan.ts';

/** Positions of the promotions, each after everything that it depends on; groups stand behind their members. */
export function inOrder({ promotions, groups }: ReleasePlan): number[] {
  const groupNode = (group: number): number => promotions.length + group;
  const waitsFor = [...promotions.map((each) => each.dependsOn.length), ...groups.map((each) => each.members.length)];
  const dependents: number[][] = waitsFor.map(() => []);
  promotions.forEach(({ dependsOn }, position) => {
    for (const on of dependsOn) dependents['group' in on ? groupNode(on.group) : on.promotion]?.push(position);
  });
  groups.forEach(({ members }, group) => members.forEach((each) => dependents[each]?.push(groupNode(group))));
  const order = waitsFor.flatMap((count, node) => (count === 0 ? [node] : []));
  for (let at = 0; at < order.length; at += 1) {
    for (const dependent of dependents[order[at] as number] as number[]) {
      waitsFor[dependent] = (waitsFor[dependent] as number) - 1;
      if (waitsFor[dependent] === 0) order.push(dependent);
    }
  }
  return order.filter((node) => node < promotions.length);
}
