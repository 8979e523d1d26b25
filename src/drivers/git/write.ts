import { TransientError } from '../driver.ts';
import type { Change } from './changes.ts';
import type { Mirror } from './mirror.ts';
import type { TreeEntry } from './tree.ts';
import { entriesOf } from './tree.ts';

const TREE = '40000';

/**
 * Writes the changes on top of a commit's tree: just the folders that change are read and written. A folder without files is none.
 * @returns the id of the new tree
 */
export async function writeTree(
  mirror: Mirror,
  head: string,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<string> {
  const below = new Map<string, Change>();
  for (const each of changes) below.set(Buffer.from(each.path).toString('latin1'), each);
  const name = `${head}^{tree}`;
  return (
    (await treeWith(mirror, name, below, head.length, signal)) ?? mirror.write('tree', Buffer.alloc(0), head.length)
  );
}

/** Undefined: nothing is left in it. */
async function treeWith(
  mirror: Mirror,
  tree: string | undefined,
  changes: ReadonlyMap<string, Change>,
  idLength: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [found] = tree === undefined ? [] : await mirror.contents([tree], signal);
  if (tree !== undefined && !found) throw new TransientError(`the local copy of "${mirror.url}" has lost "${tree}"`);
  if (changes.size === 0) return found?.id;
  const entries = new Map(found ? entriesOf(found.bytes, idLength).map((each) => [each.name, each]) : []);
  const folders = new Map<string, Map<string, Change>>();
  for (const [path, change] of changes) {
    const cut = path.indexOf('/');
    const name = cut < 0 ? path : path.slice(0, cut);
    if (cut >= 0) folders.set(name, (folders.get(name) ?? new Map<string, Change>()).set(path.slice(cut + 1), change));
    else if (change.mode === null) entries.delete(name);
    else entries.set(name, { mode: change.mode, name, id: await mirror.write('blob', change.bytes, idLength) });
  }
  for (const [name, inside] of folders) {
    const before = entries.get(name);
    const id = await treeWith(mirror, before?.mode === TREE ? before.id : undefined, inside, idLength, signal);
    if (id !== undefined) entries.set(name, { mode: TREE, name, id });
    else if (before?.mode === TREE) entries.delete(name);
  }
  if (entries.size === 0) return undefined;
  const sorted = [...entries.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const bytes = sorted.flatMap(({ mode, name, id }) => [
    Buffer.from(`${mode} ${name}\0`, 'latin1'),
    Buffer.from(id, 'hex'),
  ]);
  return mirror.write('tree', Buffer.concat(bytes), idLength);
}

/** Git sorts a folder as if its name ended in a slash. */
const keyOf = ({ mode, name }: TreeEntry): string => (mode === TREE ? `${name}/` : name);
