import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { reportDeployment } from '../commands/report-deployment.ts';
import { reportHealth } from '../commands/report-health.ts';
import type { Result } from '../commands/result.ts';
import type { ApplicationSpec, StoredDefinition } from '../core/definitions.ts';
import {
  DeploymentReportInput,
  DeploymentReportPayload,
  HealthReportInput,
  HealthReportPayload,
} from '../schema/application.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import { RepositoryLook } from '../schema/repository-look.ts';
import { PageArgs } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { Application, DEFINITION_TYPES, Environment, Product } from '../schema/definition-types.ts';
import { SelectorInput } from '../schema/selector.ts';
import { Guarded, SEES, may } from './access/rules.ts';
import { ifStorable, refused } from './answers.ts';
import { commitWarningsOf, looksOf } from './batches.ts';
import { forget } from './batches.ts';
import { listNodes, readNode, SEARCH } from './definitions.ts';

const { Application: APPLICATION } = DEFINITION_TYPES;

const specOf = (application: Application): ApplicationSpec => application.stored.spec as ApplicationSpec;

@Resolver(() => Application)
export class ApplicationResolver {
  @Guarded(SEES)
  @Query(() => APPLICATION.connection, { description: 'Applications, by name.' })
  async applications(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('selector', () => SelectorInput, { nullable: true, description: 'Which ones; all when left out.' })
    selector?: object,
    @Arg('product', () => String, { nullable: true, description: 'Of the product with this name.' }) product?: string,
    @Arg('environment', () => String, { nullable: true, description: 'In the environment with this name.' })
    environment?: string,
    @Arg('search', () => String, { nullable: true, description: SEARCH }) search?: string,
  ): Promise<Connection<Application>> {
    const where = {
      product: product ?? undefined,
      environment: environment ?? undefined,
      search: search ?? undefined,
    };
    return listNodes(context, APPLICATION, page, selector, where);
  }

  @FieldResolver(() => String, { description: 'The name of the product that it belongs to.' })
  productName(@Root() application: Application): string {
    return specOf(application).product;
  }

  @FieldResolver(() => String, { description: 'The name of the environment that it is deployed to.' })
  environmentName(@Root() application: Application): string {
    return specOf(application).environment;
  }

  @FieldResolver(() => Product, { nullable: true, description: 'The product that it belongs to.' })
  product(@Ctx() context: ApiContext, @Root() application: Application): Promise<Product | null> {
    return readNode(context, { kind: 'Product', type: Product }, specOf(application).product);
  }

  @FieldResolver(() => Environment, { nullable: true, description: 'The environment that it is deployed to.' })
  environment(@Ctx() context: ApiContext, @Root() application: Application): Promise<Environment | null> {
    return readNode(context, { kind: 'Environment', type: Environment }, specOf(application).environment);
  }

  @FieldResolver(() => RepositoryLook, {
    nullable: true,
    description: 'The last look at its repository for changes; null: its repository is not looked at.',
  })
  async look(@Ctx() context: ApiContext, @Root() application: Application): Promise<RepositoryLook | null> {
    const { driver } = specOf(application);
    if (driver.type !== 'git') return null;
    const shown = (await looksOf(context)).get(repositoryKey(driver.repoURL));
    return shown ? new RepositoryLook(shown, driver.branch) : null;
  }

  @FieldResolver(() => [String], {
    description:
      'What the host of its repository will have against the commits of Sluice, as its branch is protected now: asked when this is asked for.',
  })
  warnings(@Ctx() context: ApiContext, @Root() { stored }: Application): Promise<string[]> {
    return commitWarningsOf(context).load(stored as StoredDefinition<'Application'>);
  }

  @Guarded(may('REPORT', ({ input }, lookup) => lookup.application(input.application)))
  @Mutation(() => HealthReportPayload, {
    description: 'Tells how an application is, whose health source is `report`: what waits for that goes on at once.',
  })
  async healthReport(
    @Ctx() context: ApiContext,
    @Arg('input', () => HealthReportInput, { description: 'What was seen.' }) input: HealthReportInput,
  ): Promise<HealthReportPayload> {
    const { application, status, message, at } = input;
    const report = { application, status, message: message ?? undefined, at: at ?? undefined };
    return reported(context, input, () => reportHealth(context.app, report, context.actor));
  }

  @Guarded(may('REPORT', ({ input }, lookup) => lookup.application(input.application)))
  @Mutation(() => DeploymentReportPayload, {
    description:
      'Tells which commit or version an application runs, whose sync source is `report`: what waits for that goes on at once. Another commit or version is no sync.',
  })
  async deploymentReport(
    @Ctx() context: ApiContext,
    @Arg('input', () => DeploymentReportInput, { description: 'What was seen.' }) input: DeploymentReportInput,
  ): Promise<DeploymentReportPayload> {
    const { application, commit, version, at } = input;
    const report = { application, commit: commit ?? undefined, version: version ?? undefined, at: at ?? undefined };
    return reported(context, input, () => reportDeployment(context.app, report, context.actor));
  }
}

/** What who reports something of an application is answered. */
async function reported(
  context: ApiContext,
  input: { application: string },
  report: () => Promise<Result<{ accepted: boolean }>>,
): Promise<HealthReportPayload & DeploymentReportPayload> {
  const result = await ifStorable(input, report);
  forget(context);
  if (result.refusals) return { application: null, accepted: false, userErrors: refused(result.refusals) };
  const { accepted } = result.value;
  return { application: await readNode(context, APPLICATION, input.application), accepted, userErrors: [] };
}
