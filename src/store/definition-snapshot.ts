import type { DataSource } from 'typeorm';
import { visibilityOf } from '../core/access/index.ts';
import type { HeldGrant, Target, Visibility } from '../core/access/index.ts';
import type { StoredDefinition } from '../core/definitions.ts';
import { checkFlow } from '../core/flow.ts';
import type { FlowCheck, Known } from '../core/flow.ts';
import { resolveMembers } from '../core/selectors.ts';
import type { Selectable } from '../core/selectors.ts';
import { selectWindows } from '../core/windows/index.ts';
import type { ReleaseWindow } from '../core/windows/index.ts';
import { allDefinitions } from './definitions.ts';

/** All definitions at one moment, as triggers need them. */
export class DefinitionSnapshot {
  readonly products: ReadonlyMap<string, StoredDefinition<'Product'>>;
  readonly flows: StoredDefinition<'PromotionFlow'>[];
  readonly environments: StoredDefinition<'Environment'>[];
  readonly groups: StoredDefinition<'EnvironmentGroup'>[];
  readonly workflows: StoredDefinition<'PromotionWorkflow'>[];
  readonly templates: StoredDefinition<'PromotionTemplate'>[];
  readonly known: Known;
  readonly #visible = new WeakMap<readonly HeldGrant[], Visibility | null>();
  readonly #windows: ReleaseWindow[];
  readonly #applications = new Map<string, StoredDefinition<'Application'>[]>();
  readonly #checks = new Map<StoredDefinition<'PromotionFlow'>, FlowCheck>();

  constructor(read: {
    products: StoredDefinition<'Product'>[];
    applications: StoredDefinition<'Application'>[];
    flows: StoredDefinition<'PromotionFlow'>[];
    environments: StoredDefinition<'Environment'>[];
    groups: StoredDefinition<'EnvironmentGroup'>[];
    workflows: StoredDefinition<'PromotionWorkflow'>[];
    templates: StoredDefinition<'PromotionTemplate'>[];
    windows: StoredDefinition<'ReleaseWindow'>[];
  }) {
    this.products = new Map(read.products.map((each) => [each.metadata.name, each]));
    this.flows = read.flows;
    this.environments = read.environments;
    this.groups = read.groups;
    this.workflows = read.workflows;
    this.templates = read.templates;
    this.#windows = read.windows.map(({ metadata, spec }) => ({ name: metadata.name, spec }));
    for (const application of read.applications) {
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

  /** What somebody with these grants sees of it; null: everything. Worked out once per list of grants. */
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
}

/** Keeps the newest snapshot; one small read tells whether it is still the newest. */
export class DefinitionSnapshots {
  readonly #dataSource: DataSource;
  #newest: { revision: string; snapshot: DefinitionSnapshot } | null = null;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** `known`: the revision that the caller has just read, in its own transaction. */
  async current(known?: string): Promise<DefinitionSnapshot> {
    let revision = known ?? (await this.#revision());
    while (this.#newest?.revision !== revision) {
      const snapshot = await this.#read();
      // A save between the reads would mix two moments: read until nothing was saved meanwhile.
      const after = await this.#revision();
      if (after === revision) this.#newest = { revision, snapshot };
      revision = after;
    }
    return this.#newest.snapshot;
  }

  async #revision(): Promise<string> {
    const [row] = await this.#dataSource.query<{ revision: string }[]>('SELECT revision FROM definition_clock');
    return row?.revision ?? '0';
  }

  async #read(): Promise<DefinitionSnapshot> {
    const db = this.#dataSource;
    const [products, applications, flows, environments, groups, workflows, templates, windows] = await Promise.all([
      allDefinitions(db, 'Product'),
      allDefinitions(db, 'Application'),
      allDefinitions(db, 'PromotionFlow'),
      allDefinitions(db, 'Environment'),
      allDefinitions(db, 'EnvironmentGroup'),
      allDefinitions(db, 'PromotionWorkflow'),
      allDefinitions(db, 'PromotionTemplate'),
      allDefinitions(db, 'ReleaseWindow'),
    ]);
    return new DefinitionSnapshot({
      products,
      applications,
      flows,
      environments,
      groups,
      workflows,
      templates,
      windows,
    });
  }
}
