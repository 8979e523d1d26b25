import { programs } from '../../src/programs/index.ts';

/** A process that starts a program, says the number of its group, and waits for ever. */
programs.start(
  { program: 'sh', args: ['-c', 'echo $$; sleep 600'], env: { PATH: process.env['PATH'] }, cwd: '/' },
  { out: (chunk) => process.send!(Number(chunk.toString())), said: () => undefined },
);
