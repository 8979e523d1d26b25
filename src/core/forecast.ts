import { answerOf, deedOf } from './approvals/gate.ts';
import { createRelease } from './create.ts';
import { spell, parseDuration } from './duration.ts';
import type { GateAnswer } from './gates/answer.ts';
import { nameOf } from './gates/dependencies.ts';
import { environmentGate } from './gates/environment.ts';
import type { Gate } from './gates/gate.ts';
import { holdGate } from './gates/hold.ts';
import { askGates } from './gates/index.ts';
import { windowGate } from './gates/window.ts';
import { diesAt } from './limits.ts';
import { comesAtTheEnd, startOf } from './own-steps.ts';
import type { PlannedGroup, PlannedPromotion, PlannedStep, ReleasePlan } from './plan.ts';
import type { Facts, ReleaseState } from './release.ts';
import { inOrder } from './waiting-order.ts';
import { jitterOf } from './windows/index.ts';

/** What a forecast takes for granted, in milliseconds. */
export interface Assumptions {
  /** How long people take, from when they are asked: to approve, to answer a step, to merge a pull request. Null: nobody knows when they do. */
  people: number | null;
  /** By promotion: how long its work takes, without its soak. Work that is not named takes as long as its own pauses do. */
  work: Readonly<Record<string, number>>;
}

/** What a promotion can wait for in a forecast. MERGE: for people who merge its pull request. MAX_AGE: the release ends before it. */
export type ForecastCause =
  | 'TURN'
  | 'DEPENDENCIES'
  | 'GROUP'
  | 'ENVIRONMENT'
  | 'HOLD'
  | 'WINDOW'
  | 'APPROVAL'
  | 'MERGE'
  | 'MAX_AGE';

/** A time in which something keeps a promotion from going on. Milliseconds since the epoch, UTC; `until` null: no end is known. */
export interface ForecastWait {
  kind: ForecastCause;
  message: string;
  who: string | null;
  from: number;
  until: number | null;
  /** Names of the windows that decide. */
  windows: string[];
  /** Its end is assumed: people are asked. */
  assumed: boolean;
}

/** Milliseconds since the epoch, UTC; null: never, or not known, as `waits` says. */
export interface PromotionForecast {
  /** When what it depends on is met. */
  ready: number | null;
  start: number | null;
  /** From when until when it soaks; null: it does not, or that is not known. */
  soak: { from: number; until: number } | null;
  end: number | null;
  /** By their beginning; those with the same beginning in the order of the gates. */
  waits: ForecastWait[];
}

/** What a release would do that is triggered at one moment. */
export interface ReleaseForecast {
  /** One for each promotion of the plan, in its order. */
  promotions: PromotionForecast[];
  /** For each group of the plan when its gate lets through what depends on it. */
  groups: (number | null)[];
  /** When all of it has succeeded. */
  end: number | null;
  /** Nothing of the release goes on after this: its maxAge. */
  dies: number;
}

/**
 * When each promotion of a release would start at the earliest and end, if the release were triggered at `at`, went well, and everything took
 * as long as is assumed. Holds, windows and the lock are put to their gates, which start promotions, at each moment that is in question; so
 * a start is a moment at which all of them let it through together. Approvals are asked for when the dependencies are met, as they are in a release.
 *
 * What lies behind a moment that is not known is not known either. The jitter of windows is told and not drawn: the forecast has the opening.
 *
 * @param facts as of `at`. Another release that is at work, or goes first, has no known end
 */
export function forecast(plan: ReleasePlan, facts: Facts, at: number, assume: Assumptions): ReleaseForecast {
  return new Foresight(plan, facts, at, assume).tell();
}

/** A start behind so many openings that another gate meets closed is not looked for. */
const MOST_LOOKS = 1_000;

/** Of no release: what depends on the id, the jitter, is taken out. */
const NO_RELEASE = '00000000-0000-4000-8000-000000000000';

interface Passage {
  at: number | null;
  waits: ForecastWait[];
}

class Foresight {
  readonly #plan: ReleasePlan;
  readonly #at: number;
  readonly #assume: Assumptions;
  readonly #state: ReleaseState;
  readonly #facts: Facts;
  readonly #jitter: Readonly<Record<string, number>>;
  readonly #found: (PromotionForecast | undefined)[] = [];

  constructor(plan: ReleasePlan, facts: Facts, at: number, assume: Assumptions) {
    this.#plan = plan;
    this.#at = at;
    this.#assume = assume;
    this.#state = createRelease(NO_RELEASE, plan, '', at, null).state;
    const windows = Object.entries(facts.windows);
    this.#jitter = Object.fromEntries(windows.map(([name, each]) => [name, jitterOf(each, 'PROMOTE')]));
    const drawn = windows.map(([name, each]) => [
      name,
      each.map((window) => ({ ...window, spec: { ...window.spec, jitter: undefined } })),
    ]);
    this.#facts = { ...facts, windows: Object.fromEntries(drawn) };
  }

