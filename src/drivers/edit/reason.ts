import type { AliasNode, Location, Node } from './node.ts';
import { nodeAt, wordsFor } from './node.ts';
import type { Wishes } from './wishes.ts';

/** Why a document cannot become what is wished for: the anchor, its aliases, and what to do. */
export function reasonFor(root: Node, place: Location, wishes: Wishes): string {
  const shared = sharedAt(root, place);
  if (!shared) return `the promoted values cannot be written without changing ${wordsFor(place)} as well`;
  const { alias, at, merged } = shared;
  const anchor = placeOf(root, alias.target);
  const through = `${merged ? 'the merge (<<) of ' : ''}*${alias.name} at ${wordsFor(at)}`;
  const inner = wordsFor([...anchor, ...place.slice(at.length)]);
  const others = aliasesOf(root, alias)
    .map((each) => wordsFor(each))
    .filter((each) => each !== wordsFor(at));
  const also = others.length === 0 ? '' : `, and ${others.slice(0, 5).join(', ')}`;
  if (isWished(wishes, place))
    return (
      `${wordsFor(place)} is reached through ${through}: it stands at the anchor &${alias.name} (${inner}), and changing it there ` +
      `changes ${wordsFor(anchor)}${also} as well. Promote ${inner} too, or write the value at ${wordsFor(at)} itself`
    );
  return (
    `${wordsFor(anchor)} has the anchor &${alias.name}, and ${wordsFor(place)} would change with it through ${through}. ` +
    `Promote ${wordsFor(place)} too, or give it a value of its own`
  );
}

function isWished({ want, children }: Wishes, place: Location): boolean {
  if (want || place.length === 0) return true;
  const next = children.get(place[0]!);
  return next !== undefined && isWished(next, place.slice(1));
}

/** An alias or a merge, and where it stands. */
export interface Shared {
  alias: AliasNode;
  at: Location;
  merged: boolean;
}

/** The last alias or merge on the way to a place. */
export function sharedAt(root: Node, place: Location): Shared | undefined {
  let found: Shared | undefined;
  for (let end = 0; end <= place.length; end += 1) {
    const at = place.slice(0, end);
    const node = nodeAt(root, at);
    if (!node) return found;
    if (node.kind === 'alias') found = { alias: node, at, merged: false };
    const target = node.kind === 'alias' ? node.target : node;
    const key = place[end];
    if (target.kind !== 'map' || typeof key !== 'string' || target.entries.has(key)) continue;
    const merge = target.merges?.find((each) => nodeAt(each, [key]));
    if (merge?.kind === 'alias') found = { alias: merge, at, merged: true };
  }
  return found;
}

function placeOf(root: Node, wanted: Node): Location {
  return [...walk(root, [])].find(({ node }) => node === wanted)?.location ?? [];
}

const aliasesOf = (root: Node, { target }: AliasNode): Location[] =>
  [...walk(root, [])]
    .filter(({ node }) => node.kind === 'alias' && node.target === target)
    .map(({ location }) => location);

/** What stands in the text, without what aliases repeat; what a merge brings in is told by the map that it stands in. */
function* walk(node: Node, location: Location): Generator<{ node: Node; location: Location }> {
  yield { node, location };
  if (node.kind === 'list') for (const [index, each] of node.items.entries()) yield* walk(each, [...location, index]);
  if (node.kind !== 'map') return;
  for (const [key, each] of node.entries) yield* walk(each, [...location, key]);
  for (const each of node.merges ?? []) yield { node: each, location };
}
