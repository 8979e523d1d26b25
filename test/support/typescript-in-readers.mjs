// Node loads this first in each process of tests. vitest reads TypeScript for itself; a process that a test starts from a .ts file
// (the readers of foreign text) has nobody who does.
import { register } from 'node:module';

if (process.argv[1]?.endsWith('.ts')) register('./typescript-hook.mjs', import.meta.url);
