import { LRUCache } from 'lru-cache';
import type { SimulateDriverSpec } from '../core/definitions.ts';
import { sha256 } from './content.ts';
import type { Driver, Effect } from './driver.ts';
import { PermanentError, TransientError } from './driver.ts';
import { sleep } from './sleep.ts';

/** Effects are only remembered so that asking twice shows; a long benchmark must not keep them all. */
const REMEMBERED = 10_000;

/**
 * A target that exists nowhere. `failures` counts the tries of all attempts, so that a retried release gets past them.
 * Its effects live in this process: `observe` knows nothing of another process's, and `matches` has nowhere to look,
 * so it cannot tell.
 */
export function createSimulateDriver(): Driver<SimulateDriverSpec> {
  const effects = new LRUCache<string, Effect>({ max: REMEMBERED });
  return {
    async revision(_source, _wanted, signal) {
      signal.throwIfAborted();
      return {};
    },

    async heads(_source, _branches, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async moved(_source, _template, _since, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async refs(_source, _commit, signal) {
      signal.throwIfAborted();
      return { branches: [], tags: [] };
    },

    async pin(_source, _template, wanted, signal) {
      signal.throwIfAborted();
      if (!wanted.version)
        throw new PermanentError(
          'a simulated application needs a version to release, and none was given: name it in `version` (`--version`)',
        );
      return { label: wanted.version, digest: sha256(wanted.version), files: {} };
    },

    async apply(target, content, context) {
      context.signal.throwIfAborted();
      const before = effects.get(context.key);
      if (before) return before;
      if (target.duration) await sleep(target.duration, context.signal);
      const tried = context.tries + Math.max(0, context.attempt - 1);
      const failures = target.failures ?? 0;
      if (failures < 0 || tried < failures) {
        const message = `simulated failure of ${content.label} in ${context.environment}`;
        throw target.failure === 'TRANSIENT' ? new TransientError(message) : new PermanentError(message);
      }
      const effect: Effect = { changed: true };
      effects.set(context.key, effect);
      return effect;
    },

    async observe(_target, key, signal) {
      signal.throwIfAborted();
      return effects.get(key);
    },

    async propose() {
      throw new PermanentError(NO_BRANCHES);
    },

    async proposeFiles() {
      throw new PermanentError(NO_BRANCHES);
    },

    async landed() {
      throw new PermanentError(NO_BRANCHES);
    },

    async matches(_target, _content, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async contains(_target, _change, _revision, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async preview(_target, _content, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async between(_source, _asked, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async read(_source, _endings, signal) {
      signal.throwIfAborted();
      return undefined;
    },

    async close() {},
  };
}

const NO_BRANCHES = 'a simulated application has no branches, so nothing can be proposed for it: use action commit';
