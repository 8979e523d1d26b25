import type { LRUCache } from 'lru-cache';
import type { Visibility } from '../../core/access/index.ts';
import { RefusedError } from '../../core/problems.ts';
import type { Change, News } from '../../core/trigger/change.ts';
import { nextStep } from '../../core/trigger/next-step.ts';
import type { Look, NextStep, Standing } from '../../core/trigger/next-step.ts';
import { triggerSettings } from '../../core/trigger/settings.ts';
import { TransientError } from '../../drivers/driver.ts';
import { clientOf } from '../../entities/data-source.ts';
import { reach } from '../../faults.ts';
import type { Parts } from '../../parts.ts';
import { stepCandidate } from '../../store/candidates.ts';
import type { KeptCandidate } from '../../store/candidates.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import type { NewRelease } from '../../store/insert-release.ts';
import { activePauses, gitIdentity, pausesInForce } from '../../store/triggers.ts';
import { insertAudited } from '../audit-release.ts';
import { freeze, withContent } from './freeze.ts';
import { pin } from './pin.ts';
import type { Pinned } from './pin.ts';
import { planCandidate } from './plan-candidate.ts';
import { refuseBadVersion } from './refuse-bad-version.ts';
import { refuseUnproposable } from './refuse-unproposable.ts';
import { startRelease } from './start-release.ts';

/** What a look at a candidate takes from the process that looks. */
export interface CandidateHands {
  /** What it has pinned for candidates that wait, by `sourcesOf`: the content of a state never changes, what is taken of it may. */
  pinned: LRUCache<string, Pinned>;
  /** Of every application of the trigger environment: whether it runs the state, and is healthy. Network. */
  standings(definitions: DefinitionSnapshot, candidate: KeptCandidate, pinned: Pinned): Promise<Standing[]>;
}

/**
 * The next step of a candidate that is due: it waits on, ends, or becomes a release, once. What was decided counts only where nothing else
 * happened to it meanwhile; then it is due again by itself. Network; never while a connection is held.
 */
export async function advanceCandidate(app: Parts, candidate: KeptCandidate, hands: CandidateHands): Promise<void> {
  if (candidate.endedAt !== null) return;
  const now = app.clock.now().getTime();
  const [pause = null] = await activePauses(app.pool, new Date(now), candidate.product);
  const open = { ...candidate, coalescedAt: candidate.coalescedAt.getTime(), expiresAt: candidate.expiresAt.getTime() };
  const look: Look = { now, pause };
  let step = nextStep(open, look);
  if (step.kind === 'ASK') {
    try {
      const definitions = await app.definitions.current();
      const pinned = await pinnedOf(app, definitions, candidate, hands);
      step = nextStep(open, { ...look, standing: await hands.standings(definitions, candidate, pinned) });
      if (step.kind === 'RELEASE') {
        const { author, commits, branch, chain, commit } = candidate.facts;
        const news: News = { candidate: candidate.id, author, branch, commits, ...(chain && { chain }) };
        const by = await initiatorOf(app, candidate);
        const change: Change = { kind: candidate.kind, product: candidate.product, commit, by, makers: [], news };
        await release(app, definitions, candidate, pinned, change);
        return;
      }
    } catch (error) {
      step = afterFailure(candidate, open, look, error);
    }
  } else if (step.kind === 'WAIT' && step.status === 'COALESCING' && pause === null) {
    const definitions = await app.definitions.current();
    // Whatever is in the way now is met again, and told, when it counts.
    await pinnedOf(app, definitions, candidate, hands).catch(() => undefined);
  }
  await write(app, candidate, step);
}

/** What it would release, read from its sources or remembered. @throws RefusedError */
async function pinnedOf(
  app: Parts,
  definitions: DefinitionSnapshot,
  candidate: KeptCandidate,
  hands: CandidateHands,
): Promise<Pinned> {
  checkStillWanted(definitions, candidate);
  const sources = sourcesOf(definitions, candidate);
  const pinned = hands.pinned.get(sources) ?? (await pinOf(app, definitions, candidate));
  hands.pinned.set(sources, pinned);
  return pinned;
}

/** Sources that cannot be read, and faults of our own, are tried again; what is refused stays so. */
function afterFailure(
  candidate: KeptCandidate,
  open: Parameters<typeof nextStep>[0],
  look: Look,
  error: unknown,
): NextStep {
  const refused = error instanceof RefusedError ? error.refusals : [];
  const reason = refused.length > 0 ? refused.map(({ message }) => message).join('; ') : String(error);
  const final = refused.some(({ code }) => code !== 'SOURCE_UNREACHABLE');
  if (final) return { kind: 'END', status: 'REFUSED', reason };
  const cause = error instanceof RefusedError ? error.cause : error;
  const retryAfter = cause instanceof TransientError ? cause.retryAfter : undefined;
  return nextStep(open, { ...look, failed: reason, retryAfter });
}

