import type { Heard, Stimulus } from './release.ts';

/**
 * Who is behind a stimulus, by name. Every event carries the actor of the stimulus that caused it. Outcomes,
 * answers, limits that are over and a turn that came are Sluice's own, and have none. Said here and nowhere else.
 */
export function actorOf(stimulus: Stimulus): string | null {
  switch (stimulus.kind) {
    case 'approve':
    case 'reject':
      return stimulus.by?.name ?? null;
    case 'health-reported':
    case 'deployment-reported':
    case 'rollout-reported':
    case 'rollback-joined':
    case 'override-windows':
    case 'terminate':
    case 'retry':
    case 'skip':
      return stimulus.by ?? null;
    case 'tick':
    case 'outcome':
    case 'group-answer':
    case 'lost-dispatch':
    case 'lost-question':
    case 'rollback-told':
    case 'application-told':
    case 'pull-request-told':
    case 'pull-request-closed':
      return null;
  }
}

/**
 * Whether a caller's command can be about it. Every other stimulus follows from something before it: a turn that came, room that is
 * made for a newer release, what a rollback tells the releases that it takes back.
 */
export function isCommanded(stimulus: Stimulus): boolean {
  switch (stimulus.kind) {
    case 'terminate':
      return stimulus.onlyIf === undefined;
    case 'approve':
    case 'reject':
    case 'health-reported':
    case 'deployment-reported':
    case 'rollout-reported':
    case 'rollback-joined':
    case 'override-windows':
    case 'retry':
    case 'skip':
      return true;
    case 'tick':
    case 'outcome':
    case 'group-answer':
    case 'lost-dispatch':
    case 'lost-question':
    case 'rollback-told':
    case 'application-told':
    case 'pull-request-told':
    case 'pull-request-closed':
      return false;
  }
}

/** Stimuli in their order, cut wherever another actor comes. */
export function byActor(stimuli: readonly Stimulus[]): { actor: string | null; said: Stimulus[] }[] {
  const parts: { actor: string | null; said: Stimulus[] }[] = [];
  for (const stimulus of stimuli) {
    const actor = actorOf(stimulus);
    const last = parts.at(-1);
    if (last?.actor === actor) last.said.push(stimulus);
    else parts.push({ actor, said: [stimulus] });
  }
  return parts;
}

/**
 * What is told twice happens once, also when the first telling was saved and its answer lost: the caller gives such a stimulus a
 * key, and the state remembers the keys that it has taken in. Stimuli that are not listed are known by what they say.
 */
export const KEYED: ReadonlySet<Stimulus['kind']> = new Set<Stimulus['kind']>([
  'health-reported',
  'deployment-reported',
  'rollout-reported',
  'rollback-joined',
  'pull-request-closed',
  'terminate',
  'retry',
  'skip',
]);

/** The newest are kept for good, as many as these; all others for as long as a save may be asked for again, in milliseconds. */
const KEPT = 100;
const KEPT_FOR = 10 * 60_000;

/** The keys that were heard, with this one: the newest hundred for good, older ones for ten minutes. `now` in milliseconds (UTC). */
export function remember(heard: readonly Heard[], key: string, now: number): Heard[] {
  const all = [...heard, { key, at: now }];
  return all.filter(({ at }, index) => index >= all.length - KEPT || at > now - KEPT_FOR);
}
