import type { Pool, PoolClient } from 'pg';
import { withConnection } from '../connections.ts';
import { visibilityOf } from '../core/access/index.ts';
import type { HeldGrant, Target, Visibility } from '../core/access/index.ts';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import { checkFlow, sentencesOf } from '../core/flow.ts';
import type { FlowCheck, Known } from '../core/flow.ts';
import type { SyncedFrom, SyncedName } from '../core/git-source.ts';
import { planRelease } from '../core/planner.ts';
import { inlineOf, mergePolicies, policiesFor } from '../core/policies.ts';
import { resolveMembers } from '../core/selectors.ts';
import type { Selectable } from '../core/selectors.ts';
import { selectWindows } from '../core/windows/index.ts';
import type { ReleaseWindow } from '../core/windows/index.ts';
import { readAllDefinitions } from './definitions.ts';
import type { AllDefinitions } from './definitions.ts';

/** Merged settings, with the policies in the order in which they count. */
export interface PolicyAnswer extends ReturnType<typeof mergePolicies> {
  policies: StoredDefinition<'PromotionPolicy'>[];
}

/** All definitions at one moment, as triggers need them. */
export class DefinitionSnapshot {
  readonly products: ReadonlyMap<string, StoredDefinition<'Product'>>;
  readonly flows: StoredDefinition<'PromotionFlow'>[];
  readonly environments: StoredDefinition<'Environment'>[];
  readonly groups: StoredDefinition<'EnvironmentGroup'>[];
  readonly workflows: StoredDefinition<'PromotionWorkflow'>[];
  readonly policies: StoredDefinition<'PromotionPolicy'>[];
  readonly templates: StoredDefinition<'PromotionTemplate'>[];
  readonly sources: StoredDefinition<'GitSource'>[];
  readonly known: Known;
  /** Of them all; see `holdDefinitions`. */
  readonly revision: string;
  readonly #visible = new WeakMap<readonly HeldGrant[], Visibility | null>();
  readonly #synced: ReadonlyMap<string, SyncedName>;
  readonly #windows: ReleaseWindow[];
  readonly #applications = new Map<string, StoredDefinition<'Application'>[]>();
  readonly #checks = new Map<StoredDefinition<'PromotionFlow'>, FlowCheck>();
  readonly #plans = new Map<StoredDefinition<'PromotionFlow'>, Map<string, ReturnType<typeof planRelease>>>();

  constructor(read: AllDefinitions, synced: readonly SyncedName[] = [], revision = '0') {
    this.revision = revision;
    this.#synced = new Map(synced.map((each) => [`${each.kind}/${each.name}`, each]));
    this.products = new Map(read.Product.map((each) => [each.metadata.name, each]));
    this.flows = read.PromotionFlow;
    this.environments = read.Environment;
    this.groups = read.EnvironmentGroup;
    this.workflows = read.PromotionWorkflow;
    this.policies = read.PromotionPolicy;
    this.templates = read.PromotionTemplate;
    this.sources = read.GitSource;
    this.#windows = read.ReleaseWindow.map(({ metadata, spec }) => ({ name: metadata.name, spec }));
    for (const application of read.Application) {
      const { product } = application.spec;
      const same = this.#applications.get(product);
      if (same) same.push(application);
      else this.#applications.set(product, [application]);
    }
    const selectable = this.environments.map(({ metadata, spec: { kind } }) => ({ ...metadata, kind }));
    this.known = {
      environments: new Map(this.environments.map((each) => [each.metadata.name, each])),
      groups: new Map(
        this.groups.map((each) => [each.metadata.name, resolveMembers(each.spec, selectable).map(({ name }) => name)]),
      ),
      workflows: new Map(this.workflows.map((each) => [each.metadata.name, each])),
    };
  }

  /** What a caller with these grants sees of it; null: everything. Worked out once per list of grants. */
  visibleTo(grants: readonly HeldGrant[]): Visibility | null {
    const known = this.#visible.get(grants);
    if (known !== undefined) return known;
    const products = [...this.products.values()].map(({ metadata }) => metadata);
    const environments = this.environments.map(({ metadata, spec }) => ({ ...metadata, kind: spec.kind }));
    const visible = visibilityOf(grants, products, environments);
    this.#visible.set(grants, visible);
    return visible;
  }

  /** As grants select it; a name that nothing has is a thing without labels. */
  product(name: string): Selectable {
    return { name, labels: this.products.get(name)?.metadata.labels ?? {} };
  }

  environment(name: string): Selectable {
    const found = this.environments.find(({ metadata }) => metadata.name === name);
    return { name, labels: found?.metadata.labels ?? {}, kind: found?.spec.kind };
  }

  /** Of a product, in each of these environments; without any: in all that there are or will be. */
  places(product: string, environments: readonly string[]): Target[] {
    const of = this.product(product);
    if (environments.length === 0) return [{ product: of, environment: 'ALL' }];
    return environments.map((name) => ({ product: of, environment: this.environment(name) }));
  }

  /** Which git source has a definition; null: none. */
  syncedFrom(kind: Kind, name: string): SyncedFrom | null {
    return this.#synced.get(`${kind}/${name}`) ?? null;
  }

  applicationsOf(product: string): StoredDefinition<'Application'>[] {
    return this.#applications.get(product) ?? [];
  }

  /** The release windows that concern a product (null: any) in an environment. */
  windowsFor(product: string | null, environment: string): ReleaseWindow[] {
    if (this.#windows.length === 0) return [];
    const here = this.environments.find((each) => each.metadata.name === environment);
    return selectWindows(this.#windows, {
      environment: { name: environment, labels: here?.metadata.labels ?? {}, kind: here?.spec.kind },
      groups: this.groupsOf(environment),
      product:
        product === null ? undefined : { name: product, labels: this.products.get(product)?.metadata.labels ?? {} },
    });
  }

