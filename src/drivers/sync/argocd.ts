import type { ArgoCdSpec } from '../../core/definitions.ts';
import type { Progress } from '../../core/release.ts';
import { describeChange } from '../../core/running.ts';
import type { ArgoCd } from '../argocd/client.ts';
import { ArgoRefusal } from '../argo-server.ts';
import { openArgoCd } from '../argocd/client.ts';
import type { ArgoApplication, ArgoOperation } from '../argocd/read.ts';
import { KEY_INFO } from '../argocd/read.ts';
import { sameRepository, sourceFor } from '../argocd/source.ts';
import type { SecretSource } from '../secret-source.ts';
import type { SyncAnswer, SyncContext } from './source.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type { HttpClient } from '../http.ts';

const DEFAULT_INTERVAL = 5_000;
/** Between two refreshes: a comparison is work for Argo CD, and it compares by itself every few minutes. Milliseconds. */
const REFRESH_EVERY = 60_000;
const SHOWN = 9;

/**
 * Does the Argo CD application run the change?
 *
 * Yes when the revision that is synced contains the change: the change's commit is an ancestor of it, and the folder holds the pinned content
 * there. The very commit of the change is rarely what is synced, since other environments commit to the same branch. With a source
 * hydrator it is the hydrated branch that is synced, so the question is about the commit that was hydrated.
 *
 * A comparison is asked for at first and once a minute. A sync is asked for only where the definition says REQUEST and auto-sync is off, once
 * per key: Argo CD keeps the key in the operation, so a worker that takes over finds it there. When an application is deleted and made again,
 * what was asked of the one before is gone with it, and is asked for once more. An operation that goes on is waited for, whoever began it.
 */
