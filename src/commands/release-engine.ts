import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../clock.ts';
import { holdingNothing, inTwoExchanges, refuseWhileHolding } from '../connections.ts';
import { isCommanded, KEYED } from '../core/actor.ts';
import { advance } from '../core/advance.ts';
import type { Decision } from '../core/decision.ts';
import { bounded } from '../core/bounded.ts';
import { missingOf } from '../core/approvals/approval.ts';
import type { Refusal } from '../core/problems.ts';
import type { Facts, ReleaseState, Stimulus } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { reach } from '../faults.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { DefinitionSnapshots } from '../store/definition-snapshot.ts';
import { loadFacts } from '../store/load-facts.ts';
import { FrozenReleases } from '../store/frozen-releases.ts';
import { loadStates } from '../store/load-releases.ts';
import type { FrozenRelease, LoadedState } from '../store/load-releases.ts';
import { LOCK_PRODUCTS, productKeys } from '../entities/locks.ts';
import type { AuditEntry } from '../store/audit-log.ts';
import { insertReleases } from '../store/insert-release.ts';
import type { NewRelease, ReleaseToInsert, Still } from '../store/insert-release.ts';
import { HandedOver } from '../store/outbox.ts';
import { saveDecisions } from '../store/save-decisions.ts';
import type { DecisionToSave } from '../store/save-decisions.ts';
import { claimAudit } from './audit.ts';
import type { AuditTicket } from './audit.ts';
import { auditOfMerges, auditOfMove, auditOfNew } from './audit-release.ts';

/**
 * The only code that moves a release: lock, decide, save, outbox; many releases in one transaction.
 *
 * Stimuli that arrive while a transaction is under way are collected, and the next one takes them all (group commit): a
 * step costs a share of a commit, not a commit. Each process keeps the states that it saw last. A decision made on a
 * state that another process has moved meanwhile is not saved (compare-and-set on the revision) and is made again on the
 * newer one. Decisions that must know what other releases do (may it start? is it its turn?) are made with facts read
 * under the products' locks, in the transaction that saves them.
 */
export class ReleaseEngine {
  readonly #pool: Pool;
  /** Whose connections no caller of the engine may hold. */
  readonly #callers: Pool;
  readonly #definitions: DefinitionSnapshots;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: Limits;
  #listener: ((moved: Saved[]) => void) | null = null;
  /** What releases froze. */
  readonly frozen: FrozenReleases;
  // An entry may be evicted at any time: code that works on a release keeps the state in a variable of its own.
  readonly #states: LRUCache<string, LoadedState>;
  readonly #waiting = new Map<string, Item[]>();
  readonly #creations: Creation[] = [];
  readonly #busy = new Set<string>();
  /** Rows of the outbox that each save takes along. */
  readonly handedOver = new HandedOver();
  #running = 0;
  #scheduled = false;

  constructor({ pool, enginePool, definitions, clock, log, limits }: MoverParts) {
    this.#pool = enginePool;
    this.#callers = pool;
    this.#definitions = definitions;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.frozen = new FrozenReleases(pool, limits);
    const { statesRemembered, stateRemembered } = limits;
    this.#states = new LRUCache({ max: statesRemembered, maxSize: stateRemembered, sizeCalculation: stateSize });
  }

  /** Called with what each transaction has saved. Set once, before the first move. */
  onSaved(listener: (moved: Saved[]) => void): void {
    this.#listener = listener;
  }

