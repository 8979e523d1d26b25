import { parseArgs } from 'node:util';
import { simulateCore } from './core.ts';
import { simulateShell } from './shell.ts';

// `npm run simulate -- [--ring core] [--releases N] [--seed N] [--json FILE]`: the rules, in memory.
// `npm run simulate -- --ring shell [--minutes N] [--seed N] [--world N] [--until N] [--pass-over KINDS] [--mood MOOD] [--json FILE]`: everything around them.

const { values: options } = parseArgs({
  options: {
    ring: { type: 'string', default: 'core' },
    releases: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: '42' },
    world: { type: 'string' },
    until: { type: 'string', default: '5' },
    'pass-over': { type: 'string', default: '' },
    mood: { type: 'string' },
    json: { type: 'string' },
  },
});
const [releases, minutes, seed, world] = [options.releases, options.minutes, options.seed, options.world].map((each) =>
  each === undefined ? undefined : Number(each),
) as [number, number, number, number | undefined];
if (!(releases > 0) || !Number.isInteger(seed) || !(minutes > 0))
  throw new Error('--releases, --minutes, --seed and --world take numbers');
if (options.ring === 'core') await simulateCore(releases, seed, options.json);
else if (options.ring === 'shell') {
  const passOver = options['pass-over'].split(',').filter((each) => each !== '');
  await simulateShell({
    lasts: minutes * 60_000,
    seed,
    world,
    json: options.json,
    until: Number(options.until),
    passOver,
    mood: options.mood,
  });
} else throw new Error(`--ring ${options.ring}: there are core and shell`);