export async function checkArgoCd(
  source: ArgoCdSpec,
  context: SyncContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<SyncAnswer> {
  const recheckAfter = source.interval ?? DEFAULT_INTERVAL;
  const kept: Kept = { ...context.progress };
  try {
    const argoCd = await openArgoCd(source, context, http, secrets);
    return { recheckAfter, ...(await look(argoCd, source, context, kept)) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof PermanentError) throw error;
    if (!(error instanceof ArgoRefusal) && !(error instanceof TransientError)) throw error;
    const message = `it is not known whether ${context.application} runs ${describeChange(context.change)}: ${error.message}`;
    return { synced: false, message, recheckAfter: Math.max(recheckAfter, error.retryAfter ?? 0), progress: kept };
  }
}

/** What a look keeps for the next one. */
interface Kept extends Progress {
  /** When a comparison was asked for the last time, in milliseconds. */
  refreshed?: number;
  /** A sync was asked for with the key: of the application with this uid; true: of whatever application, by an earlier version. */
  asked?: string | true;
}

async function look(argoCd: ArgoCd, source: ArgoCdSpec, context: SyncContext, kept: Kept): Promise<SyncAnswer> {
  const now = context.now.getTime();
  const refresh = now - (kept.refreshed ?? -Infinity) >= REFRESH_EVERY;
  // Noted before: a comparison that takes longer than its answer is waited for goes on all the same.
  if (refresh) kept.refreshed = now;
  const seen = await argoCd.application(refresh);
  const name = `Argo CD application ${source.application}`;
  const waits = (message: string, more: Partial<SyncAnswer> = {}): SyncAnswer => ({
    synced: false,
    message: `${context.application} does not run ${describeChange(context.change)} yet: ${message}`,
    progress: kept,
    ...more,
  });
  const wanted = await placeOf(seen, source, context);
  if ('why' in wanted) return waits(`${name}: ${wanted.why}`);

  const going = goingOn(seen);
  if (going) return waits(`${name} is syncing, asked for by ${whose(going, context.key)}`);
  const { operation } = seen;
  const judged = (await failure(seen, wanted, name, context.key)) ?? (await judge(seen, source, wanted));
  if (judged === null)
    return { synced: true, message: `${context.application} runs ${describeChange(context.change)}` };
  const why = [`${name} ${judged}`, ...seen.errors].join('; ');

  const wasAsked = kept.asked === true || kept.asked === seen.uid || operation?.key === context.key;
  const mayAsk = source.sync === 'REQUEST' && !seen.autoSync && !wasAsked;
  const held = await heldBack(argoCd, seen, mayAsk, name);
  if (held !== null) return waits(held, { held: true });
  if (!mayAsk)
    return waits(
      seen.autoSync || source.sync === 'REQUEST'
        ? why
        : `${why}; its auto-sync is off: a person has to sync it, or \`sync: REQUEST\` lets Sluice ask for it`,
    );
  if (context.stillMine !== undefined && !(await context.stillMine())) return waits('the promotion was given up');
  try {
    await argoCd.sync({ ...wanted.request, key: context.key, keyName: KEY_INFO });
  } catch (error) {
    if (!(error instanceof ArgoRefusal)) throw error;
    if (/sync window/i.test(error.message)) return waits(`a sync window of ${name} is closed`, { held: true });
    // An operation that somebody else began, or an auto-sync that was switched on meanwhile: the next look follows it.
    if (/already in progress|auto-sync/i.test(error.message)) return waits(`${name}: ${error.message}`);
    throw error;
  }
  kept.asked = seen.uid;
  return waits(`a sync of ${name} was asked for`);
}

function goingOn({ asked, operation }: ArgoApplication): ArgoOperation | undefined {
  if (asked) return asked;
  return operation && (operation.phase === 'Running' || operation.phase === 'Terminating') ? operation : undefined;
}

const whose = ({ key, by }: ArgoOperation, own: string): string => (key === own ? 'Sluice for this change' : by);

/** Where among the revisions the change's source stands, what a sync of it is asked for with, and how a revision is judged. */
interface Wanted {
  position: number;
  request: { revision?: string; position?: number };
  /** Null: the revision contains the change. Otherwise why not, in words. */
  judge(revision: string | undefined): Promise<string | null>;
}

async function placeOf(
  seen: ArgoApplication,
  { source: chosen }: ArgoCdSpec,
  context: SyncContext,
): Promise<Wanted | { why: string }> {
  const { folder, change } = context;
  const { commit } = change;
  if (folder === undefined || commit === undefined)
    return { why: 'the change has no commit, so no revision can be compared with it' };
  if (seen.hydrator) return hydrated(seen.hydrator, context);
  const found = sourceFor(seen, folder, chosen);
  if ('why' in found) return found;
  const { position } = found;
  return {
    position,
    request: { revision: commit, ...(seen.several && { position }) },
    judge: (revision) => contained(context, revision),
  };
}

/** Null: the revision contains the change, or the commit that is given instead. */
async function contained(context: SyncContext, revision = '', commit?: string): Promise<string | null> {
  if (revision === '') return 'has no revision yet';
  const at = revision.slice(0, SHOWN);
  const answer = await context.contains(revision, commit);
  switch (answer?.kind) {
    case 'HOLDS':
      return null;
    case 'BEFORE':
      return `is at ${at}, which does not have the change`;
    case 'OTHER':
      return `is at ${at}, where ${answer.files.slice(0, 3).join(', ')} no longer holds what was promoted`;
    default:
      return `is at ${at}, which is not a commit of the repository`;
  }
}

/**
 * The dry commit that was hydrated last contains the change, and what is synced is what came of it, or later. A dry commit that changes
 * nothing leaves the hydrated branch as it is: then the comparison after it decides.
 */
async function hydrated(
  { dry, phase, message, last }: NonNullable<ArgoApplication['hydrator']>,
  context: SyncContext,
): Promise<Wanted | { why: string }> {
  const { repoURL = '' } = context.folder ?? {};
  if (!sameRepository(dry.repoURL, repoURL))
    return { why: `its source hydrator reads repository "${dry.repoURL}", not "${repoURL}"` };
  const field = 'status.sourceHydrator.lastSuccessfulOperation.drySHA';
  const why = last === undefined ? 'nothing was hydrated yet' : await contained(context, last.dry);
  if (why !== null) {
    const stands = phase === '' ? '' : `; the hydrator is ${phase}${message && `: ${message}`}`;
    return { why: `its hydrated commit ${why}${stands} (${field})` };
  }
  const made = last?.hydrated ?? '';
  return {
    position: 0,
    request: made === '' ? {} : { revision: made },
    judge: async (revision) =>
      made === '' || revision === made ? (revision ? null : 'has no revision yet') : contained(context, revision, made),
  };
}

/** Null: the change is synced. Otherwise why not, in words. */
async function judge(seen: ArgoApplication, { requireSynced }: ArgoCdSpec, wanted: Wanted): Promise<string | null> {
  const { sync, operation, hydrator, reconciledAt } = seen;
  const compared = await wanted.judge(sync.revisions[wanted.position]);
  const stale = hydrator?.last?.hydrated === '' && isBefore(reconciledAt, hydrator.last.finishedAt);
  if (stale) return 'was not compared since its change was hydrated';
  if (sync.status === 'Synced') return compared;
  if (!requireSynced && operation?.phase === 'Succeeded') return wanted.judge(operation.revisions[wanted.position]);
  return compared ?? `is ${sync.status || 'not compared yet'}`;
}

const isBefore = (at: string | undefined, other: string | undefined): boolean =>
  other !== undefined && (at === undefined || Date.parse(at) < Date.parse(other));

/** Of a sync of the change that failed, in words; also where the application counts as Synced, since a hook of it may have failed. */
async function failure(
  { operation }: ArgoApplication,
  wanted: Wanted,
  name: string,
  key: string,
): Promise<string | null> {
  if (operation?.phase !== 'Failed' && operation?.phase !== 'Error') return null;
  const failed = `ended its sync as ${operation.phase}: ${operation.message}`;
  if (operation.key === key) throw new PermanentError(`${name} ${failed}`);
  return (await wanted.judge(operation.revisions[wanted.position])) === null ? failed : null;
}

/** Why Argo CD holds the sync back by a window of its own; null: it does not. */
async function heldBack(
  argoCd: ArgoCd,
  { autoSync, sync }: ArgoApplication,
  mayAsk: boolean,
  name: string,
): Promise<string | null> {
  if (!mayAsk && (!autoSync || sync.status === 'Synced')) return null;
  const windows = await argoCd.windows().catch((error: unknown) => {
    if (error instanceof ArgoRefusal) return null;
    throw error;
  });
  const closed = windows !== null && (autoSync ? !windows.auto : !windows.canSync);
  return closed ? `a sync window of ${name} is closed${windows.about && ` (${windows.about})`}` : null;
}