  /**
   * Resolves with the release's state after the stimulus is saved (or changed nothing); null when the database has no such
   * release. Never while the caller holds a connection: the next transaction needs one.
   */
  tell(releaseId: string, told: Stimulus): Promise<ReleaseNow | null> {
    // Decided again after a commit whose answer was lost, it is known by its key.
    const short = bounded(told);
    const stimulus = KEYED.has(told.kind) && told.key === undefined ? { ...short, key: randomUUID() } : short;
    return new Promise((resolve, reject) => {
      if (this.#listener === null) throw new Error('a release is moved before onSaved was told who follows');
      this.#refuseHolders();
      const items = this.#waiting.get(releaseId);
      const audit = isCommanded(stimulus) ? claimAudit() : null;
      const item: Item = { stimulus, audit, resolve, reject, tries: 0 };
      if (items) items.push(item);
      else this.#waiting.set(releaseId, [item]);
      this.#schedule();
    });
  }

  /**
   * Writes a release, and takes its first decision in the same transaction. Resolves like `tell`; with null when `still` did not hold, and
   * nothing was written.
   */
  create(release: NewRelease, still: Still): Promise<ReleaseNow | null> {
    return new Promise((resolve, reject) => {
      if (this.#listener === null) throw new Error('a release is made before onSaved was told who follows');
      this.#refuseHolders();
      const ticket = claimAudit();
      const audit = ticket?.entry(auditOfNew(release)) ?? null;
      this.#creations.push({ release, still, ticket, audit, resolve, reject });
      this.#schedule();
    });
  }

  #refuseHolders(): void {
    refuseWhileHolding(this.#callers);
    refuseWhileHolding(this.#pool);
  }

  /** For a release that the caller has just seen: that it is not there is no answer, it is a fault. */
  async tellKnown(releaseId: string, stimulus: Stimulus): Promise<ReleaseNow> {
    const to = await this.tell(releaseId, stimulus);
    if (!to) throw new Error(`release ${releaseId} was there a moment ago, and the database does not have it now`);
    return to;
  }

  /** The newest state: of this process when it is known to be recent enough, otherwise of the database. */
  async look(releaseId: string, options: { fresh: boolean }): Promise<ReleaseNow | null> {
    const frozen = await this.#freeze(releaseId);
    if (!frozen) return null;
    const known = options.fresh ? undefined : this.#states.get(releaseId);
    if (known) return { release: frozen, state: known.state };
    const [loaded] = await loadStates(this.#pool, [releaseId]);
    if (!loaded) return null;
    this.#remember(loaded);
    return { release: frozen, state: loaded.state };
  }

  /** A release that this process has just created, as the database holds it: its first decision needs no reading. */
  adopt(
    { id, kind, product, version, digest, plan, contents, concurrency, number }: FrozenRelease,
    state: ReleaseState,
  ): void {
    this.frozen.adopt({ id, kind, product, version, digest, plan, contents, concurrency, number });
    this.#states.set(id, { state, revision: 1 });
  }

  /**
   * Everything is read anew from here on. Once a connection was lost the database may be another one: brought back from a backup
   * it has releases at an earlier revision, which will reach the remembered one with another state.
   */
  forget(): void {
    this.frozen.forget();
    this.#states.clear();
  }

  async #freeze(releaseId: string): Promise<FrozenRelease | undefined> {
    return (await this.frozen.of([releaseId])).get(releaseId);
  }

  #remember(loaded: LoadedState): void {
    const known = this.#states.get(loaded.state.id);
    if (!known || known.revision < loaded.revision) this.#states.set(loaded.state.id, loaded);
  }

  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#limits.transactions) return;
    this.#scheduled = true;
    // A transaction is that of all whose stimuli it takes.
    holdingNothing(() =>
      setImmediate(() => {
        this.#scheduled = false;
        this.#take();
      }),
    );
  }

  #take(): void {
    const batch: Batch = new Map();
    const { releasesPerTransaction: most } = this.#limits;
    // However many wait, some of the places are for new releases: their callers would wait until nobody else does.
    const creations = this.#creations.splice(0, Math.max(Math.ceil(most / 4), most - this.#waiting.size));
    for (const [releaseId, items] of this.#waiting) {
      if (batch.size + creations.length >= most) break;
      if (this.#busy.has(releaseId)) continue;
      batch.set(releaseId, items);
    }
    const ids = [...batch.keys(), ...creations.map(({ release }) => release.state.id)];
    if (ids.length === 0) return;
    for (const releaseId of ids) {
      this.#waiting.delete(releaseId);
      this.#busy.add(releaseId);
    }
    this.#running += 1;
    this.#run(batch, creations)
      .catch((error: unknown) => {
        for (const item of [...batch.values(), creations].flat()) item.reject(error);
      })
      .finally(() => {
        this.#running -= 1;
        for (const releaseId of ids) this.#busy.delete(releaseId);
        this.#goOn();
      });
    this.#goOn();
  }

  #goOn(): void {
    if (this.#waiting.size > 0 || this.#creations.length > 0) this.#schedule();
  }

  async #run(batch: Batch, creations: Creation[]): Promise<void> {
    const keys = this.handedOver.take(this.#limits.rowsPerSave);
    try {
      const found = await this.#find(batch);
      const decided = found.map((each) => this.#decide(each, null));
      if (decided.includes('NEEDS_FACTS') || creations.length > 0)
        await this.#decideWithFacts(found, decided, creations, keys);
      else this.#settle(found, await this.#save(this.#pool, found, decided as Decision[], keys));
    } catch (error) {
      this.handedOver.add(keys);
      // What of it was committed is not known: nothing that this process remembers of these releases counts any more.
      for (const releaseId of batch.keys()) this.#states.delete(releaseId);
      if (batch.size + creations.length > 1) {
        // One release's fault must not be every release's: each again, alone.
        this.#log.warn(
          { error: messageOf(error), releases: batch.size + creations.length },
          'a transaction failed, its releases are tried one by one',
        );
        for (const [releaseId, items] of batch) await this.#run(new Map([[releaseId, items]]), []);
        for (const each of creations) await this.#createAlone(each);
        return;
      }
      for (const item of [...batch.values(), creations].flat()) item.reject(error);
    }
  }

  /** The transaction that was to write it has failed, and may have been committed all the same. */
  async #createAlone(creation: Creation): Promise<void> {
    const { id } = creation.release.state;
    if (!(await this.look(id, { fresh: true }))) return this.#run(new Map(), [creation]);
    creation.ticket?.written();
    this.tell(id, { kind: 'tick' }).then(creation.resolve).catch(creation.reject);
  }

