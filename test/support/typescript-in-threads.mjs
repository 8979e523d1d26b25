// Threads that a test starts read TypeScript as the test does. Node loads this before anything else in the test's process, where
// vitest does that work, and in each of its threads, where nobody would.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) register('./typescript-hook.mjs', import.meta.url);
