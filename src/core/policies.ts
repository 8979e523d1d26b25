import type {
  Definition,
  InlinePolicy,
  PolicySetting,
  PromotionAction,
  PromotionFlowSpec,
  PromotionPolicySpec,
  PullRequestPolicy,
} from './definitions.ts';
import { DEFAULT_PULL_REQUEST } from './definitions.ts';
import { environmentsOf, type Members } from './flow/graph.ts';
import { matchesSelector, type Selectable } from './selectors.ts';
import { quote } from './wording.ts';

/**
 * What is done in an environment, where several have a say: the step of the flow, and every policy that selects the product and the
 * environment. Each setting by itself is what the first of them says that says anything. The step comes first, then policies by their
 * number, the smallest one first, then by name. `locked` is what a policy insists on, wherever it stands in that order:
 *
 * - an action can only become stricter, from commit to pr; `none` beside a locked other one, or the other way round, is a contradiction;
 * - a workflow before or after the change runs besides the one that is chosen, and in front of it;
 * - how pull requests are made is taken as it is.
 *
 * In the trigger environment the change is there already: only the workflow after it counts.
 *
 * `planRelease` freezes the answer for each environment, members of a group included; `evaluatePolicy` of the API shows the same.
 */

/** Who said it. A revision counts the saves of the policy. */
export type SettingOrigin =
  | { by: 'FLOW' }
  | { by: 'POLICY'; policy: string; revision: number; priority: number; locked?: true }
  | { by: 'DEFAULT' };

export interface Chosen<T> {
  value: T;
  from: SettingOrigin;
}

/** Every setting of an environment, with where it comes from. */
export interface MergedPolicy {
  /** Names of workflows, in the order in which they run. */
  preActions: Chosen<string>[];
  /** Null in the trigger environment. */
  action: Chosen<PromotionAction> | null;
  postActions: Chosen<string>[];
  /** For action pr, null otherwise. */
  pullRequest: Chosen<PullRequestPolicy> | null;
}

/** What of it a release freezes: what is empty is left out, and how pull requests are made stands in the promotion. */
export interface FrozenPolicy extends Partial<Omit<MergedPolicy, 'action' | 'pullRequest'>> {
  action?: Chosen<PromotionAction>;
  pullRequest?: SettingOrigin;
}

/** REFUSED: nothing can be planned by it. NOTE: worth knowing to somebody who asks, and nothing to warn of each time. */
export interface PolicyFinding {
  kind: 'MISSING' | 'CONTRADICTION' | 'TIE' | 'OVERRIDDEN' | 'UNUSED';
  severity: 'REFUSED' | 'WARNING' | 'NOTE';
  setting: PolicySetting;
  message: string;
}

export type RankedPolicy = Definition<'PromotionPolicy'> & { revision: number };

/** The policies for a product in an environment, in the order in which they count, whatever the order of `all`. */
export function policiesFor<P extends Definition<'PromotionPolicy'>>(
  all: readonly P[],
  product: Selectable,
  environment: Selectable,
): P[] {
  return all
    .filter(({ spec: { selector } }) => {
      return (
        matchesSelector(selector.product, product) &&
        matchesSelector(selector.targetEnvironment, environment) &&
        hasTag(selector.productTags, product) &&
        hasTag(selector.targetEnvironmentTags, environment)
      );
    })
    .sort((a, b) => a.spec.priority - b.spec.priority || (a.metadata.name < b.metadata.name ? -1 : 1));
}

function hasTag(tags: readonly string[] | undefined, { labels }: Selectable): boolean {
  return tags === undefined || tags.some((key) => Object.hasOwn(labels, key));
}

/** What a flow says of an environment by itself, in the form of `mergePolicies`; null: the flow does not promote it. */
export function inlineOf(
  { triggerEnvironment, triggerWorkflow, steps }: PromotionFlowSpec,
  environment: string,
  groups: Members,
): { inline: InlinePolicy; at: 'TRIGGER' | 'TARGET' } | null {
  if (environment === triggerEnvironment) return { inline: { postAction: triggerWorkflow }, at: 'TRIGGER' };
  const step = steps.find((each) => environmentsOf(each, groups).includes(environment));
  return step ? { inline: step.policy ?? {}, at: 'TARGET' } : null;
}

/** How strict each is. `none` is no way of making the change, and so neither stricter nor less strict. */
const STRICTNESS: Record<PromotionAction, number> = { none: 0, commit: 1, pr: 2 };

/**
 * What holds in one environment, and what is to be said of it.
 * @param inline what the step of the flow says; of the trigger environment, its workflow as `postAction`
 * @param policies in the order of `policiesFor`
 */
export function mergePolicies(
  inline: InlinePolicy,
  policies: readonly RankedPolicy[],
  at: 'TRIGGER' | 'TARGET' = 'TARGET',
): { merged: MergedPolicy; findings: PolicyFinding[] } {
  const merging = new Merging(inline, policies);
  const postActions = merging.workflows('postAction');
  const merged: MergedPolicy = { preActions: [], action: null, postActions, pullRequest: null };
  if (at === 'TRIGGER') return { merged, findings: merging.findings };
  merged.preActions = merging.workflows('preAction');
  merged.action = merging.action();
  if (merged.action.value === 'pr') merged.pullRequest = merging.pullRequest();
  merging.judge(merged);
  return { merged, findings: merging.findings };
}

export function frozenPolicy({ preActions, action, postActions, pullRequest }: MergedPolicy): FrozenPolicy {
  return {
    ...(preActions.length > 0 && { preActions }),
    ...(action && { action }),
    ...(postActions.length > 0 && { postActions }),
    ...(pullRequest && { pullRequest: pullRequest.from }),
  };
}

