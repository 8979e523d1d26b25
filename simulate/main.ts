import { Option } from 'commander';
import { above, program, wholeFrom } from '../scripts/program.ts';
import { MOODS } from '../test/shell/support/definitions.ts';
import { simulateCore } from './core.ts';
import { simulateShell } from './shell.ts';
import type { ShellOptions } from './shell.ts';

const { ring, releases, minutes, passOver, ...others } = program(
  'simulate',
  'Plays random worlds: the rules in memory, or everything around them on a real PostgreSQL.',
)
  .addOption(new Option('--ring <ring>', 'what is played').choices(['core', 'shell']).default('core'))
  .option('--seed <number>', 'what is drawn', wholeFrom(0), 42)
  .option('--releases <number>', 'of the core: how many', wholeFrom(1), 100_000)
  .option('--minutes <number>', 'of the shell: how long', above(0), 20)
  .option('--world <number>', 'of the shell: this world alone, with its trace', wholeFrom(0))
  .option('--until <number>', 'of the shell: how many broken worlds are enough', wholeFrom(1), 5)
  .option('--pass-over <kinds>', 'of the shell: broken promises that are passed over, with commas between them', '')
  .addOption(new Option('--mood <mood>', 'of the shell: what all worlds are about').choices(MOODS))
  .option('--json <file>', 'write what was reached to it')
  .parse()
  .opts<
    Pick<ShellOptions, 'seed' | 'world' | 'until' | 'mood' | 'json'> & {
      ring: 'core' | 'shell';
      releases: number;
      minutes: number;
      passOver: string;
    }
  >();
if (ring === 'core') await simulateCore(releases, others.seed, others.json);
else
  await simulateShell({
    ...others,
    lasts: minutes * 60_000,
    passOver: passOver.split(',').filter((each) => each !== ''),
  });
