import { refusal, RefusedError } from '../../core/problems.ts';
import { shortIdOf } from '../../core/short-id.ts';
import type { CandidateStatus } from '../../core/trigger/candidate.ts';
import type { Change } from '../../core/trigger/change.ts';
import { EXPIRY } from '../../core/trigger/next-step.ts';
import { quote } from '../../core/wording.ts';
import { clientOf } from '../../entities/data-source.ts';
import type { Parts } from '../../parts.ts';
import { newerCandidate, readCandidates, stepCandidate } from '../../store/candidates.ts';
import type { CandidateStep, KeptCandidate } from '../../store/candidates.ts';
import { auditChange } from '../audit.ts';
import { checkReason } from '../hold-environment.ts';
import type { Orderer } from '../orderer.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { pinOf, release } from './advance-candidate.ts';

/**
 * A person wants the release of a candidate now: it waits for nothing, and is MANUAL like every release that a person asks for. A candidate
 * that ended without a release can still become one, until a newer one has.
 */
export function releaseCandidateNow(
  app: Parts,
  id: string,
  by: string | null,
  { makers = [], visible = null }: Orderer = {},
): Promise<Result<KeptCandidate>> {
  return insisting(async () => {
    const candidate = await found(app, id, ['RELEASED', 'SUPERSEDED'], 'released');
    const definitions = await app.definitions.current();
    const pinned = await pinOf(app, definitions, candidate);
    const { author, commits, branch, chain, commit } = candidate.facts;
    const news = { candidate: id, author, branch, commits, ...(chain && { chain }) };
    const change: Change = { kind: 'MANUAL', product: candidate.product, commit, by, makers, news };
    const made = await release(app, definitions, candidate, pinned, change, visible);
    if (made === null) throw movedOn(candidate);
    return again(app, id);
  });
}

/** A candidate that was refused, dismissed or failed is looked at once more, from now on. */
export function retryCandidate(app: Parts, id: string, by: string | null): Promise<Result<KeptCandidate>> {
  return insisting(async () => {
    const candidate = await found(app, id, ['RELEASED', 'SUPERSEDED', 'COALESCING', 'WAITING'], 'tried again');
    const now = app.clock.now();
    await step(app, candidate, {
      status: 'WAITING',
      reason: 'tried again',
      dueAt: now,
      expiresAt: new Date(now.getTime() + EXPIRY),
      attempts: 0,
      actor: by,
    });
    return again(app, id);
  });
}

/** It becomes no release by itself; the same state is no candidate again. */
export function dismissCandidate(
  app: Parts,
  { id, reason }: { id: string; reason: string },
  by: string | null,
): Promise<Result<KeptCandidate>> {
  return insisting(async () => {
    const wrong = checkReason(reason);
    if (wrong.length > 0) throw new RefusedError(wrong);
    const candidate = await found(app, id, ['RELEASED', 'SUPERSEDED', 'DISMISSED'], 'dismissed');
    const { expiresAt, attempts } = candidate;
    await step(app, candidate, { status: 'DISMISSED', reason, dueAt: null, expiresAt, attempts, actor: by });
    return again(app, id);
  });
}

const TRIES = 5;

/**
 * Does it again, from a new look at the candidate, when a sweep has moved the candidate in between: from one wait to the next, that is no
 * reason to refuse what a person asks for.
 */
async function insisting<T>(act: () => Promise<T>): Promise<Result<T>> {
  for (let tries = 1; ; tries += 1) {
    const result = await refusable(act);
    if (tries === TRIES || result.refusals?.[0]?.code !== 'CONFLICT') return result;
  }
}

/** @throws RefusedError where it is not there, or is over in a way that leaves nothing to do */
async function found(app: Parts, id: string, not: readonly CandidateStatus[], what: string): Promise<KeptCandidate> {
  const candidate = (await readCandidates(app.pool, [id])).get(id);
  if (!candidate) throw new RefusedError([refusal('NOT_FOUND', `there is no candidate "${id}"`, ['candidateId'])]);
  if (not.includes(candidate.status)) {
    const message = `${calledOf(candidate)} is ${candidate.status} and cannot be ${what}: ${await whyOf(app, candidate)}`;
    throw new RefusedError([refusal('WRONG_STATE', message, ['candidateId'])]);
  }
  const newer = candidate.endedAt && (await newerCandidate(app.pool, candidate));
  if (!newer) return candidate;
  const message = `${calledOf(newer)} came after ${calledOf(candidate)}: name that one, or release the commit by itself`;
  throw new RefusedError([refusal('WRONG_STATE', message, ['candidateId'])]);
}

function step(app: Parts, candidate: KeptCandidate, to: CandidateStep): Promise<void> {
  return app.dataSource.transaction(async (tx) => {
    const moved = await stepCandidate(await clientOf(tx), candidate, to, app.clock.now());
    if (!moved) throw movedOn(candidate);
    const { id, product, status, reason } = candidate;
    const objects = [
      { kind: 'Candidate' as const, name: id },
      { kind: 'Product' as const, name: product },
    ];
    const after = { status: to.status, reason: to.reason };
    await auditChange(tx, { before: { status, reason }, after, objects });
  });
}

/** As `sluice get candidates` lists it. */
const calledOf = ({ id, product }: Pick<KeptCandidate, 'id' | 'product'>): string =>
  `candidate ${id.slice(0, 8)} of ${quote(product)}`;

async function whyOf({ releaseEngine }: Parts, { releaseId, reason }: KeptCandidate): Promise<string> {
  const made = releaseId === null ? undefined : (await releaseEngine.frozen.of([releaseId])).get(releaseId);
  return made ? `it is release ${shortIdOf(made.product, made.number)}` : reason;
}

const movedOn = (candidate: KeptCandidate): RefusedError =>
  new RefusedError([
    refusal('CONFLICT', `${calledOf(candidate)} went on at this moment: look at it again`, ['candidateId']),
  ]);

async function again({ pool }: Parts, id: string): Promise<KeptCandidate> {
  return (await readCandidates(pool, [id])).get(id)!;
}
