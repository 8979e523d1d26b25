import { isChange } from '../../../src/core/plan.ts';
import type { PlannedApplication, PlannedPromotion } from '../../../src/core/plan.ts';
import type { DeploymentFact, LiveVersion, Verification } from '../../../src/core/release.ts';
import type { PastDeployment, RollbackQuestion } from '../../../src/core/rollback/plan-rollback.ts';
import type { RollbackPlan, RollbackTarget, VersionRef } from '../../../src/core/rollback/rollback.ts';
import { claim } from './claim.ts';

/** Its target is asked whether it runs the change. */
function isSynced({ steps }: PlannedPromotion, application: number): boolean {
  return steps.some((each) => each.work.kind === 'sync' && each.application === application);
}

/** What was deployed where, as the records say, and what is really there. */
export class History {
  readonly #past: Map<string, PastDeployment[]>;
  #live: Record<string, LiveVersion> = {};
  /** Application → digest of the version that was last applied. */
  readonly #actual = new Map<string, string>();
  /** Application → digest of what its target runs, which comes after it was applied. */
  readonly #runs = new Map<string, string>();
  /** What was ever found healthy: `environment digest`. */
  readonly #proven = new Set<string>();
  /** Which release had changed which application, and where. */
  readonly #records = new Map<string, string[]>();
  readonly #source: string;

  constructor(environments: string[], source: string) {
    this.#past = new Map(environments.map((each) => [each, []]));
    this.#source = source;
  }

  of(environment: string): PastDeployment[] {
    return this.#past.get(environment) ?? [];
  }

  /** Never changed: a new one with every record. */
  live(): Record<string, LiveVersion> {
    return this.#live;
  }

  /** Somebody had brought it there before. */
  begin(planned: PlannedPromotion, version: VersionRef, at: number, verified: Verification | null): void {
    if (planned.environment === null) return;
    planned.applications.forEach((_, application) => {
      this.apply(planned, application, version);
      const fact = { promotion: 0, application, at, commit: null };
      this.record(`before ${version.label}`, planned, { ...fact, verified: null }, version, false);
      if (verified === null) return;
      // Its sync source may be younger than that.
      const how = isSynced(planned, application) ? verified : 'HEALTH_ONLY';
      this.record(`before ${version.label}`, planned, { ...fact, verified: how }, version, false);
    });
  }

  apply({ applications }: PlannedPromotion, application: number, { digest }: VersionRef): void {
    this.#actual.set((applications[application] as PlannedApplication).name, digest);
  }

  /** As the store keeps it: one record per release and application, the newest one is live. */
  record(
    release: string,
    planned: PlannedPromotion,
    fact: DeploymentFact,
    version: VersionRef,
    rollback: boolean,
  ): void {
    const environment = planned.environment as string;
    const { name } = planned.applications[fact.application] as PlannedApplication;
    if (fact.verified === null || environment === this.#source)
      this.#live = { ...this.#live, [name]: { id: `${release}/${name}`, ...version } };
    const changed = this.#records.get(`${release} ${environment}`) ?? [];
    if (!changed.includes(name)) this.#records.set(`${release} ${environment}`, [...changed, name]);
    const past = this.of(environment);
    const known = past.findIndex((each) => each.release === release);
    const verifiedAt = fact.verified === null ? null : fact.at;
    const unsynced = fact.verified === 'HEALTH_ONLY' && isSynced(planned, fact.application);
    if (fact.verified !== null && !unsynced) this.#proven.add(`${environment} ${version.digest}`);
    if (known >= 0 && fact.verified !== null)
      Object.assign(past[known] as PastDeployment, { verifiedAt: fact.at, ...(unsynced && { unsynced }) });
    else {
      if (known >= 0) past.splice(known, 1);
      past.unshift({
        version,
        release,
        at: fact.at,
        verifiedAt,
        state: 'KNOWN',
        markedBad: false,
        rollback,
        floor: null,
        ...(unsynced && { unsynced }),
      });
    }
  }

  /** The release had made a change there, and something else is live in one of the applications. */
  isOvertaken(release: string, environment: string): boolean {
    const changed = this.#records.get(`${release} ${environment}`) ?? [];
    return changed.some((application) => this.#live[application]?.id !== `${release}/${application}`);
  }

  /** The target takes up what was last applied; what it runs now. */
  rollOut(application: string): string | undefined {
    const actual = this.#actual.get(application);
    if (actual !== undefined) this.#runs.set(application, actual);
    return actual;
  }

  runs(application: string): string | undefined {
    return this.#runs.get(application);
  }

  /** Whoever has SUCCEEDED runs there, really and by the records. */
  claimLive(release: string, planned: PlannedPromotion, version: VersionRef): void {
    const { environment, restores, steps } = planned;
    if (environment === null || environment === this.#source) return;
    const { digest } = restores?.to ?? version;
    const applied = new Set(steps.flatMap((each) => (isChange(each.work) ? [each.application] : [])));
    planned.applications.forEach(({ name }, index) => {
      if (!applied.has(index)) return;
      claim(
        this.#actual.get(name) === digest,
        `${release} succeeded in ${environment}, and ${this.#actual.get(name)} is live, not ${digest}`,
      );
      if (isSynced(planned, index))
        claim(
          this.#runs.get(name) === digest,
          `${release} succeeded in ${environment}, and its target runs ${this.#runs.get(name)}, not ${digest}`,
        );
      claim(
        this.#live[name]?.digest === digest,
        `${release} succeeded in ${environment}, and the records say otherwise`,
      );
    });
  }

  /** A rollback restores the newest version that was proven there and that nothing speaks against. */
  claimGood(
    { environment, to, from }: RollbackTarget,
    { version: bad }: RollbackPlan,
    question: RollbackQuestion,
  ): void {
    const facts = question.environments.find((each) => each.name === environment);
    const past = facts?.history ?? [];
    claim(
      to !== null && this.#proven.has(`${environment} ${to.digest}`),
      `${environment} goes back to what was never good there`,
    );
    const digest = to?.digest ?? '';
    claim(digest !== bad.digest && digest !== from?.digest, `${environment} goes back to the bad version`);
    claim(facts?.rollback === null, `${environment} goes back while it goes back`);
    claim(
      !past.some((each) => each.version.digest === digest && each.markedBad),
      `${environment} goes back to a marked version`,
    );
    const [live] = past;
    const byItself = question.asked === null;
    const arrives = facts?.inFlight?.version.digest === bad.digest && live?.version.digest !== bad.digest;
    if (byItself && !arrives) claim(!live?.rollback, `${environment}: a rollback is rolled back`);
    const candidates = past.filter(
      (each, index) =>
        each.verifiedAt !== null &&
        !each.unsynced &&
        !each.markedBad &&
        each.version.digest !== bad.digest &&
        each.version.digest !== from?.digest &&
        !past.slice(0, index + 1).some((one, place) => {
          const after = past[place - 1];
          return (
            after?.rollback && one.version.digest === each.version.digest && after.version.digest !== one.version.digest
          );
        }),
    );
    claim(
      candidates[0]?.version.digest === digest,
      `${environment} goes back to ${digest}, not to ${candidates[0]?.version.digest}`,
    );
  }
}
