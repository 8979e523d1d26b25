import { programs } from '../../src/programs/index.ts';

/** A process that has nothing to do but a program for which it does not wait. */
const started = programs.start(
  { program: 'sleep', args: ['600'], env: { PATH: process.env['PATH'] }, cwd: '/' },
  { out: () => undefined, said: () => undefined },
);
started.ended.catch(() => undefined);
started.hold(false);
process.disconnect();
