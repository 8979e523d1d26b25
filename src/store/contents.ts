import type { Pool, PoolClient } from 'pg';
import type { PinnedFile, PinnedFiles, PinnedVersion } from '../drivers/driver.ts';

/** A version as a release keeps it: its files stand in `content`, under its digest. `files` is empty for a version that has none. */
export type KeptVersion = PinnedVersion & { files?: PinnedFiles };

/** File → how it is promoted. */
export type Listing = Record<string, PinnedFile['kind']>;

interface StoredContent {
  digest: string;
  files: PinnedFiles;
  listing: Listing;
}

/** The versions as `release_plan` keeps them, and the files that stand apart, in the order of their digests. */
export function withoutFiles(contents: Record<string, KeptVersion>): {
  versions: Record<string, KeptVersion>;
  apart: StoredContent[];
} {
  const versions: Record<string, KeptVersion> = {};
  const apart = new Map<string, StoredContent>();
  for (const [key, content] of Object.entries(contents)) {
    const { files, ...version } = content;
    const some = files !== undefined && Object.keys(files).length > 0;
    versions[key] = some ? version : content;
    if (some) apart.set(version.digest, { digest: version.digest, files, listing: listingOf(files) });
  }
  return { versions, apart: [...apart.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1)) };
}

function listingOf(files: PinnedFiles): Listing {
  return Object.fromEntries(Object.entries(files).map(([file, { kind }]) => [file, kind]));
}

/** An entry of `contents` without its files, where the release was made before those stood apart. An empty list of files stays. */
export const versionOf = (entry: string): string =>
  `CASE WHEN ${entry}->'files' = '{}' THEN ${entry} ELSE ${entry} - 'files' END`;

/** Of a plan `l`: content key → version. */
export const VERSIONS = `(SELECT coalesce(jsonb_object_agg(e.key, ${versionOf('e.value')}), '{}') FROM jsonb_each(l.contents) AS e)`;

/** What releases pinned, by release and by content key, without its files; their plans stay unread. */
export async function readVersions(
  client: Pool | PoolClient,
  ids: readonly string[],
): Promise<Map<string, Record<string, KeptVersion>>> {
  const { rows } = await client.query<{ id: string; contents: Record<string, KeptVersion> }>({
    name: 'read-versions',
    text: `SELECT l.release_id AS id, ${VERSIONS} AS contents FROM release_plan l WHERE l.release_id = ANY($1)`,
    values: [ids],
  });
  return new Map(rows.map(({ id, contents }) => [id, contents]));
}

/** The files of a version that a release pinned; undefined: the database does not have them. */
export async function readFiles(
  client: Pool | PoolClient,
  release: string,
  content: string,
): Promise<PinnedFiles | undefined> {
  const { rows } = await client.query<{ files: PinnedFiles | null }>({
    name: 'read-files',
    text: `SELECT coalesce(c.files, (l.contents->$2->'files')::json) AS files
           FROM release_plan l LEFT JOIN content c ON c.digest = l.contents->$2->>'digest' WHERE l.release_id = $1`,
    values: [release, content],
  });
  return rows[0]?.files ?? undefined;
}

/** What the versions list that these releases pinned, in the order in which they are asked for; their files stay unread. */
export async function readListings(
  client: Pool | PoolClient,
  asked: readonly { release: string; content: string }[],
): Promise<Listing[]> {
  const { rows } = await client.query<{ listing: Listing | null }>(
    `SELECT coalesce(c.listing, (SELECT jsonb_object_agg(f.key, f.value->>'kind') FROM jsonb_each(l.contents->a.content->'files') AS f)) AS listing
     FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS a(release, content, place)
     LEFT JOIN release_plan l ON l.release_id = a.release
     LEFT JOIN content c ON c.digest = l.contents->a.content->>'digest'
     ORDER BY a.place`,
    [asked.map((each) => each.release), asked.map((each) => each.content)],
  );
  return rows.map((row) => row.listing ?? {});
}

/**
 * What these releases pinned is referred to once more, by a release that is made in the same transaction. Files that one of them has
 * with it, because it was made before they stood apart, are put there now.
 */
export async function referToContents(client: PoolClient, releases: readonly string[], at: number): Promise<void> {
  await client.query(
    `WITH named AS (
       SELECT DISTINCT ON (digest) e.value->>'digest' AS digest, l.release_id, e.key
       FROM release_plan l CROSS JOIN LATERAL jsonb_each(l.contents) AS e WHERE l.release_id = ANY($1) ORDER BY digest
     ), locked AS MATERIALIZED (
       SELECT digest FROM content WHERE digest IN (SELECT digest FROM named) ORDER BY digest FOR NO KEY UPDATE
     ), touched AS (
       UPDATE content c SET referenced_at = greatest(c.referenced_at, $2::timestamptz) FROM locked WHERE c.digest = locked.digest
     )
     INSERT INTO content (digest, files, listing, referenced_at)
     SELECT named.digest, own.files::json, (SELECT jsonb_object_agg(f.key, f.value->>'kind') FROM jsonb_each(own.files) AS f), $2::timestamptz
     FROM named JOIN release_plan l ON l.release_id = named.release_id, LATERAL (SELECT l.contents->named.key->'files' AS files) AS own
     WHERE own.files <> '{}' AND NOT EXISTS (SELECT FROM content c WHERE c.digest = named.digest)
     ORDER BY named.digest
     ON CONFLICT (digest) DO UPDATE SET referenced_at = greatest(content.referenced_at, excluded.referenced_at)`,
    [releases, new Date(at)],
  );
}
