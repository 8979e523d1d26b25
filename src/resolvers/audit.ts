import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import { EVERYTHING } from '../core/access/index.ts';
import { AuditConnection, AuditEntry, AuditFilterInput } from '../schema/audit.ts';
import { askedOf, numberIn, PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { listAudit } from '../store/audit-log.ts';
import type { LoggedCommand } from '../store/audit-log.ts';
import { Guarded, may } from './access/rules.ts';
import { checkStorable } from './answers.ts';
import { readsOf } from './reads.ts';

@Resolver()
export class AuditResolver {
  @Guarded(may('READ_AUDIT', () => [EVERYTHING]))
  @Query(() => AuditConnection, { description: 'Every command, newest first.' })
  async auditLog(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AuditFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    filter?: AuditFilterInput | null,
  ): Promise<Connection<AuditEntry>> {
    const asked = askedOf(page);
    const { limit, backwards } = asked;
    checkStorable({ filter });
    const object = filter?.object;
    const { rows, cut } = await listAudit(readsOf(context), {
      limit,
      backwards,
      entries: context.app.limits.entriesPerPage,
      key: numberIn(asked)?.toString(),
      filter: {
        actor: filter?.actor ?? undefined,
        actions: filter?.actions ?? undefined,
        outcomes: filter?.outcomes ?? undefined,
        object: object
          ? { ...(object.kind && { kind: object.kind }), ...(object.name && { name: object.name }) }
          : undefined,
        since: filter?.since ?? undefined,
        until: filter?.until ?? undefined,
      },
    });
    return toConnection(rows, page, ({ id }) => id, toEntry, cut && String(cut[0]).replace('-', ''));
  }
}

function toEntry(row: LoggedCommand): AuditEntry {
  return Object.assign(new AuditEntry(), row, { reasons: row.reasons ?? [] });
}
