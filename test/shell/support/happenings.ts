import { ENVIRONMENTS } from './definitions.ts';
import type { Mood } from './definitions.ts';
import type { Ground } from './ground.ts';
import type { Rooms } from './rooms.ts';

/** Releases of a world, without its rollbacks. */
const MOST_RELEASES = 12;
const MOST_PUSHES = 16;
/** Where each of them is to come as far as its pull request. */
const FEW_RELEASES = 5;
/** Each one that waits for its answer asks again now and then: without an end to their number no time would pass between their questions. */
const MOST_ASKING = 60;

/** What people do and machines suffer while the world is under way, as the seed has it. */
export class Happenings {
  readonly #ground: Ground;
  readonly #rooms: Rooms;
  #triggered = 0;
  #pushed = 0;

  constructor(ground: Ground, rooms: Rooms) {
    this.#ground = ground;
    this.#rooms = rooms;
  }

  /** Something happens, wherever everything stands right now; while no process answers, people wait instead of asking more. */
  async happen(): Promise<void> {
    const people = this.#rooms.people;
    const { mood } = this.#ground;
    if (people.asked.size >= MOST_ASKING) return;
    const random = this.#ground.random;
    const release = this.#ground.releases.length > 0 ? random.pick(this.#ground.releases.slice(-6)) : null;
    const environment = random.pick(ENVIRONMENTS);
    const living = this.#rooms.processes.living();
    const process = living.length > 0 ? random.pick(living) : null;
    const product = random.pick(this.#ground.drawn.products).name;
    const [job] = this.#ground.queue.ids.length > 0 ? [random.pick(this.#ground.queue.ids)] : [];
    const cut = (listener: boolean) => process && this.#ground.scheduler.cutSomeOf(process, listener);
    const told = random.pick(['DEGRADED', 'PROGRESSING', 'HEALTHY'] as const);
    /** What happens; how often, of a hundred times; in which moods four times as often. */
    const all: [work: () => unknown, weight: number, ...moods: Mood[]][] = [
      [
        () => (this.#triggered += 1) <= (mood === 'PROPOSALS' ? FEW_RELEASES : MOST_RELEASES) && people.trigger(),
        20,
        'CROWD',
        'ROOM',
      ],
      [() => people.approveSome(0.3), 17],
      [() => release && people.terminate(this.#followed() ?? release), 3, 'STOPS', 'ROOM', 'HOOKS', 'WORKFLOWS'],
      [() => release && people.retry(release), 7],
      [() => release && people.onlyOne(release, 'retry'), 4, 'HOOKS'],
      [() => release && people.onlyOne(release, 'skip'), 3, 'HOOKS', 'WORKFLOWS'],
      [() => people.hold(environment), 3, 'GATES'],
      [() => void people.lift(environment), 4, 'GATES'],
      [() => people.close(environment), 3, 'GATES'],
      [() => void people.openAgain(environment), 3, 'GATES'],
      [() => people.edit(), 3],
      [() => people.editPolicy(), 2, 'HOOKS'],
      [() => people.tryOut(), 3],
      [() => people.look(), 5],
      [() => people.report(`${product}-${environment}`, told), 2, 'REPORTS'],
      [() => people.rollout(environment), 3, 'ROLLBACKS'],
      [() => process && this.#rooms.processes.kill(process), 3, 'WORKFLOWS'],
      [
        () =>
          process && living.length > 1 && this.#rooms.processes.restart(this.#rooms.processes.busy(living) ?? process),
        4,
        'GATES',
        'STOPS',
      ],
      [() => this.fault('listener cut', () => cut(true)), 3, 'STOPS'],
      [() => this.fault('connection cut', () => cut(false)), 3],
      [() => this.fault('queue flushed', () => this.#ground.queue.flush()), 1, 'CROWD'],
      [() => job !== undefined && this.fault('job lost', () => this.#ground.queue.lose(job)), 3],
      [() => job !== undefined && this.fault('job given twice', () => this.#ground.queue.stall(job)), 3],
      [() => process && this.#rooms.processes.setClock(process), 2],
    ];
    if (this.#ground.drawn.pushed.length > 0) {
      const pushed = random.pick(this.#ground.drawn.pushed);
      all.push(
        [() => this.#pushed < MOST_PUSHES && this.#push(pushed), 15, 'PUSHES'],
        [() => this.#rooms.pushes.pause(pushed), 2, 'PUSHES'],
        [() => void this.#rooms.pushes.resume(random.chance(0.7) ? pushed : null), 3, 'PUSHES'],
        [() => this.#rooms.pushes.decide(), 2, 'PUSHES'],
      );
    }
    if (this.#ground.drawn.proposed !== null)
      all.push([() => this.#rooms.proposals.act(), this.#rooms.proposals.isOpen ? 12 : 1, 'PROPOSALS']);
    const weights = all.map(([, weight, ...moods]) => (moods.includes(this.#ground.mood) ? 4 * weight : weight));
    let draw = random.whole(
      0,
      weights.reduce((sum, each) => sum + each, 0),
    );
    const chosen = weights.findIndex((weight) => (draw -= weight) <= 0);
    await all[chosen]?.[0]();
  }

  /** A release of which an action follows a workflow that goes on; where worlds are about them. */
  #followed(): string | undefined {
    if (this.#ground.mood !== 'WORKFLOWS' || this.#ground.random.chance(0.3)) return undefined;
    return [...this.#ground.targets.workflows.values()].find(({ goesOn }) => goesOn)?.releaseId;
  }

  async fault(name: string, work: () => unknown): Promise<void> {
    this.#ground.reached.count(`fault ${name}`);
    this.#ground.scheduler.tell(`FAULT ${name}`);
    await work();
  }

  /** Somebody pushes, and soon the trigger environment runs it, and is well. */
  async #push(product: string): Promise<void> {
    if (!(await this.#rooms.pushes.push(product, this.#ground.releases))) return;
    this.#pushed += 1;
    const pause = this.#ground.random.pick([0, 3_000, 20_000]);
    if (this.#ground.random.chance(0.85))
      this.#ground.clock.after('sender', pause, () =>
        this.#rooms.people.report(`${product}-dev`, this.#ground.random.chance(0.9) ? 'HEALTHY' : 'DEGRADED'),
      );
  }
}
