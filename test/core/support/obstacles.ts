import type { WindowAction } from '../../../src/core/definitions.ts';
import { pauses } from '../../../src/core/gates/answer.ts';
import { marks } from '../../../src/core/holds.ts';
import type { BadVersion, EnvironmentHold } from '../../../src/core/holds.ts';
import type { PlannedPromotion } from '../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../src/core/release.ts';
import type { OtherRelease } from '../../../src/core/release.ts';
import type { RollbackPlan, VersionRef } from '../../../src/core/rollback/rollback.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';
import { MINUTE } from './builders.ts';
import type { Around } from './members.ts';

/** What people and other systems put in the way of promotions: windows, holds, marks, and work of others in an environment. */
export class Obstacles {
  readonly #around: Around;
  /** How long promotions take, as was measured. */
  runway: Record<string, number> = {};
  /** Environments where somebody else of the product is at work, as far as this world is told. */
  taken: Record<string, OtherRelease> = {};
  #windows: ReleaseWindow[] = [];
  #holds: EnvironmentHold[] = [];
  #marks: BadVersion[] = [];

  constructor(around: Around) {
    this.#around = around;
  }

  windowsIn(environment: string): ReleaseWindow[] {
    return this.#windows.filter((each) => each.spec.selector.environments.names?.includes(environment));
  }

  holdsIn(environment: string): EnvironmentHold[] {
    return this.#holds.filter((each) => each.environment === environment);
  }

  /** Of a version, those that count or counted there. */
  marksOn(digest: string, environment: string): BadVersion[] {
    return this.#marks.filter((each) => each.digest === digest && marks(each, environment, []));
  }

  lift(holds: readonly string[]): void {
    this.#holds = this.#holds.filter((each) => !holds.includes(each.id));
  }

  /** Something holds or marks without an end. */
  get areEndless(): boolean {
    return this.#holds.some(({ until }) => until === null) || this.#marks.some(({ expiresAt }) => expiresAt === null);
  }

