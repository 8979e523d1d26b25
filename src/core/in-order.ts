const NAMES = new Intl.Collator('en', { numeric: true });

/** Names as people count them: `site-2` before `site-10`. */
export const byName = (one: string, other: string): number => NAMES.compare(one, other);

/** In the order of the flow; members of one group, which it does not order, by name among each other. */
export function inOrder<Each extends { name: string; group?: string | null }>(promotions: readonly Each[]): Each[] {
  const places = new Map<string, number>();
  const keyOf = ({ name, group }: Each): string => (group == null ? `one ${name}` : `group ${group}`);
  for (const [at, each] of promotions.entries()) if (!places.has(keyOf(each))) places.set(keyOf(each), at);
  return promotions.toSorted(
    (one, other) => places.get(keyOf(one))! - places.get(keyOf(other))! || byName(one.name, other.name),
  );
}

/** The promotions of each release together, in the order of its flow; releases as the list has them. */
export function byRelease<Each extends { name: string; group?: { name: string } | null; release: { uuid: string } }>(
  promotions: readonly Each[],
): Each[] {
  const releases = new Map<string, { name: string; group: string | null; each: Each }[]>();
  for (const each of promotions) {
    const { name, group, release } = each;
    const known = releases.get(release.uuid);
    const one = { name, group: group?.name ?? null, each };
    if (known) known.push(one);
    else releases.set(release.uuid, [one]);
  }
  return [...releases.values()].flatMap((all) => inOrder(all).map(({ each }) => each));
}
