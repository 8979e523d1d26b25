import type { Parts } from '../../parts.ts';
import type { StoredDefinition } from '../../core/definitions.ts';
import type { TriggerCommit } from '../../core/trigger/select-flow.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import type { Candidate, TriggerState } from '../../core/trigger/candidate.ts';
import { checkBetween, flowBetween } from '../../core/trigger/between.ts';
import type { Change } from '../../core/trigger/change.ts';
import { asksForRefs } from '../../core/trigger/arrive.ts';
import { chooseFlow, environmentsOfCommits, possibleFlows } from '../../core/trigger/choose-flow.ts';
import type { SourceRevision } from '../../drivers/driver.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import { askSources } from './ask-sources.ts';

/** Where a source stands, and the branches and tags that stand there. */
export interface KnownRevision extends SourceRevision {
  names: string[];
}

/** Environment → application → where its source stands. */
export type Revisions = Record<string, Record<string, KnownRevision>>;

/**
 * Change → Candidate: the flow that the change travels, and the state of the environment in which that begins.
 * @param revisions what was asked of the sources before, in the environments where the choice depends on it
 * @throws RefusedError
 */
export function findCandidate(definitions: DefinitionSnapshot, change: Change, revisions: Revisions = {}): Candidate {
  const product = productOf(definitions, change);
  const { flows } = definitions;
  const { between } = change;
  if (between) checkBetween(between, (name) => definitions.known.environments.has(name));
  const { metadata, spec } = between
    ? flowBetween(between)
    : change.flow === undefined
      ? chooseFlow(product, flows, (environment) => commitOf(change, revisions[environment]))
      : namedFlow(flows, change.flow);
  const environment = spec.triggerEnvironment;
  const { commit, version } = change;
  const sources = definitions.applicationsOf(change.product).filter((each) => each.spec.environment === environment);
  const state: TriggerState = {};
  for (const {
    metadata: { name },
  } of sources)
    state[name] = { commit: revisions[environment]?.[name]?.commit ?? commit, version };
  return { product: change.product, flow: metadata.name, environment, state, ...(between && { between }) };
}

/** Whether the flow is chosen by what the commit is. */
export function dependsOnCommit(definitions: DefinitionSnapshot, change: Change): boolean {
  if (change.flow !== undefined || change.between) return false;
  return environmentsOfCommits(productOf(definitions, change), definitions.flows).length > 0;
}

/** The change as it can turn out: with each flow that it can travel, whatever the commit is. */
export function possibleChanges(definitions: DefinitionSnapshot, change: Change): Change[] {
  if (!dependsOnCommit(definitions, change)) return [change];
  const flows = possibleFlows(productOf(definitions, change), definitions.flows);
  return flows.length === 0 ? [change] : flows.map(({ metadata }) => ({ ...change, flow: metadata.name }));
}

/** Asks the sources for the commits that choose the flow: none where the flow is named, or no entry looks at a commit. */
export async function askRevisions(app: Parts, definitions: DefinitionSnapshot, change: Change): Promise<Revisions> {
  if (change.flow !== undefined || change.between) return {};
  const { product: name, commit, version } = change;
  const product = productOf(definitions, change);
  const about = commit === undefined ? 'product' : 'commit';
  const revisions: Revisions = {};
  for (const environment of environmentsOfCommits(product, definitions.flows))
    revisions[environment] = await askSources(
      app,
      definitions,
      { product: name, environment, about },
      (source, signal) => askRevision(app, product, source, { commit, version }, signal),
    );
  return revisions;
}

/** Branches and tags are asked for only where an entry looks at them: that is an exchange of its own with the host. */
async function askRevision(
  app: Parts,
  product: StoredDefinition<'Product'>,
  { spec: { driver: spec } }: StoredDefinition<'Application'>,
  wanted: { commit?: string; version?: string },
  signal: AbortSignal,
): Promise<KnownRevision> {
  const driver = app.drivers.driver(spec);
  const revision = await driver.revision(spec, wanted, signal);
  if (revision.commit === undefined) return { ...revision, names: [] };
  const own = spec.type === 'git' ? [spec.branch] : [];
  const refs = asksForRefs(product) ? await driver.refs(spec, revision.commit, signal) : undefined;
  return { ...revision, names: [...new Set([...own, ...(refs?.branches ?? []), ...(refs?.tags ?? [])])] };
}

function productOf({ products }: DefinitionSnapshot, { product }: Change): StoredDefinition<'Product'> {
  const found = products.get(product);
  if (!found) throw new RefusedError([refusal('NOT_FOUND', `there is no product "${product}"`, ['product'])]);
  return found;
}

function namedFlow(flows: StoredDefinition<'PromotionFlow'>[], name: string): StoredDefinition<'PromotionFlow'> {
  const flow = flows.find((each) => each.metadata.name === name);
  if (!flow) throw new RefusedError([refusal('NOT_FOUND', `there is no flow "${name}"`, ['flow'])]);
  return flow;
}

/** Of several sources the change is the one that came last. */
export function commitOf({ commit: wanted }: Change, sources: Record<string, KnownRevision> = {}): TriggerCommit {
  const known = Object.values(sources).filter(({ message }) => message !== undefined);
  const [newest] = known.sort((one, other) => Date.parse(other.date ?? '') - Date.parse(one.date ?? ''));
  const revisions = [wanted, newest?.commit, ...(newest?.names ?? [])].filter((each) => each !== undefined);
  return { revisions: [...new Set(revisions)], message: newest?.message };
}