  mark(version: VersionRef, environment: string, expiresAt: number | null): void {
    const everywhere = this.#around.tape.chance(30);
    this.#marks.push({
      id: `b-${(this.#around.count += 1)}`,
      product: 'billing',
      ...version,
      scope: everywhere ? 'PRODUCT' : 'ENVIRONMENT',
      group: null,
      environments: everywhere ? [] : [environment],
      reason: 'leaks',
      by: 'grace',
      since: this.#around.now,
      expiresAt,
      rollback: null,
    });
  }

  /** A rollback marks what it takes back, and holds where a person asked for it. */
  followUp(rollback: string, { cause, version, markBad }: RollbackPlan, going: string[], included: string[]): void {
    const since = this.#around.now;
    const common = { reason: cause.reason, by: cause.by, since, rollback };
    if (markBad.scope !== 'NONE' && going.length > 0) {
      const expiresAt = markBad.expiresAfter === undefined ? null : since + markBad.expiresAfter;
      const environments = markBad.scope === 'PRODUCT' ? [] : going;
      const { scope } = markBad;
      this.#marks.push({
        ...common,
        ...version,
        id: `b ${rollback}`,
        product: 'billing',
        scope,
        group: null,
        environments,
        expiresAt,
      });
    }
    if (cause.kind !== 'MANUAL') return;
    for (const environment of included) {
      this.#holds.push({ ...common, id: `h ${rollback} ${environment}`, product: 'billing', environment, until: null });
    }
  }

  /** People and other systems put things in the way, and take them away. @returns whether those that wait are to be woken */
  change(): boolean {
    const { tape, now, members, history } = this.#around;
    const environment = tape.pick(this.#around.environments);
    switch (tape.weighted({ taken: 3, window: 4, hold: 5, mark: 4, override: 5, runway: 2, close: 4 })) {
      case 'taken':
        this.taken = Object.keys(this.taken).length > 0 ? {} : { [environment]: { id: 'r-0', called: 'billing#1' } };
        break;
      case 'window':
        if (this.#windows.length > 3 || tape.chance(30)) this.#windows.splice(tape.next(this.#windows.length + 1), 1);
        else this.#windows.push(this.#randomWindow(environment));
        break;
      case 'close': {
        // Where a promotion is at work that such a window pauses: it is caught between two phases, now and then.
        const begun = members.flatMap(({ shell }) =>
          shell.state.promotions.flatMap(({ status, startedAt, evidence }, position) => {
            const open = startedAt !== null && !ENDED_PROMOTION.has(status);
            const place = shell.plan.promotions[position]?.environment ?? null;
            return open && place !== null && evidence?.some(pauses) ? [place] : [];
          }),
        );
        if (this.#windows.length > 3) this.#windows.shift();
        if (begun.length === 0) this.#windows.push(this.#randomWindow(environment, now + tape.next(3) * MINUTE));
        else this.#windows.push(this.#randomWindow(tape.pick(begun), now));
        break;
      }
      case 'hold':
        if (this.#holds.length > 3 || tape.chance(35)) this.#holds.splice(tape.next(this.#holds.length + 1), 1);
        else {
          const until = tape.chance(65) ? now + (1 + tape.next(20)) * MINUTE : null;
          const rollback = tape.chance(40) ? `r-0 ${this.#around.count}` : null;
          const more = { reason: 'audit', by: 'grace', since: now, until, rollback };
          // Often two in one place.
          const held = this.#holds.at(-1)?.environment;
          const place = held !== undefined && tape.chance(50) ? held : environment;
          this.#holds.push({ id: `h-${(this.#around.count += 1)}`, product: 'billing', environment: place, ...more });
        }
        break;
      case 'mark':
        if (this.#marks.length > 2 || tape.chance(40)) this.#marks.splice(tape.next(this.#marks.length + 1), 1);
        else {
          // One that is on its way, or one to which somebody may want to go back.
          const past = history.of(environment).map((each) => each.version);
          const version = tape.chance(60) && past.length > 0 ? tape.pick(past) : tape.pick(members).version;
          this.mark(version, environment, tape.chance(60) ? now + (1 + tape.next(20)) * MINUTE : null);
        }
        break;
      case 'runway':
        // Measured of the product, so mostly known everywhere.
        this.runway = tape.chance(20)
          ? {}
          : Object.fromEntries(this.#around.environments.map((each) => [each, (1 + tape.next(10)) * MINUTE]));
        break;
      case 'override': {
        const open = members.filter(({ shell: each }) => !each.ended);
        const { shell } = tape.pick(open.length > 0 ? open : members);
        const { plan, state } = shell;
        if (plan.promotions.length === 0) return false;
        // Mostly where windows concern it; it may be over before the promotion's turn comes.
        const ahead = [...plan.promotions.keys()].filter((each) => {
          const { environment: there } = plan.promotions[each] as PlannedPromotion;
          const concerned = this.#windows.some(({ spec }) => spec.selector.environments.names?.includes(there ?? ''));
          return concerned && state.promotions[each]?.startedAt === null;
        });
        const aimed = ahead.length > 0 && !tape.chance(20);
        const promotion = aimed ? tape.pick(ahead) : tape.next(plan.promotions.length);
        const windows = this.#windows.filter(() => aimed || tape.chance(70)).map(({ name }) => name);
        if (windows.length === 0) return false;
        const expiresAt = now + (1 + tape.next(aimed ? 3 : 20)) * MINUTE;
        shell.tell({ kind: 'override-windows', promotion, windows, reason: 'outage', by: 'ada', expiresAt });
        return false;
      }
    }
    return true;
  }

  /** `closes`: a DENY that begins then, and pauses. */
  #randomWindow(environment: string, closes?: number): ReleaseWindow {
    const { tape, now, environments } = this.#around;
    const runway = tape.chance(50);
    // A closing that is near is what a runway is for.
    const from = closes ?? now + (runway && tape.chance(50) ? 1 + tape.next(8) : tape.next(30) - 10) * MINUTE;
    const holds: WindowAction[] = tape.pick([
      ['PROMOTE'],
      ['PROMOTE', 'ROLLBACK'],
      ['ROLLBACK'],
      ['PROMOTE', 'APPROVE'],
    ]);
    return {
      name: `w-${(this.#around.count += 1)}`,
      spec: {
        kind: closes === undefined ? tape.pick(['DENY', 'ALLOW']) : 'DENY',
        timeZone: 'UTC',
        from: new Date(from).toISOString(),
        // Now and then one that holds for longer than a flow may take.
        to: new Date(from + (1 + tape.next(30)) * (tape.chance(10) ? 10 : 1) * MINUTE).toISOString(),
        selector: { environments: { names: [environment, tape.pick(environments)] }, products: {} },
        holds,
        onClose: closes === undefined ? tape.pick(['FINISH', 'PAUSE']) : 'PAUSE',
        ...(tape.chance(30) ? { jitter: (1 + tape.next(3)) * MINUTE } : {}),
        runway,
      },
    };
  }

  /** What has an end of its own stays; what would hold for good is taken away. */
  quieten(): void {
    this.taken = {};
    this.runway = {};
    this.#windows = this.#windows.filter(({ spec }) => spec.kind === 'DENY');
    this.#holds = this.#holds.filter(({ until }) => until !== null);
    this.#marks = this.#marks.filter(({ expiresAt }) => expiresAt !== null);
  }
}