  async #find(batch: Batch): Promise<Found[]> {
    const frozen = await this.frozen.of([...batch.keys()]);
    const { loaded, fresh } = await this.#statesOf([...frozen.keys()]);
    const found: Found[] = [];
    for (const [releaseId, items] of batch) {
      const release = frozen.get(releaseId);
      const state = loaded.get(releaseId);
      if (release && state) found.push({ release, loaded: state, items, fresh: fresh.has(releaseId) });
      else for (const item of items) item.resolve(null);
    }
    return found;
  }

  /** `fresh`: read from the database just now. */
  async #statesOf(ids: string[]): Promise<{ loaded: Map<string, LoadedState>; fresh: Set<string> }> {
    const { found, missing } = remembered(this.#states, ids);
    if (missing.length === 0) return { loaded: found, fresh: new Set() };
    for (const each of await loadStates(this.#pool, missing)) {
      found.set(each.state.id, each);
      this.#remember(each);
    }
    return { loaded: found, fresh: new Set(missing) };
  }

  #decide({ release, loaded, items }: Found, facts: Facts | null): Decided {
    const stimuli = items.map((each) => each.stimulus);
    return advance(release.plan, loaded.state, stimuli, facts, this.#clock.now().getTime());
  }

  /**
   * Facts, and the locks under which they hold, are for the releases that ask, and for new ones; what is decided already is saved with
   * them.
   */
  async #decideWithFacts(found: Found[], decided: Decided[], creations: Creation[], keys: string[]): Promise<void> {
    const asking = found.filter((_, index) => decided[index] === 'NEEDS_FACTS').map((each) => each.release);
    const created = creations.map(({ release: { state, product } }) => ({ id: state.id, product }));
    const about = [...asking, ...created];
    const locked = productKeys(about.map((each) => each.product));
    const { facts, all, decisions, saved } = await inTwoExchanges(
      this.#pool,
      async (client) => {
        const locking = client.query({ name: 'lock-products', text: LOCK_PRODUCTS, values: [locked] });
        const inserting = creations.length > 0 ? insertReleases(client, creations) : new Map<string, number>();
        const loading = loadFacts(client, about, this.#definitions);
        const [, numbers, facts] = await Promise.all([locking, inserting, loading]);
        return { numbers, facts };
      },
      // A fault before the save is sent undoes what was inserted.
      (client, { numbers, facts }) => {
        const all = [...found, ...creations.flatMap((each) => madeOf(each, numbers))];
        const decisions = all.map((each, index) => {
          const own = decided[index] ?? 'NEEDS_FACTS';
          return own === 'NEEDS_FACTS' ? (this.#decide(each, facts.get(each.release.id) as Facts) as Decision) : own;
        });
        reach('in-transaction');
        return this.#save(client, all, decisions, keys).then((saved) => ({ facts, all, decisions, saved }));
      },
    );
    for (const { release, loaded } of all.slice(found.length)) this.adopt(release, loaded.state);
    for (const { release, ticket, resolve } of creations) {
      if (saved.has(release.state.id)) ticket?.written();
      else {
        ticket?.unused();
        resolve(null);
      }
    }
    this.#settle(all, saved);
    all.forEach((each, index) => {
      const known = facts.get(each.release.id);
      if (known) this.#terminateObstacles(each, decisions[index] as Decision, known);
    });
  }

  /** TERMINATE: a newer release that reaches an environment where an older one is active ends the older one. */
  #terminateObstacles({ release }: Found, { state }: Decision, { heldBy }: Facts): void {
    if (release.kind === 'ROLLBACK' || release.concurrency !== 'TERMINATE') return;
    for (const [position, { status, approval }] of state.promotions.entries()) {
      const planned = release.plan.promotions[position];
      const environment = planned?.environment;
      // A newer release that still needs an approval may never start: it ends no older one before it is approved.
      if (planned?.approval && missingOf(planned.approval, approval) > 0) continue;
      const holder = status === 'WAITING' && environment ? heldBy[environment] : undefined;
      if (holder === undefined || !environment) continue;
      const reason = `a newer release, ${shortIdOf(release.product, release.number)}, reached ${environment}`;
      this.#freeze(holder.id)
        .then((older) => {
          if (older && older.kind === 'FORWARD' && older.number < release.number)
            return this.tell(holder.id, { kind: 'terminate', reason, by: null, onlyIf: { atWorkIn: environment } });
          return null;
        })
        // The newer release waits, and tries it again with its next tick.
        .catch((error: unknown) => this.#log.warn({ error, holder }, 'an older release could not be terminated yet'));
    }
  }

  /** Answers the releases whose decision stands: saved, or nothing to save. */
  #save(client: Pool | PoolClient, found: Found[], decisions: Decision[], keys: string[]): Promise<Set<string>> {
    const toSave: DecisionToSave[] = [];
    const standing = new Set<string>();
    found.forEach((each, index) => {
      const decision = decisions[index] as Decision;
      each.decision = decision;
      each.refused = decision.refused;
      if (isNews(each.loaded.state, decision)) {
        toSave.push({
          release: each.release,
          before: each.loaded.state,
          expected: each.loaded.revision,
          decision,
          audit: auditOf(each, decision),
        });
      } else {
        standing.add(each.release.id);
        each.decision = undefined;
      }
    });
    if (toSave.length === 0 && keys.length === 0) return Promise.resolve(standing);
    return saveDecisions(client, toSave, keys).then((saved) => new Set([...standing, ...saved]));
  }

  #settle(found: Found[], saved: Set<string>): void {
    const moved: Saved[] = [];
    for (const { release, loaded, items, fresh, decision, refused } of found) {
      // A save proves that the state was the newest. "Nothing to do" on a remembered one proves nothing: look, and decide again.
      const proven = decision !== undefined || fresh;
      if (!saved.has(release.id) || !proven) {
        this.#states.delete(release.id);
        this.#again(release.id, items);
        continue;
      }
      const state = decision?.state ?? loaded.state;
      if (decision) {
        this.#states.set(release.id, { state, revision: loaded.revision + 1 });
        moved.push({ release, decision });
      }
      for (const item of items) {
        if (decision && !decision.refused.has(item.stimulus)) item.audit?.written();
        item.resolve({ release, state, refused: refused?.get(item.stimulus) });
      }
    }
    if (moved.length > 0) this.#listener?.(moved);
  }

  /** Another save moved the release first: the items are tried again, on the newer state, ahead of what came later. */
  #again(releaseId: string, items: Item[]): void {
    for (const item of items) item.tries += 1;
    const lost = items.filter((item) => item.tries > MAX_TRIES);
    for (const item of lost)
      item.reject(new Error(`release ${releaseId} was moved by others ${MAX_TRIES} times in a row`));
    const rest = items.filter((item) => item.tries <= MAX_TRIES);
    if (rest.length > 0) this.#waiting.set(releaseId, [...rest, ...(this.#waiting.get(releaseId) ?? [])]);
  }
}

