import { createHash, randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { App } from '../app.ts';
import { createRelease } from '../core/create.ts';
import type { PromotionTemplateSpec, StoredDefinition } from '../core/definitions.ts';
import { selectFlow } from '../core/flow-selection.ts';
import { planRelease as plan } from '../core/plan.ts';
import type { ReleasePlan } from '../core/plan.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { matchesSelector } from '../core/selectors.ts';
import type { PinnedContent } from '../drivers/driver.ts';
import { allDefinitions, getDefinition } from '../store/definitions.ts';
import { insertRelease, queuedReleases } from '../store/insert-release.ts';
import { checkFlowNow } from './check-references.ts';
import { earlierResult, onceByKey } from './idempotency.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

export interface TriggerInput {
  product: string;
  /** The commit of the trigger environment to pin; the branch's head when left out. */
  commit?: string;
  /** For drivers without files: the version itself. */
  version?: string;
  /** Chosen by the rules when left out. */
  flow?: string;
  idempotencyKey?: string;
}

type Parts = Pick<App, 'dataSource' | 'drivers' | 'mover' | 'clock' | 'log'>;

/** Everything that a release would freeze, read from the definitions as they are now. */
export interface Planned {
  product: StoredDefinition<'Product'>;
  plan: ReleasePlan;
}

/** Creates a release: pins its source (network, outside any transaction), freezes its plan, and sets it going. */
export function triggerRelease(app: Parts, input: TriggerInput, actor: string | null): Promise<Result<{ releaseId: string }>> {
  return refusable(async () => {
    const keyed = { operation: 'triggerRelease', key: input.idempotencyKey, input };
    const { manager } = app.dataSource;
    const known = await earlierResult(manager, keyed);
    if (known !== null) return { releaseId: known };
    const { product, plan } = await planFor(app, input);
    const contents = await pin(app, product, plan, input);
    const releaseId = await app.dataSource.transaction((tx) =>
      onceByKey(tx, keyed, async () => create(app, tx, product, plan, contents, input, actor)),
    );
    await startAndMakeRoom(app, product, releaseId);
    return { releaseId };
  });
}

/** What `triggerRelease` would do; nothing is created and nothing is fetched. */
export function planRelease(app: Pick<App, 'dataSource'>, input: TriggerInput): Promise<Result<Planned>> {
  return refusable(() => planFor(app, input));
}

async function planFor(app: Pick<App, 'dataSource'>, input: TriggerInput): Promise<Planned> {
  const { manager } = app.dataSource;
  const product = await getDefinition(manager, 'Product', input.product);
  if (!product) throw new RefusedError([refusal('NOT_FOUND', `there is no product "${input.product}"`, ['product'])]);
  const applications = await allDefinitions(manager, 'Application', { product: input.product });
  const flow = input.flow === undefined ? await chooseFlow(manager, product, input) : await namedFlow(manager, input.flow);
  const { refusals, warnings } = await checkFlowNow(manager, flow.spec);
  if (refusals.length > 0) throw new RefusedError(refusals.map((each) => ({ ...each, path: ['flow', ...each.path] })));
  const planned = plan({
    product: product.metadata,
    flow: { metadata: flow.metadata, spec: flow.spec, revision: flow.revision },
    environments: await allDefinitions(manager, 'Environment'),
    groups: await allDefinitions(manager, 'EnvironmentGroup'),
    workflows: await allDefinitions(manager, 'PromotionWorkflow'),
    applications,
    warnings,
  });
  if ('refusals' in planned) throw new RefusedError(planned.refusals);
  return { product, plan: planned.plan };
}

async function namedFlow(manager: EntityManager, name: string): Promise<StoredDefinition<'PromotionFlow'>> {
  const flow = await getDefinition(manager, 'PromotionFlow', name);
  if (!flow) throw new RefusedError([refusal('NOT_FOUND', `there is no flow "${name}"`, ['flow'])]);
  return flow;
}

/** By the rules, for each environment of the product that triggers a flow; several answers are refused, never picked from. */
async function chooseFlow(
  manager: EntityManager,
  product: StoredDefinition<'Product'>,
  input: TriggerInput,
): Promise<StoredDefinition<'PromotionFlow'>> {
  const flows = await allDefinitions(manager, 'PromotionFlow');
  const triggers = [...new Set(flows.map((each) => each.spec.triggerEnvironment))];
  const commit = { revision: input.commit };
  const answers = triggers.map((environment) => selectFlow(product, environment, commit, flows));
  const found = [...new Set(answers.flatMap((each) => (each.flow ? [each.flow] : [])))];
  const [only] = found;
  if (only && found.length === 1) return only;
  if (found.length > 1) {
    const names = found.map((each) => `"${each.metadata.name}"`).join(', ');
    throw new RefusedError([refusal('AMBIGUOUS_FLOW', `several flows fit: ${names}; name one of them as \`flow\``, ['flow'])]);
  }
  const ambiguous = answers.find((each) => each.refusal?.code === 'AMBIGUOUS_FLOW')?.refusal;
  const message = `no flow fits product "${product.metadata.name}": list one in its promotionFlows, give a flow a productSelector, or name one as \`flow\``;
  throw new RefusedError([ambiguous ?? refusal('NO_FLOW', message, ['flow'])]);
}

const PIN_LIMIT = 60_000;

/** Asks every source at once for the version to be released. */
async function pin(
  app: Parts,
  product: StoredDefinition<'Product'>,
  { promotions, triggerEnvironment }: ReleasePlan,
  { commit, version }: TriggerInput,
): Promise<Record<string, PinnedContent>> {
  const templates = await allDefinitions(app.dataSource, 'PromotionTemplate');
  const applications = await allDefinitions(app.dataSource, 'Application', { product: product.metadata.name });
  const labels = new Map(applications.map((each) => [each.metadata.name, each.metadata.labels]));
  const sources = promotions.find((each) => each.name === triggerEnvironment)?.applications ?? [];
  const signal = AbortSignal.timeout(PIN_LIMIT);
  const pinned = await Promise.all(
    sources.map(async ({ name, spec }) => {
      const template = templateFor(product, { name, labels: labels.get(name) ?? {} }, templates);
      try {
        return [name, await app.drivers.driver(spec.driver).pin(spec.driver, template, { commit, version }, signal)] as const;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const message = `the source of application "${name}" in "${triggerEnvironment}" cannot be read: ${reason}`;
        throw new RefusedError([refusal('SOURCE_UNREACHABLE', message, [commit === undefined ? 'product' : 'commit'])]);
      }
    }),
  );
  return Object.fromEntries(pinned);
}

/** The product's own template, the one that it names, or the first by priority whose selector matches the application. */
function templateFor(
  product: StoredDefinition<'Product'>,
  application: { name: string; labels: Record<string, string> },
  templates: StoredDefinition<'PromotionTemplate'>[],
): PromotionTemplateSpec | undefined {
  const { promotionTemplate, promotionTemplateRef } = product.spec;
  if (promotionTemplate) return promotionTemplate;
  if (promotionTemplateRef !== undefined) return templates.find((each) => each.metadata.name === promotionTemplateRef)?.spec;
  const matching = templates.filter(
    ({ spec }) => spec.applicationSourceSelector && matchesSelector(spec.applicationSourceSelector, application),
  );
  return matching.sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0))[0]?.spec;
}