  /** The groups that an environment is a member of now. */
  groupsOf(environment: string): string[] {
    return [...this.known.groups].filter(([, members]) => members.includes(environment)).map(([name]) => name);
  }

  /** A flow is checked once per snapshot, however many releases it gets. */
  check(flow: StoredDefinition<'PromotionFlow'>): FlowCheck {
    const known = this.#checks.get(flow);
    if (known) return known;
    const check = checkFlow(flow.spec, this.known, 'RELEASED');
    this.#checks.set(flow, check);
    return check;
  }

  /** What holds in an environment of a product, with the step of a flow or by policies alone; null: the flow does not promote it. */
  evaluate(product: string, environment: string, flow?: string): PolicyAnswer | null {
    const spec = this.flows.find(({ metadata }) => metadata.name === flow)?.spec;
    if (flow !== undefined && spec === undefined) return null;
    const from = spec ? inlineOf(spec, environment, this.known.groups) : { inline: {} };
    if (from === null) return null;
    const policies = policiesFor(this.policies, this.product(product), this.environment(environment));
    return { policies, ...mergePolicies(from.inline, policies, 'at' in from ? from.at : 'TARGET') };
  }

  /**
   * What the releases of a product along a checked flow freeze, made once per snapshot. All of them have the same one in memory, and none changes it.
   */
  plan(product: StoredDefinition<'Product'>, flow: StoredDefinition<'PromotionFlow'>): ReturnType<typeof planRelease> {
    const { name } = product.metadata;
    const plans = this.#plans.get(flow) ?? new Map<string, ReturnType<typeof planRelease>>();
    this.#plans.set(flow, plans);
    const known = plans.get(name);
    if (known) return known;
    const planned = this.planDraft(product, flow, this.check(flow));
    plans.set(name, planned);
    return planned;
  }

  /** The same of a flow that is not saved, which is not remembered. */
  planDraft(
    product: StoredDefinition<'Product'>,
    flow: Pick<StoredDefinition<'PromotionFlow'>, 'metadata' | 'spec' | 'revision'>,
    check: Pick<FlowCheck, 'warnings'>,
  ): ReturnType<typeof planRelease> {
    return planRelease({
      product: product.metadata,
      flow: { metadata: flow.metadata, spec: flow.spec, revision: flow.revision },
      environments: this.environments,
      groups: this.groups,
      workflows: this.workflows,
      policies: this.policies,
      applications: this.applicationsOf(product.metadata.name),
      warnings: sentencesOf(check.warnings),
    });
  }
}

/**
 * Remembers the snapshot that was read last; a small query tells whether it is still the newest. A snapshot is read in one
 * statement, so it is of one moment, and by one caller for all who want it at that time.
 */
export class DefinitionSnapshots {
  readonly #pool: Pool;
  #newest: Read | null = null;
  /** Has its connection already: a caller that waits for it may hold one, too. */
  #reading: Promise<Read> | null = null;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** As they were when somebody last read them; null: nobody has. What is made of them is checked against their revision. */
  get remembered(): { revision: string; snapshot: DefinitionSnapshot } | null {
    return this.#newest;
  }

  /** As they are now. Never while the caller holds a connection: it takes one. */
  async current(): Promise<DefinitionSnapshot> {
    const known = await this.#known(await revisionOn(this.#pool));
    return known ?? withConnection(this.#pool, async (client) => this.of(client, await revisionOn(client)));
  }

  /**
   * As of `revision`, which the caller has just read on `client`, its own connection, or newer. A transaction that has itself
   * changed definitions must not ask: what it sees may never be.
   */
  async of(client: PoolClient, revision: string): Promise<DefinitionSnapshot> {
    return (await this.#known(revision)) ?? (await this.#read(client)).snapshot;
  }

  /** In the caller's transaction; see `of`. */
  async on(client: PoolClient): Promise<DefinitionSnapshot> {
    return this.of(client, await revisionOn(client));
  }

  /** The database may be another one from here on, whose revisions mean something else. */
  forget(): void {
    this.#newest = null;
  }

  async #known(revision: string): Promise<DefinitionSnapshot | null> {
    if (this.#newest?.revision === revision) return this.#newest.snapshot;
    const read = await this.#reading?.catch(() => null);
    return read?.revision === revision ? read.snapshot : null;
  }

  async #read(client: PoolClient): Promise<Read> {
    const reading = readSnapshot(client);
    this.#reading = reading;
    try {
      const read = await reading;
      this.#newest = read;
      return read;
    } finally {
      if (this.#reading === reading) this.#reading = null;
    }
  }
}

interface Read {
  revision: string;
  snapshot: DefinitionSnapshot;
}

async function revisionOn(client: Pool | PoolClient): Promise<string> {
  const { rows } = await client.query<{ revision: string }>({
    name: 'definition-revision',
    text: 'SELECT revision FROM definition_clock',
  });
  return rows[0]?.revision ?? '0';
}

async function readSnapshot(client: PoolClient): Promise<Read> {
  const { revision, definitions, synced } = await readAllDefinitions(client);
  return { revision, snapshot: new DefinitionSnapshot(definitions, synced, revision) };
}

/**
 * Whether definitions are still those of `revision`; if so, none is changed before the transaction ends: what it forgets is of nothing
 * that is new. False also where they are being changed.
 */
export async function holdDefinitions(client: PoolClient, revision: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM definition_clock WHERE revision = $1 FOR SHARE SKIP LOCKED', [
    revision,
  ]);
  return rowCount === 1;
}
