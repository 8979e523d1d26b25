export interface Planned {
  name: string;
  environment: string | null;
  production: boolean;
  group: string | null;
  dependsOn: string[];
}

/** What is drawn as one: a promotion, or a group with its members. */
export interface Box {
  name: string;
  isGroup: boolean;
  /** Names of promotions. */
  members: string[];
  dependsOn: string[];
  column: number;
}

/** `site-2` before `site-10`, as in the web app. */
const NAMES = new Intl.Collator('en', { numeric: true });

/** From left to right: each behind everything that it waits for. By the order of the flow within a column, so a status moves nothing. */
export function boxesOf(promotions: readonly Planned[]): Box[] {
  const boxes = new Map<string, Box>();
  for (const { name, group, dependsOn } of promotions) {
    const known = group === null ? undefined : boxes.get(group);
    if (known) known.members.push(name);
    else
      boxes.set(group ?? name, { name: group ?? name, isGroup: group !== null, members: [name], dependsOn, column: 0 });
  }
  const home = new Map(promotions.map(({ name, group }) => [name, group ?? name]));
  for (const box of boxes.values())
    box.dependsOn = [...new Set(box.dependsOn.map((each) => home.get(each) ?? each))].filter((each) => boxes.has(each));
  for (const { members } of boxes.values()) members.sort(NAMES.compare);
  // A flow has no circle; one of a broken answer ends with the count of its boxes.
  for (let round = 0, moved = true; moved && round < boxes.size; round += 1) {
    moved = false;
    for (const box of boxes.values()) {
      const column = Math.max(0, ...box.dependsOn.map((each) => (boxes.get(each) as Box).column + 1));
      if (column > box.column) {
        box.column = column;
        moved = true;
      }
    }
  }
  return [...boxes.values()];
}