  tell(): ReleaseForecast {
    const { promotions, groups } = this.#plan;
    const before = startOf(this.#plan);
    if (before >= 0) this.#place(before);
    for (const position of inOrder(this.#plan)) {
      const { own, group } = promotions[position] as PlannedPromotion;
      if (own !== undefined || this.#found[position]) continue;
      if (group === null) this.#place(position);
      else this.#placeGroup(group);
    }
    const ends = promotions.flatMap(({ own }, position) =>
      comesAtTheEnd(own) ? [] : [this.#found[position]?.end ?? null],
    );
    const through = latest([...ends, ...groups.map((_, group) => this.#gate(group))]);
    const after = promotions.findIndex(({ own }) => own === 'ON_SUCCESS');
    if (after >= 0 && through !== null) this.#found[after] = this.#run(after, through, { at: through, waits: [] });
    return {
      promotions: promotions.map((_, position) => this.#found[position] ?? UNKNOWN),
      groups: groups.map((_, group) => this.#gate(group)),
      end: after >= 0 ? (this.#found[after]?.end ?? null) : through,
      dies: diesAt(this.#plan, this.#state),
    };
  }

  /** A promotion that no others share a limit with. */
  #place(position: number): void {
    const ready = this.#ready(position);
    this.#found[position] = this.#run(position, ready.at, this.#pass(position, ready, ready.at));
  }

  /** As many members at once as may: each as soon as it can, those that can at the same moment in the order of the plan. */
  #placeGroup(group: number): void {
    const { name, members, maxParallel } = this.#plan.groups[group] as PlannedGroup;
    const open = members.map((position) => {
      const ready = this.#ready(position);
      return {
        position,
        ready,
        ...this.#pass(position, ready, ready.at),
        full: null as ForecastWait | null,
        asked: true,
      };
    });
    const ends: (number | null)[] = [];
    while (open.length > 0) {
      const first = open.reduce((one, other) => (earlier(other.at, one.at) ? other : one));
      if (!first.asked) {
        // There was no place before: its gates are asked once there may be one.
        const { at, waits } = this.#pass(first.position, { ...first.ready, waits: first.waits }, first.at);
        Object.assign(first, { at, waits, asked: true });
        continue;
      }
      const { at } = first;
      const running = ends.filter((end) => end === null || (at !== null && end > at));
      if (at !== null && running.length >= maxParallel) {
        const until = nth(running, running.length - maxParallel + 1);
        const message = `${maxParallel} of group ${name} ${maxParallel === 1 ? 'runs' : 'run'}, as many as may at once`;
        for (const each of open) {
          if (each.at === null || (until !== null && each.at >= until)) continue;
          const from = each.full?.from ?? each.at;
          each.full = { kind: 'GROUP', message, who: name, from, until, windows: [], assumed: false };
          Object.assign(each, { at: until, asked: until === null });
        }
        continue;
      }
      open.splice(open.indexOf(first), 1);
      const waits = together(first.waits, first.full ? [first.full] : []);
      const found = this.#run(first.position, first.ready.at, { at, waits });
      this.#found[first.position] = found;
      if (found.start !== null) ends.push(found.end);
    }
  }

  /** When its turn has come, what runs before everything is through, and as many of its dependencies are met as it needs. */
  #ready(position: number): Passage {
    const { dependsOn, required, own } = this.#plan.promotions[position] as PlannedPromotion;
    const { behind } = this.#facts;
    const wait = (kind: ForecastCause, who: string, message: string, until: number | null): ForecastWait => {
      return { kind, message, who, from: this.#at, until, windows: [], assumed: false };
    };
    if (behind !== null) {
      const who = `release ${behind.called}`;
      return { at: null, waits: [wait('TURN', who, `${who} goes first`, null)] };
    }
    const before = own === undefined ? startOf(this.#plan) : -1;
    const begins = before < 0 ? this.#at : (this.#found[before]?.end ?? null);
    const times = dependsOn.map((each) =>
      'group' in each ? this.#gate(each.group) : (this.#found[each.promotion]?.end ?? null),
    );
    const met = required === 0 ? begins : nth(times, required);
    const at = latest([begins, met]);
    if (at !== null && at <= this.#at) return { at, waits: [] };
    const decide = met === at ? dependsOn.filter((_, index) => times[index] === at) : [];
    const names =
      decide.length > 0 ? decide.map((each) => nameOf(this.#plan, each)) : [this.#plan.promotions[before]?.name ?? ''];
    return { at, waits: [wait('DEPENDENCIES', names.join(', '), `waits for ${names.join(', ')}`, at)] };
  }

  /** When its gates let it start, not before `from`; people are asked once it is ready. */
  #pass(position: number, { at: ready, waits: before }: Passage, from: number | null): Passage {
    if (ready === null || from === null) return { at: null, waits: before };
    const { pullRequest } = this.#plan.promotions[position] as PlannedPromotion;
    if (pullRequest?.open === 'AT_ONCE') {
      const { at, waits } = this.#open(position, from, TO_PROPOSE);
      return { at, waits: together(before, waits) };
    }
    const asked = this.#approved(position, ready);
    const first = this.#open(position, from, TO_START);
    const again = asked.at !== null && first.at !== null && asked.at > first.at;
    const then = again ? this.#open(position, asked.at as number, TO_START) : first;
    const at = asked.at === null ? null : then.at;
    return { at, waits: together(before, asked.waits, first.waits, again ? then.waits : []) };
  }

  /** When people have agreed; at once where none are asked. */
  #approved(position: number, ready: number): Passage {
    const planned = this.#plan.promotions[position] as PlannedPromotion;
    const { approval } = planned;
    if (approval === null) return { at: ready, waits: [] };
    const { people } = this.#assume;
    const { reason, who = null } = answerOf(approval, null, deedOf(planned), ready);
    const late = people !== null && people >= approval.expiry && approval.onExpiry === 'FAIL';
    const at = people === null || late ? null : ready + people;
    const message = late ? `${reason}, and fails after ${spell(approval.expiry)} without it` : reason;
    const common = { kind: 'APPROVAL' as const, windows: [], assumed: at !== null };
    return { at, waits: [{ ...common, message, who, from: ready, until: at }] };
  }

  /** The first moment from `from` on at which all of these gates hold together. */
  #open(position: number, from: number, gates: readonly Gate[]): Passage {
    const waits: ForecastWait[] = [];
    let now = from;
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const answers = askGates(this.#plan, this.#state, position, this.#facts, now, gates);
      const unmet = answers.filter(({ verdict }) => verdict !== 'pass');
      if (unmet.length === 0) return { at: now, waits };
      waits.push(...unmet.map((each) => this.#toWait(position, each, now)));
      const next = latest(unmet.map(({ recheckAt }) => recheckAt ?? null));
      if (next === null || next <= now) break;
      now = next;
    }
    return { at: null, waits };
  }

  #toWait(position: number, answer: GateAnswer, from: number): ForecastWait {
    const { name, environment } = this.#plan.promotions[position] as PlannedPromotion;
    const spread = answer.gate === 'WINDOW' ? (this.#jitter[environment ?? ''] ?? 0) : 0;
    const late = spread > 0 ? `; its start is spread over the ${spell(spread)} after that` : '';
    return {
      kind: answer.gate as ForecastCause,
      message: `${name}: ${answer.reason}${late}`,
      who: answer.who ?? null,
      from,
      until: answer.recheckAt ?? null,
      windows: answer.gate === 'WINDOW' ? answer.windows : [],
      assumed: false,
    };
  }

  /** From its start to its end. A start after the end of the release is none. */
  #run(position: number, ready: number | null, { at: start, waits: before }: Passage): PromotionForecast {
    const dies = diesAt(this.#plan, this.#state);
    if (start !== null && start >= dies) {
      const message = `the release ends ${new Date(dies).toISOString()}, at its maxAge, before that`;
      const wait = {
        kind: 'MAX_AGE' as const,
        message,
        who: null,
        from: dies,
        until: null,
        windows: [],
        assumed: false,
      };
      return { ready, start: null, soak: null, end: null, waits: together(before, [wait]) };
    }
    if (start === null) return { ready, start, soak: null, end: null, waits: together(before) };
    const merged = this.#merged(position, ready ?? start, start);
    const work = this.#work(position, start, merged.at);
    return { ready, start, soak: work.soak, end: work.end, waits: together(before, merged.waits, work.waits) };
  }

  /** When the change is on the branch, where it is proposed as a pull request. */
  #merged(position: number, ready: number, start: number): Passage {
    const { name, pullRequest } = this.#plan.promotions[position] as PlannedPromotion;
    if (!pullRequest) return { at: start, waits: [] };
    const asked = pullRequest.open === 'AT_ONCE' ? this.#approved(position, ready) : { at: start, waits: [] };
    const { people } = this.#assume;
    const byPeople = pullRequest.merge === 'MANUAL';
    const reviewed = byPeople ? (people === null ? null : start + people) : start;
    const merge = {
      kind: 'MERGE' as const,
      message: `${name}: people merge its pull request`,
      who: 'people who may merge it',
      from: start,
      until: reviewed,
      windows: [],
      assumed: reviewed !== null,
    };
    const waits = [...asked.waits, ...(byPeople ? [merge] : [])];
    const from = latest([asked.at, reviewed]);
    if (from === null) return { at: null, waits };
    const open = this.#open(position, from, TO_MERGE);
    return { at: open.at, waits: [...waits, ...open.waits] };
  }

  /** Its steps, each as soon as those that it needs are through. What is assumed of its work is until its soak. */
  #work(position: number, start: number, merged: number | null): Pick<PromotionForecast, 'soak' | 'end' | 'waits'> {
    const { name, steps } = this.#plan.promotions[position] as PlannedPromotion;
    const waits: ForecastWait[] = [];
    const begins: (number | null)[] = [];
    const ends: (number | null | undefined)[] = [];
    const endOf = (index: number): number | null => {
      const known = ends[index];
      if (known !== undefined) return known;
      ends[index] = null;
      const step = steps[index] as PlannedStep;
      const begin = latest([start, ...step.needs.map(endOf)]);
      begins[index] = begin;
      const answer = this.#stepEnd(name, step, begin, merged, waits);
      ends[index] = answer;
      return answer;
    };
    const end = latest([start, ...steps.map((_, index) => endOf(index))]);
    const soaks = [...steps.keys()].filter((index) => steps[index]?.work.kind === 'soak');
    const longest = Math.max(0, ...soaks.map((index) => soakOf(steps[index] as PlannedStep)));
    const assumed = this.#assume.work[name];
    if (assumed !== undefined) {
      const done = end === null ? null : latest([start + assumed, merged]);
      if (done === null) return { soak: null, end: null, waits };
      return { soak: longest > 0 ? { from: done, until: done + longest } : null, end: done + longest, waits };
    }
    const from = latest(soaks.map((index) => begins[index] ?? null));
    const until = latest(soaks.map((index) => ends[index] ?? null));
    const soak = soaks.length > 0 && from !== null && until !== null ? { from, until } : null;
    return { soak, end, waits };
  }

  #stepEnd(
    name: string,
    step: PlannedStep,
    begin: number | null,
    merged: number | null,
    waits: ForecastWait[],
  ): number | null {
    if (begin === null) return null;
    const { work, id } = step;
    if (work.kind === 'soak') return begin + work.duration;
    if (work.kind === 'merge') return latest([begin, merged]);
    if (work.kind !== 'action') return begin;
    const { type, parameters } = work.action;
    if (type === 'wait') return begin + (parseDuration(String(parameters['duration'])) ?? 0);
    if (type !== 'approval') return begin;
    const { people } = this.#assume;
    const until = people === null ? null : begin + people;
    const who = 'people whom the step asks';
    const common = { kind: 'APPROVAL' as const, who, windows: [], assumed: until !== null };
    waits.push({ ...common, message: `${name}: ${id} asks people`, from: begin, until });
    return until;
  }

  /** When as many members as it needs have been healthy for long enough. */
  #gate(group: number): number | null {
    const { members, required, soak = 0 } = this.#plan.groups[group] as PlannedGroup;
    if (required === 0) return this.#at;
    const times = members.map((each) => this.#found[each]?.end ?? null);
    return nth(
      times.map((end) => (end === null ? null : end + soak)),
      required,
    );
  }
}

const UNKNOWN: PromotionForecast = { ready: null, start: null, soak: null, end: null, waits: [] };

const TO_PROPOSE: readonly Gate[] = [environmentGate, holdGate];
const TO_START: readonly Gate[] = [environmentGate, holdGate, windowGate];
const TO_MERGE: readonly Gate[] = [holdGate, windowGate];

const soakOf = ({ work }: PlannedStep): number => (work.kind === 'soak' ? work.duration : 0);

/** By their beginning; one that goes on where another one of its kind ends is one with it. */
function together(...all: (readonly ForecastWait[])[]): ForecastWait[] {
  const joined: ForecastWait[] = [];
  for (const wait of all.flat()) {
    const before = joined.findLast(({ kind }) => kind === wait.kind);
    const isSame = before && before.message === wait.message;
    if (isSame && (before.until === null || before.until >= wait.from)) {
      before.until = latest([before.until, wait.until]);
    } else joined.push({ ...wait });
  }
  return joined.sort((one, other) => one.from - other.from);
}

function earlier(one: number | null, other: number | null): boolean {
  return one !== null && (other === null || one < other);
}

/** All of them: null when one is. */
function latest(times: readonly (number | null)[]): number | null {
  return times.reduce((max, each) => (max === null || each === null ? null : Math.max(max, each)), -Infinity);
}

/** The `count`-th of them: null when too few have a time. */
function nth(times: readonly (number | null)[], count: number): number | null {
  return times.filter((each) => each !== null).sort((a, b) => a - b)[count - 1] ?? null;
}
