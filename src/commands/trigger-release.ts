import { createHash, randomUUID } from 'node:crypto';
import type { Parts } from '../parts.ts';
import { createRelease } from '../core/create.ts';
import type { PromotionTemplateSpec, StoredDefinition } from '../core/definitions.ts';
import { selectFlow, whyNone } from '../core/flow-selection.ts';
import { marks } from '../core/holds.ts';
import { lateWarnings } from '../core/late.ts';
import { planRelease as plan } from '../core/planner.ts';
import type { ReleasePlan } from '../core/plan.ts';
import type { Maker } from '../core/caller.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { wrongLabel } from '../core/printable.ts';
import { matchesSelector } from '../core/selectors.ts';
import type { PinnedContent } from '../drivers/driver.ts';
import { activeBadVersions } from '../store/bad-versions.ts';
import type { KeptBadVersion } from '../store/bad-versions.ts';
import { pages } from '../store/pages.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import type { NewRelease } from '../store/insert-release.ts';
import { insertAudited } from './audit-release.ts';
import { once } from './idempotency.ts';
import { makeRoom } from './make-room.ts';
import { markedBad } from './mark-version.ts';
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
  /** The label or digest of the earliest version to which environments may go back once this release ran there. */
  rollbackFloor?: string;
  idempotencyKey?: string;
  /** Release a version that is marked bad all the same: it waits wherever the mark counts. */
  acknowledgeBadVersion?: boolean;
}

/** Everything that a release would freeze, read from the definitions as they are now. */
export interface Planned {
  product: StoredDefinition<'Product'>;
  plan: ReleasePlan;
}

/** Creates a release: pins its source (network, outside any transaction), freezes its plan, and sets it going. */
export function triggerRelease(
  app: Parts,
  input: TriggerInput,
  actor: string | null,
  makers: readonly Maker[] = [],
): Promise<Result<{ releaseId: string }>> {
  return refusable(async () => {
    const keyed = { by: actor, operation: 'triggerRelease', key: input.idempotencyKey, input };
    const releaseId = await once(app, keyed, {
      async before() {
        const definitions = await app.definitions.current();
        const { product, plan } = planFor(definitions, input, app.clock.now().getTime());
        const contents = await pin(app, definitions, product, plan, input);
        const release = freeze(app, product, plan, contents, input, { actor, makers });
        if (input.acknowledgeBadVersion !== true) await refuseBadVersion(app, definitions, release);
        return release;
      },
      async inside(tx, release) {
        const number = await insertAudited(tx, release);
        app.mover.adopt({ ...release, id: release.state.id, number }, release.state);
        return release.state.id;
      },
      single: true,
    });
    await startAndMakeRoom(app, input.product, releaseId);
    return { releaseId };
  });
}

/** What `triggerRelease` would do; nothing is created and nothing is fetched. */
export function planRelease(app: Parts, input: TriggerInput): Promise<Result<Planned>> {
  return refusable(async () => planFor(await app.definitions.current(), input, app.clock.now().getTime()));
}

function planFor(definitions: DefinitionSnapshot, input: TriggerInput, now: number): Planned {
  const product = definitions.products.get(input.product);
  if (!product) throw new RefusedError([refusal('NOT_FOUND', `there is no product "${input.product}"`, ['product'])]);
  const flow = input.flow === undefined ? chooseFlow(definitions, product, input) : namedFlow(definitions, input.flow);
  const { refusals, warnings } = definitions.check(flow);
  if (refusals.length > 0) throw new RefusedError(refusals.map((each) => ({ ...each, path: ['flow', ...each.path] })));
  const { environments, groups, workflows } = definitions;
  const planned = plan({
    product: product.metadata,
    flow: { metadata: flow.metadata, spec: flow.spec, revision: flow.revision },
    environments,
    groups,
    workflows,
    applications: definitions.applicationsOf(input.product),
    warnings,
  });
  if ('refusals' in planned) throw new RefusedError(planned.refusals);
  const { rollbackFloor } = input;
  const late = lateWarnings(planned.plan, (each) => definitions.windowsFor(input.product, each), now);
  planned.plan.warnings.push(...late);
  if (rollbackFloor === undefined) return { product, plan: planned.plan };
  const wrong = wrongLabel(rollbackFloor);
  if (wrong) {
    const message = `the rollback floor ${wrong}: name a version by its label or digest`;
    throw new RefusedError([refusal('INVALID', message, ['rollbackFloor'])]);
  }
  return { product, plan: { ...planned.plan, rollbackFloor } };
}

function namedFlow({ flows }: DefinitionSnapshot, name: string): StoredDefinition<'PromotionFlow'> {
  const flow = flows.find((each) => each.metadata.name === name);
  if (!flow) throw new RefusedError([refusal('NOT_FOUND', `there is no flow "${name}"`, ['flow'])]);
  return flow;
}

/** By the rules, for each environment of the product that triggers a flow; several answers are refused, never picked from. */
function chooseFlow(
  { flows }: DefinitionSnapshot,
  product: StoredDefinition<'Product'>,
  input: TriggerInput,
): StoredDefinition<'PromotionFlow'> {
  const triggers = [...new Set(flows.map((each) => each.spec.triggerEnvironment))];
  const commit = { revision: input.commit };
  const answers = triggers.map((environment) => selectFlow(product, environment, commit, flows));
  const found = [...new Set(answers.flatMap((each) => (each.flow ? [each.flow] : [])))];
  const [only] = found;
  if (only && found.length === 1) return only;
  if (found.length > 1) {
    const names = found.map((each) => `"${each.metadata.name}"`).join(', ');
    throw new RefusedError([
      refusal('AMBIGUOUS_FLOW', `several flows fit: ${names}; name one of them as \`flow\``, ['flow']),
    ]);
  }
  throw new RefusedError([whyNone(product, answers)]);
}

