import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who stands behind a token: its maker, the maker of the token with which it was made, and so on. Of tokens that are there already
 * only the name of the maker is known. Where that is a service account, any of its tokens can have been the one: all of their
 * makers count. That a maker was ADMIN without limits is taken for granted only where nobody else could have made such a token.
 * Releases that a service account triggered, and that people may still be asked about, get the makers of all its tokens.
 */
export class MakersOfTokens1765150000000 implements MigrationInterface {
  readonly name = 'MakersOfTokens1765150000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_token" ADD "makers" jsonb`);
    await runner.query(`
      WITH RECURSIVE token AS (
        SELECT id, created_by AS maker,
          CASE subject_kind WHEN 'USER' THEN subject ELSE 'service-account/' || subject END AS speaker,
          created_by = 'service-account/admin'
            OR (subject_kind = 'USER' AND created_by <> subject)
            OR (subject_kind = 'SERVICE_ACCOUNT' AND scope IS NULL)
            OR (subject_kind = 'SERVICE_ACCOUNT' AND EXISTS (SELECT 1 FROM jsonb_array_elements(scope) s
                WHERE s->'products' = '{}' AND s->'environments' = '{}')) AS unlimited
        FROM api_token WHERE created_by IS NOT NULL
      ), behind AS (
        SELECT id, speaker, maker, unlimited FROM token
        UNION
        SELECT b.id, b.speaker, t.maker, t.unlimited FROM behind b JOIN token t ON t.speaker = b.maker
          WHERE b.maker LIKE 'service-account/%'
      ), known AS (
        SELECT id, maker, bool_and(unlimited) AS unlimited FROM behind WHERE maker <> speaker GROUP BY id, maker
      )
      UPDATE api_token SET makers = coalesce(
        (SELECT jsonb_agg(jsonb_build_object('name', maker, 'unlimited', unlimited) ORDER BY maker) FROM known WHERE known.id = api_token.id),
        '[]')`);
    await runner.query(`
      UPDATE release r SET trigger = r.trigger || jsonb_build_object('makers', (
        SELECT jsonb_agg(DISTINCT maker) FROM api_token t, jsonb_array_elements(t.makers) maker
        WHERE t.subject_kind = 'SERVICE_ACCOUNT' AND 'service-account/' || t.subject = r.trigger->>'actor'))
      WHERE r.status <> 'SUCCEEDED' AND r.trigger->>'actor' IN (
        SELECT 'service-account/' || subject FROM api_token
        WHERE subject_kind = 'SERVICE_ACCOUNT' AND jsonb_array_length(makers) > 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE release SET trigger = trigger - 'makers' WHERE trigger ? 'makers'`);
    await runner.query(`ALTER TABLE "api_token" DROP COLUMN "makers"`);
  }
}
