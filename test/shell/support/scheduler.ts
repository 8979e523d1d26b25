import pg from 'pg';
import type { Random } from '../../../chaos/random.ts';
import type { Clock, Timer } from '../../../src/clock.ts';
import type { Seam, SeamClient, SeamKind, Seams } from '../../../src/seams.ts';
import type { Reached } from '../../core/support/reached.ts';

/** What the seed can do to what passes a seam. */
export type Fate =
  | 'through'
  | 'cut before'
  | 'answer lost'
  | 'fails'
  | 'late'
  | 'answer late'
  | 'lost'
  | 'killed before'
  | 'killed after';

const FATES: Record<SeamKind, readonly Fate[]> = {
  connection: ['cut before', 'late', 'killed before'],
  statement: ['cut before', 'answer lost', 'fails', 'late', 'answer late', 'killed before', 'killed after'],
  queue: ['fails', 'answer lost', 'late', 'killed before', 'killed after'],
  notice: ['lost', 'late', 'killed before'],
  timer: ['late', 'killed before', 'killed after'],
};

/** What seldom passes meets a fault more often. */
const RARE: Partial<Record<SeamKind, number>> = { notice: 0.3, queue: 0.06 };

/** What a sore spot does: a process that dies at each of its rounds would never get anywhere. */
const isSoreness = (fate: Fate): boolean => !fate.startsWith('killed');
/** The part of the places that are sore in a world, and how often they are. */
const SORE_PLACES = 0.06;
const SORENESS = 0.25;

/** A simulated process: everything of it passes its seams, and nothing of it goes on once it is dead. */
export interface Mortal {
  name: string;
  dead: boolean;
  /** Milliseconds by which its machine's time of day is off. */
  skew: number;
  /** Faults that it met. */
  faults: number;
}

interface Parked {
  process: Mortal;
  kind: SeamKind;
  /** What it is, for the counts and the trace. */
  name: string;
  client: SeamClient | null;
  order: number;
  /** Not before this time. */
  from: number;
  go(fate: Fate): Promise<void>;
}

interface Flight {
  client: SeamClient | null;
  parked: Parked;
}

interface Waking {
  at: number;
  process: Mortal;
  name: string;
  order: number;
  work(): void;
}

/** A promise does not hold. */
class Broken extends Error {
  override readonly name = 'BrokenPromise';
}

export interface SchedulerParts {
  databaseUrl: string;
  random: Random;
  reached: Reached;
  /** The process dies where it stands. */
  kill(process: Mortal): Promise<void>;
  /** Between any two actions: promises that can be looked at, and what else the world does. */
  onQuiet(): Promise<void>;
}

