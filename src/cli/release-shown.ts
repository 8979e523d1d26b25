/** A release as the CLI shows it: one flat shape, whatever the nesting of the API. */
export interface ReleaseShown {
  id: string;
  /** `billing#42`. */
  shortId: string;
  /** The bare id, as in logs and commit messages. */
  uuid: string;
  /** FORWARD or ROLLBACK. */
  kind: string;
  product: string;
  version: string;
  /** The commit of the trigger environment that it was pinned from. */
  commit: string | null;
  flow: string;
  status: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  problem: string | null;
  /** What the release as a whole waits for: its turn, a group's health. */
  waitingFor: string[];
  /** In flow order. */
  promotions: PromotionShown[];
  /** Of a rollback: why it is there, and what becomes of each environment. */
  rollback: RollbackPart | null;
  /** Where one release is shown: the actions of its hooks. */
  hooks?: HookShown[];
  /** Where one release is shown: what hosts are told of its commits and pull requests. */
  commitStatuses?: CommitStatusShown[];
  /** Where one release is shown: what it left to be done, such as a pull request to be closed. */
  errands?: ErrandShown[];
}

export interface HookShown {
  /** `ON_FAIL/page`. */
  name: string;
  status: string;
  startedAt: string | null;
  endedAt: string | null;
  lastError: string | null;
}

export interface ErrandShown {
  about: string;
  attempts: number;
  lastError: string | null;
  nextAttemptAt: string;
}

export interface CommitStatusShown {
  context: string;
  repository: string;
  sha: string;
  /** What it is to say. */
  state: string;
  description: string;
  url: string | null;
  /** What the host has taken last. */
  appliedState: string | null;
  attempts: number;
  lastError: string | null;
  nextAttemptAt: string | null;
  /** The host refused it for so long that it is not tried any more. */
  givenUp: boolean;
}

export interface PromotionShown {
  name: string;
  /** The group whose members stand together, if any. */
  group: string | null;
  status: string;
  attempt: number;
  phase: string | null;
  startedAt: string | null;
  endedAt: string | null;
  waitingFor: string[];
  problem: string | null;
  /** The commit that it made in its environment. */
  commit: string | null;
  /** Those that it opened; none where its changes are commits. */
  pullRequests: { number: number | null; url: string | null; state: string }[];
}

export interface RollbackPart {
  cause: { kind: string; environment: string | null; reason: string; by: string | null };
  targets: TargetShown[];
}

export interface TargetShown {
  environment: string;
  decision: string;
  /** Of a rollback that is under way. */
  status?: string;
  reason: string;
  from: { label: string } | null;
  to: { label: string } | null;
  /** Of a plan, where it goes back by pull request. */
  merge?: { may: boolean | null; why: string | null } | null;
}

/** What people call it: a rollback is no release to them. */
export const nounOf = ({ kind }: Pick<ReleaseShown, 'kind'>): string => (kind === 'ROLLBACK' ? 'rollback' : 'release');

/** `1.2.0`; of a rollback `1.2.0 → 1.1.0`, with each version that an environment goes back to. */
export function versionOf({ version, rollback }: Pick<ReleaseShown, 'version' | 'rollback'>): string {
  if (rollback === null) return version;
  const to = [...new Set(rollback.targets.flatMap((each) => each.to?.label ?? []))];
  return `${version} → ${to.join(', ') || '?'}`;
}

/** `us-east FAILED: 3 of 5 pods crash`. */
export function causeOf({ cause }: RollbackPart): string {
  const { environment, kind, by, reason } = cause;
  const what = kind === 'MANUAL' ? (by ?? 'a person') : `${environment ?? 'elsewhere'} ${kind}`;
  return `${what}: ${reason}`;
}
