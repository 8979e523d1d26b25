import { runCommand } from '../../src/drivers/actions/command.ts';
import { NO_LOG } from '../../src/drivers/actions/log.ts';
import { contextOf } from './repository.ts';

/** A process that is at work on a command, with the key that it is told, until it is killed. */
process.on('message', (key: string) => {
  const { signal } = new AbortController();
  const args = ['-c', "trap '' TERM; sleep 300 & wait; sleep 300"];
  const commands = { programs: ['/bin/sh'], begin: () => Promise.resolve(true) };
  const at = { context: contextOf(key, { signal }), signal, commands, log: NO_LOG };
  void runCommand({ program: '/bin/sh', args, idempotent: true }, at);
});
