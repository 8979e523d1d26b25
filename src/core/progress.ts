import type { Outcome, Progress } from './release.ts';

/** In bytes of JSON, as UTF-8: it is saved with every decision about its promotion. */
export const MOST_PROGRESS = 16 * 1024;

/** The outcome, or a failure where it keeps more than is kept: what was begun is then known by its key alone. */
export function withBoundedProgress(outcome: Outcome, step: string): Outcome {
  if (!('progress' in outcome) || outcome.progress === undefined) return outcome;
  const size = sizeOf(outcome.progress);
  if (size <= MOST_PROGRESS) return outcome;
  const told = Number.isNaN(size) ? 'is no JSON' : `has ${size} bytes as JSON`;
  const message = `the progress of ${step} ${told}, and at most ${MOST_PROGRESS} bytes are kept between two looks: keep a reference to it`;
  return { kind: 'failed', message, unclear: true };
}

function sizeOf(progress: Progress): number {
  try {
    return new TextEncoder().encode(JSON.stringify(progress)).length;
  } catch {
    return Number.NaN;
  }
}
