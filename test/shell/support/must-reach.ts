import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reached } from '../../core/support/watcher.ts';

/** Every kind of seam with every fault that fits it, and what people and machines do. */
export const MUST_REACH: readonly string[] = [
  ...['cut before', 'late', 'killed before'].map((fate) => `seam connection × ${fate}`),
  ...['cut before', 'answer lost', 'fails', 'late', 'killed before', 'killed after'].map(
    (fate) => `seam statement × ${fate}`,
  ),
  ...['fails', 'answer lost', 'late', 'killed before', 'killed after'].map((fate) => `seam queue × ${fate}`),
  ...['lost', 'late', 'killed before'].map((fate) => `seam notice × ${fate}`),
  ...['late', 'killed before', 'killed after'].map((fate) => `seam timer × ${fate}`),
  'seam lock',
  'waits for a lock',
  ...['kill', 'listener cut', 'connection cut', 'queue flushed', 'job lost', 'job given twice'].map(
    (each) => `fault ${each}`,
  ),
  ...[
    'trigger',
    'approve',
    'terminate',
    'retry',
    'hold',
    'lift',
    'edit',
    'dry run',
    'close a window',
    'delete a window',
  ].map((each) => `stimulus ${each}`),
  ...['stop', 'report HEALTHY', 'report DEGRADED', 'report a rollout', 'plan a rollback', 'ask what is waited for'].map(
    (each) => `stimulus ${each}`,
  ),
  ...['take promote', 'take step', 'take join', 'take ask', 'hand over', 'spawn', 'standing', 'wait for children'].map(
    (each) => `site queue ${each}`,
  ),
  ...['sweep', 'observer', 'drift', 'stops', 'listener', 'wake-up', 'effect', 'shutdown'].map(
    (each) => `site timer timer ${each}`,
  ),
  'release ROLLBACK SUCCEEDED',
  'release FORWARD SUCCEEDED',
  'release FORWARD FAILED',
  'release FORWARD TERMINATED',
];

/** Of the parts that move releases, these files ask for what no world needs; the API's own tests do. */
const NOT_IN_A_WORLD = new Set([
  'store/access',
  'store/approval-links',
  'store/approval-reads',
  'store/audit-log',
  'store/deployment-reads',
  'store/event-log',
  'store/rollback-reads',
  'store/sealing',
  'store/secrets',
]);

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));

/** Files of the shell that ask PostgreSQL for something: each is a place where the seed stood. */
export function askingFiles(root = SRC): string[] {
  return ['store', 'commands'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => /\.[tj]s$/.test(file) && !file.endsWith('.d.ts'))
      .filter((file) => /\.query[(<]|\.transaction\(/.test(readFileSync(join(root, folder, file), 'utf8')))
      .map((file) => `${folder}/${file.replace(/\.[tj]s$/, '')}`)
      .filter((file) => !NOT_IN_A_WORLD.has(file)),
  );
}

/** What a long run has to reach and did not. */
export function missingSeams(reached: Reached): string[] {
  const sites = [...reached.counts.keys()];
  const files = askingFiles().filter((file) => !sites.some((each) => each.startsWith(`site ${file} `)));
  return [...MUST_REACH.filter((each) => !reached.has(each)), ...files];
}
