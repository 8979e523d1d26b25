import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Reached } from '../../core/support/reached.ts';
import { EXCUSED, REACHED } from './places.ts';

/** Every kind of seam with every fault that fits it, and what people and machines do. */
const MUST_REACH: readonly string[] = [
  ...['cut before', 'late', 'killed before'].map((fate) => `seam connection × ${fate}`),
  ...['cut before', 'answer lost', 'fails', 'late', 'answer late', 'killed before', 'killed after'].map(
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
    'edit a policy',
    'retry of one',
    'skip of one',
  ].map((each) => `stimulus ${each}`),
  ...[
    'stop',
    'report HEALTHY',
    'report DEGRADED',
    'report a deployment',
    'report a rollout',
    'plan a rollback',
    'ask what is waited for',
  ].map((each) => `stimulus ${each}`),
  // `take ask` is not among them: a group is asked by a job of its own only where its join is lost in between.
  ...[
    'take promote',
    'take step',
    'take join',
    'hand over',
    'spawn',
    'standing',
    'wait for children',
    'renew a lock',
  ].map((each) => `site queue ${each}`),
  ...['sweep', 'observer', 'drift', 'stops', 'listener', 'wake-up', 'effect', 'shutdown'].map(
    (each) => `site timer ${each}`,
  ),
  ...['retry', 'skip'].map((each) => `answer ${each} of one done`),
  ...['ON_START', 'ON_SUCCESS', 'ON_FAIL'].flatMap((own) => [`hook ${own} SUCCEEDED`, `hook ${own} FAILED`]),
  'hook ON_FAIL after a termination',
  ...['environment', 'member', 'step'].map((each) => `hook onFail of an FAILED ${each}`),
  ...['SUCCEEDED', 'FAILED'].map((status) => `hook onFail of a promotion ${status}`),
  ...['ON_START', 'ON_SUCCESS'].map((phase) => `hook of an environment ${phase} failed`),
  'a hook failed, and it goes back',
  ...['FLOW', 'POLICY', 'a locked POLICY'].map((origin) => `setting of ${origin}`),
  ...['TICKET', 'IMAGE'].map((what) => `promise: ${what} is given to what comes after`),
  'stimulus approve a step',
  'a step asks people',
  'a step went on with the approval of people',
  'a workflow is begun',
  ...['well', 'FAILED', 'TRANSIENT'].map((ends) => `a workflow ends: ${ends}`),
  ...['none', 'one that goes on'].map((found) => `errand finds ${found}`),
  ...[
    'what an action began outside is over when nothing follows it any more',
    'an action that follows a workflow succeeds when that has',
  ].map((promise) => `promise: ${promise}`),
  ...['check', 'close', 'update'].map((each) => `stimulus pull request: ${each}`),
  'a person merges a pull request',
  ...['PullRequestOpened', 'PullRequestMerged', 'PullRequestClosed'].map((each) => `event ${each}`),
  ...[
    'for one key there is one branch and one pull request',
    'what becomes of a pull request is told once',
    'what is told to be on a branch is there',
  ].map((promise) => `promise: ${promise}`),
  'release ROLLBACK SUCCEEDED',
  'release FORWARD SUCCEEDED',
  'release FORWARD FAILED',
  'release FORWARD TERMINATED',
];

/** Where the sources are, from there or from what is built of them: a build keeps files that have moved since. */
export function sourcesFor(folder: string): string {
  let root = folder;
  while (!existsSync(join(root, 'package.json'))) root = dirname(root);
  return join(root, 'src');
}

const ASKS = /\.query[(<]|\.transaction\(|inTransaction\(/;
const BEGINS =
  /^(?:export )?(?:async )?function (\w+)|^(?:export )?const (\w+) = (?:async )?\(|^ {2,4}(?:async )?(?!if |for |while |switch )(#?\w+)(?:<[^>]*>)?\(.*\{$/;

/** `store/rollbacks settleRollback`: every function of the store that asks PostgreSQL, and files of commands and jobs that do. */
function allPlaces(): string[] {
  const root = sourcesFor(import.meta.dirname);
  const places = new Set<string>();
  for (const folder of ['store', 'commands', 'jobs'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const file = `${folder}/${name.replace(/\.ts$/, '')}`;
      let within = '';
      for (const line of readFileSync(join(root, folder, name), 'utf8').split('\n')) {
        within = BEGINS.exec(line)?.slice(1).find(Boolean) ?? within;
        if (folder === 'store' && ASKS.test(line)) places.add(`${file} ${within}`);
        // What runs in a transaction of a command is named after what it calls.
        if (folder !== 'store' && /\.query[(<]/.test(line)) places.add(`${file} `);
      }
    }
  return [...places];
}

/** Those of `places` that `FILE` or `FILE: FUNCTION, FUNCTION` means. */
function meant(words: string, places: readonly string[]): string[] {
  const [file, functions] = words.split(': ');
  if (functions === undefined) return places.filter((each) => each.startsWith(`${file} `));
  return functions.split(', ').map((name) => `${file} ${name}`);
}

/** What a world has to ask. */
export function askingPlaces(): string[] {
  const all = allPlaces();
  const excused = new Set(EXCUSED.flatMap(({ places }) => places).flatMap((each) => meant(each, all)));
  return all.filter((each) => !excused.has(each));
}

/** Where the lists of places and the sources differ. */
export function drifted(): { unknown: string[]; gone: string[]; twice: string[] } {
  const all = allPlaces();
  const listed = [...EXCUSED.flatMap(({ places }) => places), ...REACHED];
  const places = listed.flatMap((each) => meant(each, all));
  return {
    unknown: all.filter((each) => !places.includes(each)),
    gone: [...places.filter((each) => !all.includes(each)), ...listed.filter((each) => meant(each, all).length === 0)],
    twice: places.filter((each, place) => places.indexOf(each) !== place),
  };
}

/** What a long run has to reach and did not. */
export function missingSeams(reached: Reached): string[] {
  const sites = [...reached.counts.keys()];
  const wasThere = (place: string): boolean => sites.some((each) => `${each} `.startsWith(`site ${place}`));
  return [...MUST_REACH.filter((each) => !reached.has(each)), ...askingPlaces().filter((each) => !wasThere(each))];
}