/** One who says something, with all that it says. */
interface Voice {
  policy: InlinePolicy;
  from: SettingOrigin;
  locked: readonly PolicySetting[];
}

/** A voice that says this setting. */
interface Said<S extends PolicySetting> extends Chosen<NonNullable<InlinePolicy[S]>> {
  locked: boolean;
}

class Merging {
  readonly findings: PolicyFinding[] = [];
  readonly #inline: InlinePolicy;
  readonly #voices: Voice[];

  constructor(inline: InlinePolicy, policies: readonly RankedPolicy[]) {
    this.#inline = inline;
    this.#voices = [{ policy: inline, from: { by: 'FLOW' }, locked: [] }, ...policies.map(voiceOf)];
  }

  workflows(setting: 'preAction' | 'postAction'): Chosen<string>[] {
    const all = this.#said(setting);
    const [first] = all;
    if (!first) return [];
    const running = [...all.filter(({ locked }) => locked), first];
    const names = running.map(({ value }) => value);
    this.#noteTie(setting, first, all, names);
    return running.filter(({ value }, index) => names.indexOf(value) === index).map(chosen);
  }

  action(): Chosen<PromotionAction> {
    const all = this.#said('action');
    const [first] = all;
    if (!first) {
      const message = 'neither the flow nor a policy sets the action: it is commit';
      this.#find('MISSING', 'NOTE', 'action', message);
      return { value: 'commit', from: { by: 'DEFAULT' } };
    }
    const locked = all.filter((each) => each.locked);
    let strictest = first;
    for (const each of locked) if (STRICTNESS[each.value] > STRICTNESS[strictest.value]) strictest = each;
    const against = locked.find(({ value }) => (value === 'none') !== (first.value === 'none'));
    if (against) {
      const message = `${wordsOf(first)} says action ${first.value}, and ${wordsOf(against)} has locked ${against.value}: change one of them`;
      this.#find('CONTRADICTION', 'REFUSED', 'action', message);
    } else if (strictest !== first) {
      const message = `${wordsOf(first)} says action ${first.value}, and ${wordsOf(strictest)} has locked ${strictest.value}, which is stricter`;
      this.#find('OVERRIDDEN', 'WARNING', 'action', message);
    }
    this.#noteTie('action', first, all, [strictest.value]);
    return chosen(strictest);
  }

  pullRequest(): Chosen<PullRequestPolicy> {
    const all = this.#said('pullRequest');
    const taken = all.find(({ locked }) => locked) ?? all[0];
    if (!taken) return { value: DEFAULT_PULL_REQUEST, from: { by: 'DEFAULT' } };
    this.#noteTie('pullRequest', taken, all, []);
    return chosen(taken);
  }

  /** What can only be seen of all settings together. */
  judge({ action, preActions }: MergedPolicy): void {
    if (action?.value === 'none' && preActions.length === 0) {
      const message = `action none of ${wordsOf(action)} changes nothing by itself: name a preAction that does the work, in the step or in a policy, or use action commit`;
      this.#find('MISSING', 'REFUSED', 'preAction', message);
    }
    if (action?.value !== 'pr' && this.#inline.pullRequest !== undefined) {
      const message = `the flow says how pull requests are made, and the action is ${action?.value}: none is opened`;
      this.#find('UNUSED', 'WARNING', 'pullRequest', message);
    }
  }

  /** Everyone who says it, in the order in which they count. */
  #said<S extends PolicySetting>(setting: S): Said<S>[] {
    return this.#voices.flatMap(({ policy, from, locked }) => {
      const value = policy[setting];
      return value === undefined ? [] : [{ value, from, locked: locked.includes(setting) }];
    });
  }

  /** @param counts other values that hold, whoever came first */
  #noteTie<S extends PolicySetting>(
    setting: S,
    first: Said<S>,
    all: readonly Said<S>[],
    counts: readonly Said<S>['value'][],
  ): void {
    const { from } = first;
    if (from.by !== 'POLICY') return;
    const known = new Set([first.value, ...counts].map((each) => JSON.stringify(each)));
    const tied = all.flatMap(({ from: other, value }) =>
      other.by === 'POLICY' && other.priority === from.priority && !known.has(JSON.stringify(value))
        ? [other.policy]
        : [],
    );
    if (tied.length === 0) return;
    const names = [from.policy, ...tied].map(quote).join(', ');
    const message = `policies ${names} set ${setting} with the same priority ${from.priority}: the first by name counts; give them different numbers`;
    this.#find('TIE', 'WARNING', setting, message);
  }

  #find(
    kind: PolicyFinding['kind'],
    severity: PolicyFinding['severity'],
    setting: PolicySetting,
    message: string,
  ): void {
    this.findings.push({ kind, severity, setting, message });
  }
}

function voiceOf({ metadata, spec, revision }: RankedPolicy): Voice {
  const { priority, policy, locked }: PromotionPolicySpec = spec;
  return { policy, from: { by: 'POLICY', policy: metadata.name, revision, priority }, locked };
}

function chosen<S extends PolicySetting>({ value, from, locked }: Said<S>): Chosen<Said<S>['value']> {
  return { value, from: locked && from.by === 'POLICY' ? { ...from, locked } : from };
}

function wordsOf({ from }: Chosen<unknown>): string {
  return from.by === 'POLICY' ? `policy ${quote(from.policy)}` : 'the flow';
}