/** A courtesy to whoever triggers: the gate of each promotion decides, whatever is marked or taken back meanwhile. */
async function refuseBadVersion(
  { clock, limits, pool }: Parts,
  definitions: DefinitionSnapshot,
  { product, version, digest, plan: { promotions } }: NewRelease,
): Promise<void> {
  const marked = { product, digest, at: clock.now().getTime() };
  const limit = limits.lifted;
  const found: KeptBadVersion[] = [];
  for await (const page of pages<KeptBadVersion>(limit, (before) =>
    activeBadVersions(pool, { limit, before, ...marked }),
  ))
    found.push(...page);
  const inTheWay = found.filter((each) =>
    promotions.some(
      ({ environment }) => environment !== null && marks(each, environment, definitions.groupsOf(environment)),
    ),
  );
  if (inTheWay.length > 0) throw new RefusedError([markedBad(inTheWay, version)]);
}

const PIN_LIMIT = 60_000;

/** Asks every source at once for the version to be released. */
async function pin(
  app: Parts,
  definitions: DefinitionSnapshot,
  product: StoredDefinition<'Product'>,
  { promotions, triggerEnvironment }: ReleasePlan,
  { commit, version }: TriggerInput,
): Promise<Record<string, PinnedContent>> {
  const applications = definitions.applicationsOf(product.metadata.name);
  const labels = new Map(applications.map((each) => [each.metadata.name, each.metadata.labels]));
  const sources = promotions.find((each) => each.name === triggerEnvironment)?.applications ?? [];
  if (version !== undefined) checkLabel(version, 'the version', 'version');
  const signal = app.clock.limit('pin', PIN_LIMIT);
  const pinned = await Promise.all(
    sources.map(async ({ name, spec }) => {
      const template = templateFor(product, { name, labels: labels.get(name) ?? {} }, definitions.templates);
      try {
        return [
          name,
          await app.drivers.driver(spec.driver).pin(spec.driver, template, { commit, version }, signal),
        ] as const;
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        const reason = signal.aborted ? `it took longer than ${PIN_LIMIT / 1_000} s` : said;
        const message = `the source of application "${name}" in "${triggerEnvironment}" cannot be read: ${reason}`;
        throw new RefusedError([refusal('SOURCE_UNREACHABLE', message, [commit === undefined ? 'product' : 'commit'])]);
      }
    }),
  );
  return Object.fromEntries(pinned);
}

/** @throws RefusedError */
function checkLabel(label: string, what: string, field: string): void {
  const wrong = wrongLabel(label);
  if (wrong) throw new RefusedError([refusal('INVALID', `${what} ${wrong}`, [field])]);
}

/** The product's own template, the one that it names, or the first by priority whose selector matches the application. */
function templateFor(
  product: StoredDefinition<'Product'>,
  application: { name: string; labels: Record<string, string> },
  templates: readonly StoredDefinition<'PromotionTemplate'>[],
): PromotionTemplateSpec | undefined {
  const { promotionTemplate, promotionTemplateRef } = product.spec;
  if (promotionTemplate) return promotionTemplate;
  if (promotionTemplateRef !== undefined)
    return templates.find((each) => each.metadata.name === promotionTemplateRef)?.spec;
  const matching = templates.filter(
    ({ spec }) => spec.applicationSourceSelector && matchesSelector(spec.applicationSourceSelector, application),
  );
  return matching.sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0))[0]?.spec;
}

function freeze(
  app: Parts,
  product: StoredDefinition<'Product'>,
  frozen: ReleasePlan,
  contents: Record<string, PinnedContent>,
  input: TriggerInput,
  { actor, makers }: { actor: string | null; makers: readonly Maker[] },
): NewRelease {
  // What was found in the source while it was pinned is said with what the flow says.
  const found = Object.values(contents).flatMap((each) => each.warnings ?? []);
  const plan = { ...frozen, warnings: [...new Set([...frozen.warnings, ...found])] };
  const pinned = Object.values(contents);
  for (const [name, { label }] of Object.entries(contents))
    checkLabel(label, `the version of application "${name}"`, 'product');
  const version = [...new Set(pinned.map((each) => each.label))].join(' + ') || (input.version ?? '');
  // Several applications are one version: its digest is over all of them.
  const [first] = pinned;
  const digest =
    first && pinned.length === 1
      ? first.digest
      : createHash('sha256')
          .update(
            Object.keys(contents)
              .sort()
              .map((key) => `${key} ${contents[key]?.digest}`)
              .join('\n'),
          )
          .digest('hex');
  const created = createRelease(randomUUID(), plan, version, app.clock.now().getTime(), actor, makers, found);
  return {
    ...created,
    plan,
    contents,
    kind: 'FORWARD',
    product: product.metadata.name,
    version,
    digest,
    concurrency: product.spec.concurrency,
    trigger: { kind: 'MANUAL', actor, commit: input.commit, ...(makers.length > 0 && { makers }) },
  };
}

/** Lets it start if it is its turn; a queue that is longer than the product allows loses its oldest. */
async function startAndMakeRoom(app: Parts, name: string, releaseId: string): Promise<void> {
  // The release exists and the sweep starts it if this process dies right here.
  const started = await app.mover.moveSeen(releaseId, { kind: 'tick' });
  if (started.state.status !== 'QUEUED') return;
  const product = (await app.definitions.current()).products.get(name);
  if (product) await makeRoom(app, product);
}