const MAX_TRIES = 50;

/** What is remembered of these, in a map that nothing falls out of; and what has to be read. */
function remembered<T extends object>(
  cache: LRUCache<string, T>,
  ids: readonly string[],
): { found: Map<string, T>; missing: string[] } {
  const found = new Map<string, T>();
  for (const id of ids) {
    const known = cache.get(id);
    if (known) found.set(id, known);
  }
  return { found, missing: ids.filter((id) => !found.has(id)) };
}

/** By counting, and of what may be large by its length: a state is weighed with each save. */
function stateSize({ state }: LoadedState): number {
  let size = 1_000;
  for (const { steps } of state.promotions) {
    size += 500 + steps.length * 300;
    for (const { outputs } of steps) {
      if (outputs) for (const value of Object.values(outputs)) size += String(value).length;
    }
  }
  return size;
}

interface MoverParts {
  /** Of everybody else. */
  pool: Pool;
  /** Its own: see PLANNED_ONCE in connections.ts. */
  enginePool: Pool;
  definitions: DefinitionSnapshots;
  clock: Clock;
  log: Log;
  limits: Limits;
}

/** A release and where it is, after a stimulus or a look. */
export interface ReleaseNow {
  release: FrozenRelease;
  state: ReleaseState;
  /** The stimulus was refused and has changed nothing. */
  refused?: Refusal;
}

