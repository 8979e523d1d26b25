import type { Asked } from '../load.ts';
import type { SluiceProcess } from '../processes.ts';
import type { Subscriber } from '../subscriber.ts';
import type { History, Invariant, LogEntry } from './history.ts';
import { Rule } from './history.ts';

/** Promise 5, on the other end of the wire: every event of the filter, once, in the order of the log. */
export function judgeSubscribers(subscribers: Subscriber[], { log }: History): Invariant {
  const rule = new Rule('each subscriber saw each event of its filter once, in order');
  const fits = ({ event, product }: LogEntry, { filter }: Subscriber): boolean =>
    (filter.product === undefined || filter.product === product) &&
    (filter.environment === undefined || ('environment' in event && event.environment === filter.environment));
  for (const subscriber of subscribers) {
    const { name, seen, refusals } = subscriber;
    const expected = log.filter((entry) => fits(entry, subscriber));
    const place = (of: { releaseId: string; sequence: number } | undefined): string =>
      of ? `${of.releaseId} event ${of.sequence}` : 'nothing';
    const length = Math.max(expected.length, seen.length);
    const wrong = Array.from({ length }, (_, index) => index).find(
      (index) => place(expected[index]) !== place(seen[index]),
    );
    rule.checked += expected.length;
    if (wrong !== undefined) {
      rule.violations.push(
        `${name}, cut ${subscriber.cuts} times: place ${wrong + 1} of ${expected.length} should be ${place(expected[wrong])}, it saw ${place(seen[wrong])} (${seen.length} in all)`,
      );
    }
    for (const refusal of refusals) rule.violations.push(`${name} was refused: ${refusal}`);
  }
  return rule;
}

/**
 * The same key is the same release, through whichever server and however often; and no release without a request.
 * @param byThemselves releases that came of a push
 */
export function judgeTriggers(
  requests: Asked[],
  { keys, releases }: History,
  byThemselves: ReadonlySet<string> = new Set(),
): Invariant {
  const rule = new Rule('the same idempotency key makes one release');
  for (const { key, answers } of requests) {
    const made = keys.get(key);
    for (const { releaseId, userErrors } of answers) {
      rule.expect(
        releaseId !== null && releaseId === made,
        () => `${key} was answered ${releaseId ?? JSON.stringify(userErrors)}, the table says ${made}`,
      );
    }
  }
  const made = new Set(keys.values());
  // A rollback is made by what went wrong, not by a request.
  const asked = [...releases.values()].filter((each) => each.kind === 'FORWARD' && !byThemselves.has(each.id));
  for (const { id } of asked) rule.expect(made.has(id), () => `release ${id} was made by no key`);
  rule.expect(
    made.size === keys.size && [...made].every((id) => releases.has(id)),
    () => `${keys.size} keys made ${made.size} releases`,
  );
  return rule;
}

/** A broken wire or a server that is away is weather: no process may end of it. */
export function judgeProcesses(processes: SluiceProcess[]): Invariant {
  const rule = new Rule('no process ends unless it is killed');
  rule.checked = processes.length;
  for (const { crashes } of processes) rule.violations.push(...crashes);
  return rule;
}
