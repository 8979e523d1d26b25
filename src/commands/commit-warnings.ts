import { unmetRule } from '../core/commit-rules.ts';
import type { CommitLook, CommitRule, Fits } from '../core/commit-rules.ts';
import type { Definition } from '../core/definitions.ts';
import { inlineOf, mergePolicies, policiesFor } from '../core/policies.ts';
import { mayTravel } from '../core/trigger/sources.ts';
import { quote } from '../core/wording.ts';
import type { Parts } from '../parts.ts';
import type { Definitions } from './check-references.ts';

type App = Pick<Parts, 'drivers' | 'config' | 'clock' | 'foreign'>;
type Application = Definition<'Application'>;
type Among = Pick<Definitions, 'all' | 'known'>;

/** What a branch asks of commits, as far as its host tells; `unseen`: what it does not tell, or why it could not be asked. */
interface Told {
  rules: readonly CommitRule[];
  unseen?: string;
}

/**
 * By the name of an application: what the host of its repository will have against the commits that Sluice makes there. The first refused
 * push would say the same, in the middle of a release. Where no secret opens the host's API nothing is asked.
 *
 * Network: each branch is asked for once, all of them for at most ten seconds. A host that does not answer is a warning, and no error.
 */
export async function commitWarnings(
  app: App,
  applications: readonly Application[],
  among: Among,
): Promise<ReadonlyMap<string, string[]>> {
  const signal = app.clock.limit('look', LIMIT);
  const branches = new Map<string, Promise<Told | undefined>>();
  for (const { spec } of applications) {
    if (spec.driver.type !== 'git') continue;
    const { repoURL, branch } = spec.driver;
    const where = placeOf(spec.driver);
    branches.set(where, branches.get(where) ?? ask(app, repoURL, branch, signal));
  }
  const found = new Map<string, string[]>();
  const told = new Map(await Promise.all([...branches].map(async ([where, answer]) => [where, await answer] as const)));
  if (![...told.values()].some((each) => each !== undefined)) return found;
  const methods = await methodsOf(among);
  const said = new Set<string>();
  for (const application of applications) {
    const { driver } = application.spec;
    const where = driver.type === 'git' ? placeOf(driver) : '';
    const answer = told.get(where);
    if (!answer) continue;
    const { rules, unseen } = answer;
    const look = { ...lookOf(app, application), ...methods(application) };
    const fits = await fitsFor(app, rules, look, where, signal);
    const unmet = rules.flatMap((rule) => unmetRule(rule, look, fits) ?? []);
    const warnings = [...new Set(unmet)].map((each) => `${where} ${each}`);
    // Once for a branch, however many applications are in it.
    if (unseen !== undefined && !said.has(where))
      warnings.push(`what ${where} asks of commits is not all known: ${unseen}`);
    said.add(where);
    const { name } = application.metadata;
    if (warnings.length > 0)
      found.set(
        name,
        warnings.map((each) => `Application ${quote(name)}: ${each}`),
      );
  }
  return found;
}

const placeOf = ({ repoURL, branch }: GitDriver): string => `branch ${quote(branch)} of ${repoURL}`;

type GitDriver = Extract<Application['spec']['driver'], { type: 'git' }>;

/** In milliseconds. */
const LIMIT = 10_000;

async function ask({ drivers }: App, repoURL: string, branch: string, signal: AbortSignal): Promise<Told | undefined> {
  // Without a secret for its host there is nothing to ask with.
  const forge = await drivers.forge(repoURL).catch(() => undefined);
  if (!forge) return undefined;
  try {
    const { rules, unseen } = await forge.commitRules(repoURL, branch, { signal });
    return { rules, ...(unseen !== undefined && { unseen: `its secret may not see ${unseen}` }) };
  } catch (error) {
    return { rules: [], unseen: error instanceof Error ? error.message : String(error) };
  }
}

function lookOf({ config }: App, { metadata: { name }, spec }: Application): CommitLook {
  const { product, environment } = spec;
  const { commits } = spec.driver as GitDriver;
  return { commits, email: config.git.authorEmail, product, environment, application: name };
}

/** How pull requests into an application are merged, by the word of a flow or of a policy; nothing where none are opened. */
async function methodsOf(among: Among): Promise<(application: Application) => Pick<CommitLook, 'method'>> {
  const { groups } = await among.known();
  const products = await among.all('Product');
  const environments = await among.all('Environment');
  const flows = await among.all('PromotionFlow');
  const policies = await among.all('PromotionPolicy');
  return ({ spec }) => {
    const product = products.find(({ metadata }) => metadata.name === spec.product);
    const environment = environments.find(({ metadata }) => metadata.name === spec.environment);
    if (!product || !environment) return {};
    const there = policiesFor(policies, product.metadata, { ...environment.metadata, kind: environment.spec.kind });
    for (const flow of flows) {
      const said = mayTravel(product, flow) ? inlineOf(flow.spec, spec.environment, groups) : null;
      const { pullRequest } = said ? mergePolicies(said.inline, there, said.at).merged : {};
      if (pullRequest) return { method: pullRequest.value.method ?? 'OF_HOST' };
    }
    return {};
  };
}

/** Expressions are foreign text: they are worked on where they can hold up nobody. */
async function fitsFor(
  { foreign }: App,
  rules: readonly CommitRule[],
  look: CommitLook,
  where: string,
  signal: AbortSignal,
): Promise<Fits> {
  const asked: { expression: string; text: string }[] = [];
  const collect: Fits = (expression, text) => {
    asked.push({ expression, text });
    return undefined;
  };
  for (const rule of rules) unmetRule(rule, look, collect);
  if (asked.length === 0) return () => undefined;
  const answers = await foreign
    .ask('fits', { asked }, { caller: where, what: `the rules of ${where}`, signal })
    .catch(() => []);
  return (expression, text) =>
    answers[asked.findIndex((each) => each.expression === expression && each.text === text)] ?? undefined;
}