/** A decision that was saved, with the release that it is about: what has to follow is told by it. */
export interface Saved {
  release: FrozenRelease;
  decision: Decision;
}

interface Item {
  stimulus: Stimulus;
  /** The entry of the command that it comes from, to be written with the decision. */
  audit: AuditTicket | null;
  resolve: (to: ReleaseNow | null) => void;
  reject: (error: unknown) => void;
  tries: number;
}

/** A release that is to be written. */
interface Creation extends ReleaseToInsert {
  still: Still;
  ticket: AuditTicket | null;
  resolve: Item['resolve'];
  reject: Item['reject'];
}

/** As if it had been found, and told to look whether it is its turn; nothing where it was not written. */
function madeOf({ release, resolve, reject }: Creation, numbers: ReadonlyMap<string, number>): Found[] {
  const { state, kind, product, version, digest, plan, contents, concurrency } = release;
  const number = numbers.get(state.id);
  if (number === undefined) return [];
  return [
    {
      release: { id: state.id, kind, product, version, digest, plan, contents, concurrency, number },
      loaded: { state, revision: 1 },
      items: [{ stimulus: { kind: 'tick' }, audit: null, resolve, reject, tries: 0 }],
      fresh: true,
    },
  ];
}

type Batch = Map<string, Item[]>;
type Decided = Decision | 'NEEDS_FACTS';

interface Found {
  release: FrozenRelease;
  loaded: LoadedState;
  items: Item[];
  /** Read from the database in this transaction's turn, not remembered from an earlier one. */
  fresh: boolean;
  decision?: Decision;
  refused?: Decision['refused'];
}

/** Of the commands that changed something: a refused one gets its entry elsewhere. */
function auditOf({ release, loaded, items }: Found, { state, changed, refused, events }: Decision): AuditEntry[] {
  const given = items.filter(({ audit, stimulus }) => audit !== null && !refused.has(stimulus));
  const commanded = given.map(({ audit }) => audit!.entry(auditOfMove(release, loaded.state, state, changed)));
  return [...commanded, ...auditOfMerges(release, events)];
}

function isNews(before: ReleaseState, { state, events, changed, work }: Decision): boolean {
  return (
    events.length > 0 ||
    changed.length > 0 ||
    work.length > 0 ||
    state.wakeAt !== before.wakeAt ||
    state.status !== before.status ||
    state.rollbacks !== before.rollbacks ||
    state.skips !== before.skips ||
    state.heard !== before.heard ||
    state.moving !== before.moving ||
    state.limited !== before.limited ||
    state.groups.some((group, index) => group !== before.groups[index])
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
