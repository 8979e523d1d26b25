import pg from 'pg';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** In quotes it is what somebody typed, in an address or a key it is a part of that. */
const BARE = new RegExp(`(?<![\\w"'/=.:#-])${UUID}(?![\\w"'-]|\\.\\w)`, 'i');

/** Of our commits, for programs. */
const TRAILERS = /^Sluice-[A-Z][a-z]*: .*$/gm;

/** The sentences in a value, however deep, in which people would read a bare id: releases are called `billing#42`. */
export function bareIdsIn(value: unknown): string[] {
  if (typeof value === 'string') return /\s/.test(value) && BARE.test(value.replace(TRAILERS, '')) ? [value] : [];
  if (typeof value !== 'object' || value === null || value instanceof Date) return [];
  return Object.values(value).flatMap(bareIdsIn);
}

/** @throws where there is one */
export function noBareIds<T>(value: T): T {
  const found = bareIdsIn(value);
  if (found.length > 0) throw new Error(`people would read a bare id: ${[...new Set(found)].slice(0, 5).join(' | ')}`);
  return value;
}

/** The same for what the engine has written down for people, in all that a test did. */
export async function noBareIdsKept(databaseUrl: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<{ told: unknown }>(
      `SELECT event AS told FROM logged_event
       UNION ALL SELECT to_jsonb(reason) FROM candidate
       UNION ALL SELECT jsonb_build_array(reason, lift_reason) FROM environment_hold
       UNION ALL SELECT jsonb_build_array(reason, unmark_reason) FROM bad_version
       UNION ALL SELECT to_jsonb(description) FROM commit_status
       UNION ALL SELECT work->'about' FROM outbox WHERE lane = 'errand'
       UNION ALL SELECT to_jsonb(outcome) FROM webhook_delivery WHERE outcome IS NOT NULL`,
    );
    noBareIds(rows);
  } finally {
    await client.end();
  }
}