async function write(app: Parts, candidate: KeptCandidate, step: NextStep): Promise<void> {
  const now = app.clock.now();
  const { expiresAt, attempts } = candidate;
  if (step.kind === 'WAIT') {
    const { status, reason } = step;
    const times = { dueAt: new Date(step.dueAt), expiresAt: new Date(step.expiresAt), attempts: step.attempts };
    await stepCandidate(app.pool, candidate, { status, reason, ...times }, now);
  } else if (step.kind === 'END') {
    const { status, reason } = step;
    await stepCandidate(app.pool, candidate, { status, reason, dueAt: null, expiresAt, attempts }, now);
  }
}

/** @throws RefusedError where the definitions that it was made from say otherwise by now */
function checkStillWanted(definitions: DefinitionSnapshot, { product: name, flow: called }: KeptCandidate): void {
  const product = definitions.products.get(name);
  const flow = definitions.flows.find((each) => each.metadata.name === called);
  const gone = product ? `flow "${called}"` : `product "${name}"`;
  if (!product || !flow) throw refusedBecause(`there is no ${gone} any more`);
  if (!triggerSettings(product.spec, flow.spec).automatic)
    throw refusedBecause(`automatic triggers were turned off for flow "${called}" and this product`);
}

const refusedBecause = (message: string): RefusedError =>
  new RefusedError([{ code: 'NOT_FOUND', message, path: ['flow'] }]);

/** The candidate with the definitions that say what is taken of it, and from where. */
function sourcesOf(definitions: DefinitionSnapshot, { id, product, environment }: KeptCandidate): string {
  const here = definitions.applicationsOf(product).filter(({ spec }) => spec.environment === environment);
  const all = [definitions.products.get(product)!, ...here, ...definitions.templates];
  return [id, ...all.map((each) => `${each.id}@${each.revision}`)].join(' ');
}

/** @throws RefusedError */
export async function pinOf(app: Parts, definitions: DefinitionSnapshot, candidate: KeptCandidate): Promise<Pinned> {
  const { product, flow, environment, state, facts } = candidate;
  // Whatever could never be planned is refused before a source is read.
  const now = app.clock.now().getTime();
  const { plan } = planCandidate(definitions, { product, flow, environment, state }, { now });
  await refuseUnproposable(app, plan);
  return pin(app, definitions, { product, flow, environment, state }, { commit: facts.commit });
}

/**
 * The user who is the author of the commit: as administrators say, or where people are named by the verified address that their identity
 * provider tells; null: not known.
 */
async function initiatorOf({ pool, config }: Parts, { facts: { email } }: KeptCandidate): Promise<string | null> {
  if (!email) return null;
  const known = await gitIdentity(pool, email);
  return known?.user ?? (config.auth.oidc?.nameClaim === 'email' ? email : null);
}

/**
 * Candidate → Release, in one transaction: of several processes one makes it, and none does that a pause has overtaken. A version that is
 * marked bad where it would go is refused, and so it stays.
 * @param visible of the marks that are in the way a refusal tells those that are seen; null: all
 * @throws RefusedError
 */
export async function release(
  app: Parts,
  definitions: DefinitionSnapshot,
  candidate: KeptCandidate,
  pinned: Pinned,
  change: Change,
  visible: Visibility | null = null,
): Promise<string | null> {
  const made = releaseOf(app, definitions, candidate, pinned, change);
  await refuseBadVersion(app, definitions, made, visible);
  const { id } = made.state;
  reach('before-effect', 'candidate');
  const number = await app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    const now = app.clock.now();
    if (change.kind !== 'MANUAL' && (await pausesInForce(client, now, candidate.product)).length > 0) return null;
    const { expiresAt } = candidate;
    const byPerson = change.kind === 'MANUAL' ? { actor: change.by } : {};
    const step = {
      status: 'RELEASED' as const,
      reason: 'it is a release',
      dueAt: null,
      expiresAt,
      attempts: 0,
      releaseId: id,
    };
    if (!(await stepCandidate(client, candidate, { ...step, ...byPerson }, now))) return null;
    reach('in-transaction', 'candidate');
    return insertAudited(tx, made);
  });
  reach('after-record', 'candidate');
  if (number === null) return null;
  app.releaseEngine.adopt({ ...made, id, number }, made.state);
  await startRelease(app, id);
  return id;
}

function releaseOf(
  app: Parts,
  definitions: DefinitionSnapshot,
  { facts: { since, chain } }: KeptCandidate,
  pinned: Pinned,
  change: Change,
): NewRelease {
  const now = app.clock.now().getTime();
  const drafted = planCandidate(definitions, pinned.candidate, { now });
  const [first, ...rest] = drafted.plan.promotions;
  const promotions = [{ ...first!, since }, ...rest];
  const plan = { ...drafted.plan, promotions, ...(chain && { chain }) };
  return freeze(withContent({ ...drafted, plan }, pinned), change, now);
}
