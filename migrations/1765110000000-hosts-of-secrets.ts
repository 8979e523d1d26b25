import type { MigrationInterface, QueryRunner } from 'typeorm';

interface Row {
  name: string;
  use: { kind: string; hosts: string[]; assumed?: true };
}

/**
 * Secrets without hosts went wherever a definition sent them. From now on a secret without hosts goes nowhere; those that are stored
 * keep the hosts to which definitions and open releases send them on this day, and are marked: whoever knows their value is to name
 * their hosts.
 */
export class HostsOfSecrets1765110000000 implements MigrationInterface {
  readonly name = 'HostsOfSecrets1765110000000';

  async up(runner: QueryRunner): Promise<void> {
    const secrets = (await runner.query(
      `SELECT name, use FROM "secret" WHERE use->>'kind' = 'REFERENCE' AND jsonb_array_length(use->'hosts') = 0 FOR UPDATE`,
    )) as Row[];
    if (secrets.length === 0) return;
    const sending = (await runner.query(
      `SELECT spec AS value FROM "application" WHERE spec::text LIKE '%\${secrets.%'
       UNION ALL SELECT spec FROM "promotion_workflow" WHERE spec::text LIKE '%\${secrets.%'
       UNION ALL SELECT p.plan FROM "release_plan" p JOIN "release" r ON r.id = p.release_id
         WHERE r.ended_at IS NULL AND p.plan::text LIKE '%\${secrets.%'`,
    )) as { value: unknown }[];
    const found = new Map(secrets.map(({ name }) => [name, new Set<string>()]));
    for (const { value } of sending) collect(value, found);
    for (const { name, use } of secrets) {
      const hosts = [...found.get(name)!].sort().slice(0, MOST);
      await runner.query('UPDATE "secret" SET use = $2 WHERE name = $1', [
        name,
        JSON.stringify({ ...use, hosts, assumed: true }),
      ]);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE "secret" SET use = jsonb_set(use - 'assumed', '{hosts}', '[]') WHERE use->>'kind' = 'REFERENCE' AND use ? 'assumed'`,
    );
  }
}

const MOST = 100;
const HOST = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Wherever something has a `url`, what it refers to beside it is sent there. */
function collect(value: unknown, found: Map<string, Set<string>>): void {
  if (typeof value !== 'object' || value === null) return;
  const { url } = value as { url?: unknown };
  const host = typeof url === 'string' ? hostOf(url) : null;
  if (host !== null)
    for (const [, name = ''] of JSON.stringify(value).matchAll(/\$\{secrets\.([^{}]*)\}/g)) found.get(name)?.add(host);
  for (const each of Object.values(value)) collect(each, found);
}

function hostOf(url: string): string | null {
  const authority = /^https?:\/\/[^/?#]*/i.exec(url)?.[0];
  if (authority === undefined || authority.includes('${') || !URL.canParse(authority)) return null;
  const host = new URL(authority).hostname;
  return HOST.test(host) ? host : null;
}