async function create(
  app: Parts,
  tx: EntityManager,
  product: StoredDefinition<'Product'>,
  frozen: ReleasePlan,
  contents: Record<string, PinnedContent>,
  input: TriggerInput,
  actor: string | null,
): Promise<string> {
  const id = randomUUID();
  const pinned = Object.values(contents);
  const version = [...new Set(pinned.map((each) => each.label))].join(' + ') || (input.version ?? '');
  // Several applications are one version: its digest is over all of them.
  const [first] = pinned;
  const digest =
    first && pinned.length === 1
      ? first.digest
      : createHash('sha256').update(Object.keys(contents).sort().map((key) => `${key} ${contents[key]?.digest}`).join('\n')).digest('hex');
  const { state, events } = createRelease(id, frozen, version, app.clock.now().getTime(), actor);
  await insertRelease(tx, {
    state,
    events,
    plan: frozen,
    contents,
    product: product.metadata.name,
    version,
    digest,
    concurrency: product.spec.concurrency,
    trigger: { kind: 'MANUAL', actor, commit: input.commit },
  });
  return id;
}

/** Lets it start if it is its turn; a queue that is longer than the product allows loses its oldest. */
async function startAndMakeRoom(app: Parts, product: StoredDefinition<'Product'>, releaseId: string): Promise<void> {
  // The release exists and the sweep starts it if this process dies right here.
  await app.mover.move(releaseId, { kind: 'tick' });
  const { concurrency, queueLimit } = product.spec;
  const queued = await queuedReleases(app.dataSource, product.metadata.name);
  const keep = concurrency === 'SUPERSEDE' ? 1 : queueLimit;
  for (const id of queued.slice(0, Math.max(0, queued.length - keep))) {
    const reason = concurrency === 'SUPERSEDE' ? `superseded by release ${releaseId}` : `more than ${keep} releases were waiting`;
    await app.mover.move(id, { kind: 'terminate', reason, by: null });
  }
}
