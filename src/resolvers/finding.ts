import { Ctx, Query, Resolver } from 'type-graphql';
import { checkInstallation } from '../commands/check-installation.ts';
import { EVERYTHING } from '../core/access/index.ts';
import type { ApiContext } from '../schema/context.ts';
import { Finding } from '../schema/finding.ts';
import { Guarded, may } from './access/rules.ts';

@Resolver()
export class FindingResolver {
  @Guarded(may('EDIT_DEFINITIONS', () => [EVERYTHING]))
  @Query(() => [Finding], {
    description: 'What is stored and would be refused today, by kind and name; empty when there is nothing to mend.',
  })
  async findings(@Ctx() { app }: ApiContext): Promise<Finding[]> {
    const found = await checkInstallation(app.pool);
    return found.map((each) => Object.assign(new Finding(), each, { path: each.path.map(String) }));
  }
}