/**
 * Lets one thing happen at a time. Whatever the processes ask of the outside stops at its seam; when nothing moves any more,
 * the seed picks what goes on next, and how: through, late, lost, cut off before or after, or as the last thing that its process
 * does. Time stands still while anything can go on, except where the seed has it pass. So the order of everything is the seed's,
 * and hours pass in milliseconds.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #random: Random;
  readonly #monitor: pg.Client;
  readonly trace: string[] = [];
  now = Date.UTC(2026, 0, 5, 10);
  /** No more faults. */
  calm = false;
  /** The part of what passes that meets a fault. */
  trouble = 0.02;
  passOver: readonly string[] = [];
  steps = 0;
  /** How often time passed although something could go on: all that is under way is slow then. */
  slowed = 0;
  /** Statements that may have changed something. */
  writes = 0;
  #parked: Parked[] = [];
  readonly #flying = new Set<Flight>();
  /** Of these PostgreSQL said that they wait for a lock, and no transaction has ended since. */
  readonly #waiting = new Set<Flight>();
  #timers: Waking[] = [];
  readonly #clients = new Map<Mortal, Set<SeamClient>>();
  /** The advisory and row locks that a client's transaction took, by what took them. */
  readonly #locks = new Map<SeamClient, string[]>();
  /** Place → something is wrong with it all the time, in this world. */
  readonly #sore = new Map<string, readonly Fate[]>();
  #order = 0;
  #stirred = 0;
  #landed: (() => void) | null = null;
  #broken: Broken | null = null;
  #closed = false;
  /** Connections that listen, and how many notices are on their way to them. */
  readonly #listening = new Set<SeamClient>();
  #onTheirWay = 0;
  /** Connections whose transactions have told something, which the others hear when they commit. */
  readonly #telling = new Set<SeamClient>();

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#random = parts.random;
    this.#monitor = new pg.Client({ connectionString: parts.databaseUrl });
  }

  async open(): Promise<void> {
    await this.#monitor.connect();
    await this.#monitor.query(`SELECT set_config('search_path', 'pg_catalog, public', false)`);
    await this.#tellTime();
  }

  /** Whoever asks afterwards is not answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#monitor.end();
  }

  /** Outside of the world: passes no seam. */
  async ask<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    if (this.#closed) return new Promise<never>(() => undefined);
    return (await this.#monitor.query<R>(text, values)).rows;
  }

  break(promise: string): void {
    if (this.passOver.some((each) => promise.startsWith(each))) return;
    this.#broken ??= new Broken(promise);
  }

  tell(line: string): void {
    this.trace.push(`${((this.now - Date.UTC(2026, 0, 5, 10)) / 1000).toFixed(1)} ${line}`);
    if (this.trace.length > 4_000) this.trace.splice(0, 1_000);
  }

  seamsOf(process: Mortal): Seams {
    const clients = new Set<SeamClient>();
    this.#clients.set(process, clients);
    return {
      pass: <T>(seam: Seam, go: () => Promise<T>) => {
        if (seam.kind === 'connection') clients.add(seam.client);
        return this.#pass(process, seam, go);
      },
    };
  }

  clockOf(process: Mortal): Clock {
    const after = (name: string, ms: number, work: () => void): Timer => {
      const waking = { at: this.now + Math.max(0, ms), process, name, order: (this.#order += 1), work };
      if (!process.dead) this.#timers.push(waking);
      return { cancel: () => void (this.#timers = this.#timers.filter((each) => each !== waking)) };
    };
    return {
      now: () => new Date(this.now + process.skew),
      elapsed: () => this.now,
      after,
      sleep: (name, ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason as Error);
          const stop = (): void => {
            timer.cancel();
            reject(signal?.reason as Error);
          };
          const timer = after(name, ms, () => {
            signal?.removeEventListener('abort', stop);
            resolve();
          });
          signal?.addEventListener('abort', stop, { once: true });
        }),
      limit: (name, ms) => {
        const controller = new AbortController();
        after(name, ms, () => controller.abort(new DOMException('the time is over', 'TimeoutError')));
        return controller.signal;
      },
    };
  }

  /** Nothing of it goes on; its sessions end, as the server sees it, before anything else happens. */
  async bury(process: Mortal): Promise<void> {
    process.dead = true;
    this.#parked = this.#parked.filter((each) => each.process !== process);
    this.#timers = this.#timers.filter((each) => each.process !== process);
    for (const client of this.#clients.get(process) ?? []) await this.#cut(client);
    this.#clients.delete(process);
    for (const flight of this.#flying) if (flight.parked.process === process) this.#flying.delete(flight);
    this.#waiting.clear();
  }

  /** The network of one of its connections breaks: of the listener, or of any. */
  async cutSomeOf(process: Mortal, listener: boolean): Promise<void> {
    const all = [...(this.#clients.get(process) ?? [])].filter((each) => each.processID !== null);
    const fitting = all.filter((each) => isListener(each) === listener);
    process.faults += 1;
    if (fitting.length > 0) await this.#cut(this.#random.pick(fitting));
  }

  async #cut(client: SeamClient): Promise<void> {
    const pid = client.processID;
    client.cut();
    this.#waiting.clear();
    this.#locks.delete(client);
    this.#listening.delete(client);
    this.#telling.delete(client);
    if (pid !== null) await this.ask('SELECT pg_terminate_backend($1, 2000)', [pid]);
  }

  /** Until `until` holds, or nothing is left to happen within `most` milliseconds of the world's time. */
  async run(until: () => boolean, most: number): Promise<boolean> {
    const deadline = this.now + most;
    for (;;) {
      await this.#quiet();
      if (this.#broken) throw this.#broken;
      await this.#parts.onQuiet();
      await this.#quiet();
      if (this.#broken) throw this.#broken;
      if (until()) return true;
      if (this.now > deadline) return false;
      const ready = this.#ready();
      const slow = !this.calm && this.#random.chance(0.01);
      if (slow) this.slowed += 1;
      if (ready.length > 0 && !slow) await this.#act(ready);
      else if (!(await this.#letTimePass())) return false;
    }
  }

  /** Of one client only the first: what is asked of a connection is answered in its order. */
  #ready(): Parked[] {
    const firsts = new Map<SeamClient, Parked>();
    for (const each of this.#parked) {
      const first = each.client && firsts.get(each.client);
      if (each.client && (!first || each.order < first.order)) firsts.set(each.client, each);
    }
    return this.#parked
      .filter((each) => each.from <= this.now && (each.client === null || firsts.get(each.client) === each))
      .sort((a, b) => compare(a.process.name, b.process.name) || compare(a.name, b.name) || a.order - b.order);
  }

  async #act(ready: Parked[]): Promise<void> {
    const chosen = this.#random.pick(ready);
    const { kind, name, process } = chosen;
    this.steps += 1;
    let fate: Fate = 'through';
    if (!this.calm && this.#random.chance(Math.max(this.trouble, RARE[kind] ?? 0)))
      fate = this.#random.pick(FATES[kind]);
    else if (!this.calm) fate = this.#sorenessOf(kind, name);
    if (process.name === 'outside' && fate !== 'late') fate = 'through';
    if (fate !== 'through') process.faults += 1;
    this.#parts.reached.count(`seam ${kind}`);
    if (fate !== 'through') this.#parts.reached.count(`seam ${kind} × ${fate}`);
    this.#parts.reached.count(`site ${name}`);
    this.tell(`${process.name} ${kind} ${name}${fate === 'through' ? '' : ` : ${fate.toUpperCase()}`}`);
    if (fate === 'late') return void (chosen.from = this.now + this.#random.whole(1, 8_000));
    this.#parked = this.#parked.filter((each) => each !== chosen);
    if (fate === 'killed before') return this.#parts.kill(process);
    await chosen.go(fate === 'killed after' ? 'through' : fate);
    if (fate !== 'killed after') return;
    await this.#quiet(1);
    await this.#parts.kill(process);
  }

  #sorenessOf(kind: SeamKind, name: string): Fate {
    let fates = this.#sore.get(name);
    if (fates === undefined) {
      fates = this.#random.chance(SORE_PLACES) ? FATES[kind].filter(isSoreness) : [];
      this.makeSore(name, fates);
    }
    // One place may pass seams of two kinds: a statement, and the connection that it needs first.
    fates = fates.filter((each) => FATES[kind].includes(each));
    return fates.length > 0 && this.#random.chance(SORENESS) ? this.#random.pick(fates) : 'through';
  }

  /** Of all that passes there a good part meets one of these. */
  makeSore(name: string, fates: readonly Fate[]): void {
    this.#sore.set(name, fates);
    if (fates.length > 0) this.tell(`SORE: ${name}`);
  }

  /** Time passes, to the next thing that waits for it. */
  async #letTimePass(): Promise<boolean> {
    const next = Math.min(
      ...this.#timers.map((each) => each.at),
      ...this.#parked.map((each) => each.from).filter((each) => each > this.now),
    );
    if (next === Infinity) return false;
    if (next > this.now) {
      this.now = next;
      await this.#tellTime();
    }
    for (const each of this.#timers.filter(({ at }) => at <= this.now)) {
      this.#timers = this.#timers.filter((other) => other !== each);
      const go = async (): Promise<void> => each.work();
      this.#park({ process: each.process, kind: 'timer', name: `timer ${each.name}`, client: null, from: 0, go });
    }
    return true;
  }

  /** PostgreSQL's idea of the time is the world's, too. */
  async #tellTime(): Promise<void> {
    await this.ask('UPDATE simulated.clock SET at = $1', [new Date(this.now)]);
  }

  #park(parked: Omit<Parked, 'order'>): void {
    this.#stirred += 1;
    this.#parked.push({ ...parked, order: (this.#order += 1) });
  }

  #pass<T>(process: Mortal, seam: Seam, go: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (process.dead) return;
      if (seam.kind === 'notice') this.#onTheirWay -= 1;
      const client = 'client' in seam ? seam.client : null;
      const name = nameOf(seam);
      const alive =
        <V>(then: (value: V) => void) =>
        (value: V): void => {
          this.#stirred += 1;
          if (!process.dead) then(value);
        };
      const parked = {
        process,
        kind: seam.kind,
        name,
        client,
        from: 0,
        go: async (fate: Fate): Promise<void> => {
          if (seam.kind === 'connection' && seam.ends) fate = 'through';
          if (fate === 'lost') return alive(resolve)(undefined as T);
          if (fate === 'fails' && seam.kind === 'queue') return alive(reject)(new Error('Connection is closed.'));
          if (fate === 'cut before' && seam.kind === 'connection')
            return alive(reject)(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
          if (fate === 'cut before' && client) await this.#cut(client);
          const flight: Flight = { client, parked: parked as Parked };
          this.#flying.add(flight);
          const within = client !== null && this.#locks.has(client);
          const land = (): void => {
            this.#flying.delete(flight);
            // Locks go with the transaction that took them.
            if (!within || client === null || !this.#locks.has(client)) this.#waiting.clear();
            else this.#waiting.delete(flight);
            this.#landed?.();
          };
          const work = fate === 'fails' && client ? raise(client) : go();
          if (seam.kind === 'statement') this.#noteLocks(seam.client, seam.text, name);
          if (seam.kind === 'statement' && this.#showsSomething(seam)) this.writes += 1;
          work.then(
            async (value) => {
              if (seam.kind === 'statement') this.#noteNotices(seam.client, seam.text, value);
              if (fate === 'answer lost') {
                if (client) await this.#cut(client);
                alive(reject)(new Error('Connection terminated unexpectedly'));
              } else if (fate === 'answer late') {
                const go = async (): Promise<void> => alive(resolve)(value);
                const from = this.now + this.#random.whole(1, 8_000);
                this.#park({ process, kind: 'timer', name: `answer ${name}`, client: null, from, go });
              } else alive(resolve)(value);
              land();
            },
            (error: unknown) => {
              alive(reject)(error);
              land();
            },
          );
        },
      };
      this.#park(parked);
    });
  }

  /** What a transaction writes is seen when it has ended. */
  #showsSomething({ client, text }: { client: SeamClient; text: string }): boolean {
    return !this.#locks.has(client) && /COMMIT|INSERT INTO|UPDATE \w|DELETE FROM/i.test(text);
  }

  #noteNotices(client: SeamClient, text: string, answer: unknown): void {
    if (text.startsWith('LISTEN')) this.#listening.add(client);
    if (HEARD.test(text) && hasTold(answer)) this.#telling.add(client);
    if (this.#locks.has(client)) return;
    if (this.#telling.delete(client)) this.#onTheirWay = this.#listening.size;
  }

  /** PostgreSQL tells the others after the commit, in a moment of its own. */
  async #untilTold(): Promise<void> {
    for (let waited = 0; this.#onTheirWay > 0 && waited < 150; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 2));
    this.#onTheirWay = 0;
  }

  #noteLocks(client: SeamClient, text: string, name: string): void {
    if (/^\s*ROLLBACK(?! TO)/i.test(text)) this.#telling.delete(client);
    if (/^\s*(COMMIT|ROLLBACK(?! TO))/i.test(text)) return void this.#locks.delete(client);
    if (/^\s*(BEGIN|START)/i.test(text)) this.#locks.set(client, []);
    if (/advisory|FOR UPDATE/i.test(text)) {
      this.#parts.reached.count('seam lock');
      this.#locks.get(client)?.push(name);
    }
  }

  /** Until everything that was let go has come back or waits for a lock, and nobody does anything more by himself. */
  async #quiet(turns = 4): Promise<void> {
    const began = performance.now();
    for (let idle = 0; idle < turns;) {
      if (performance.now() - began > NEVER)
        return this.break(`end: what was asked is never answered: ${this.pending}`);
      const before = this.#stirred;
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#onTheirWay > 0) await this.#untilTold();
      if (this.#flying.size > 0 && !(await this.#allWait())) idle = 0;
      else idle = this.#stirred === before ? idle + 1 : 0;
    }
  }

  async #allWait(): Promise<boolean> {
    if ([...this.#flying].every((each) => this.#waiting.has(each))) return true;
    const landed = new Promise<void>((resolve) => (this.#landed = resolve));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'slow'>((resolve) => (timer = setTimeout(() => resolve('slow'), 4)));
    const first = await Promise.race([landed, patience]);
    clearTimeout(timer);
    if (first !== 'slow' || this.#flying.size === 0) return this.#flying.size === 0;
    const rows = await this.ask<{ pid: number; by: number[] }>(
      'SELECT pid, pg_blocking_pids(pid) AS by FROM pg_locks WHERE NOT granted',
    );
    const waiting = new Map(rows.map((row) => [row.pid, row.by]));
    const flights = [...this.#flying];
    if (!flights.every(({ client }) => client?.processID != null && waiting.has(client.processID))) return false;
    for (const each of flights) {
      if (this.#waiting.has(each)) continue;
      this.#waiting.add(each);
      this.#parts.reached.count('waits for a lock');
      for (const pid of waiting.get(each.client?.processID as number) ?? []) this.#judgeWait(each.parked, pid);
    }
    return true;
  }

  /**
   * Who checks a definition holds up nobody: whoever decides may wait for another decision, and for a definition that is being
   * written, and that one has then taken the lock that guards the decisions in a statement of its own.
   */
  #judgeWait(waits: Parked, pid: number): void {
    const blocker = [...this.#locks].find(([client]) => client.processID === pid);
    if (!blocker || !waits.name.startsWith('commands/release-engine')) return;
    const locks = blocker[1].filter((each) => !each.startsWith('commands/release-engine'));
    this.#parts.reached.count('promise: a decision waits for a decision only');
    if (locks.length === 1 && /lockDefinitions/.test(locks[0] as string))
      this.break(`lock: ${waits.name} waits for ${locks[0]}, which has written nothing yet`);
  }

  /** A pool whose connections are all held by who waits for another one. */
  standsStill(process: Mortal, pool: pg.Pool): boolean {
    if (process.dead || pool.waitingCount === 0 || pool.idleCount > 0) return false;
    const busy = this.#parked.some(
      (each) => each.process === process && (each.kind !== 'timer' || each.name.startsWith('answer ')),
    );
    return !busy && ![...this.#flying].some(({ parked }) => parked.process === process);
  }

  /** A fault that has struck already lasts on: something of the process is late. */
  isHeldUp(process: Mortal): boolean {
    return this.#parked.some((each) => each.process === process && each.from > this.now);
  }

  get pending(): string {
    const parked = this.#parked.map((each) => `${each.process.name} ${each.name}`);
    const flying = [...this.#flying].map(({ parked: each }) => `${each.process.name} ${each.name} (under way)`);
    return [...parked, ...flying].join(', ') || 'nothing';
  }
}

/** Milliseconds of real time, in which PostgreSQL answers everything that it is asked, however busy the machine. */
const NEVER = 120_000;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isListener = (client: SeamClient): boolean =>
  (client as unknown as { connectionParameters: { application_name?: string } }).connectionParameters
    .application_name === 'sluice-listener';

/** Statements that may tell the workers something; */
const HEARD = /pg_notify\('sluice_(abort|candidates|hint)'/;

/** and whether one did: `pg_notify` answers nothing, which is not null. */
function hasTold(answer: unknown): boolean {
  const rows = (answer as { rows?: { [column: string]: unknown }[] } | undefined)?.rows ?? [];
  return rows.some((row) => Object.values(row).includes(''));
}

/** As when a statement's time is over: the transaction is aborted, and the connection lives. */
function raise(client: SeamClient): Promise<never> {
  const text = `DO $$ BEGIN RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END $$`;
  const { query } = pg.Client.prototype as unknown as { query: (this: unknown, text: string) => Promise<never> };
  return query.call(client, text);
}

/** `commands/release-engine #save`: where in src it is asked. */
function nameOf(seam: Seam): string {
  if (seam.kind === 'queue') return `queue ${seam.name}`;
  if (seam.kind === 'notice') return `notice ${seam.name}`;
  const stack = ('caller' in seam && seam.caller) || new Error('site').stack || '';
  for (const line of stack.split('\n')) {
    const [, file] = /\/src\/([\w/-]+)\.[tj]s/.exec(line) ?? [];
    if (!file || ['connections', 'lost-transactions', 'seams'].includes(file)) continue;
    const [, called = ''] = /at (?:async )?(?:new )?([\w.#<>]+)/.exec(line) ?? [];
    const short = called.replace(/^.*\./, '').replace(/^(file|Object|Promise).*$/, '');
    return `${file} ${short}`;
  }
  return seam.kind === 'connection' ? `a connection${seam.ends ? ' ends' : ''}` : seam.text.trim().slice(0, 40);
}
