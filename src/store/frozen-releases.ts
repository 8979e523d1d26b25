import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { PinnedContent, PinnedFiles } from '../drivers/driver.ts';
import type { Limits } from '../limits.ts';
import { readFiles, withoutFiles } from './contents.ts';
import type { KeptVersion } from './contents.ts';
import { loadFrozen } from './load-releases.ts';
import type { FrozenRelease } from './load-releases.ts';

/** Where a version is found that a release pinned. */
export interface ContentReference {
  release: string;
  /** Its name among the contents of the release. */
  content: string;
  version: KeptVersion;
}

/**
 * What releases froze, as this process remembers it: plans for the release engine and the API, files for the steps that write them. None of it
 * ever changes. An entry may be evicted at any time: code that works on a release keeps the answer in a variable.
 */
export class FrozenReleases {
  readonly #pool: Pool;
  readonly #releases: LRUCache<string, FrozenRelease>;
  readonly #files: LRUCache<string, PinnedFiles, ContentReference>;

  constructor(pool: Pool, { releasesRemembered: max, contentRemembered: maxSize }: Limits) {
    this.#pool = pool;
    this.#releases = new LRUCache({ max, maxSize, sizeCalculation: planSize });
    this.#files = new LRUCache({
      max,
      maxSize,
      sizeCalculation: filesSize,
      // What is read while others push it out, or store the same, is not remembered, and is answered all the same.
      ignoreFetchAbort: true,
      // Ten environments that ask at once for the files that they bring are one read.
      fetchMethod: (_digest, _old, { context: { release, content } }) => readFiles(pool, release, content),
    });
  }

  /** Of these releases; unknown ids are missing from the answer. */
  async of(ids: readonly string[]): Promise<Map<string, FrozenRelease>> {
    const found = new Map<string, FrozenRelease>();
    for (const id of ids) {
      const known = this.#releases.get(id);
      if (known) found.set(id, known);
    }
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    for (const each of await loadFrozen(this.#pool, missing)) {
      found.set(each.id, each);
      this.#releases.set(each.id, each);
    }
    return found;
  }

  /** A version with its files. */
  async content(reference: ContentReference): Promise<PinnedContent> {
    const { version, release } = reference;
    const files = version.files ?? (await this.#files.fetch(version.digest, { context: reference }));
    if (!files) throw new Error(`the files of version ${version.label}, which release ${release} pinned, are missing`);
    return { ...version, files };
  }

  /** A release that this process has just made: nothing of it needs to be read. */
  adopt(release: FrozenRelease): void {
    const { versions, apart } = withoutFiles(release.contents);
    this.#releases.set(release.id, { ...release, contents: versions });
    for (const { digest, files } of apart) this.#files.set(digest, files);
  }

  /** Once a connection was lost the database may be another one, brought back from a backup. */
  forget(): void {
    this.#releases.clear();
    this.#files.clear();
  }
}

/** By what releases of the same product and flow share. */
const sizes = new WeakMap<object, number>();

// One that is larger than all that may be remembered is simply read again each time.
function planSize({ plan, contents }: FrozenRelease): number {
  const size = sizes.get(plan.promotions) ?? JSON.stringify(plan).length;
  sizes.set(plan.promotions, size);
  return 1_000 + size + JSON.stringify(contents).length;
}

function filesSize(files: PinnedFiles): number {
  let size = 1_000;
  for (const file of Object.values(files))
    size += file.kind === 'whole' ? (file.text ?? file.base64 ?? '').length : JSON.stringify(file).length;
  return size;
}
