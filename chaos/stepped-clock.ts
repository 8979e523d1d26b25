import { readFileSync } from 'node:fs';

/**
 * Loaded into a process before anything else: at SIGUSR2 its time of day is moved by as many milliseconds as the file named in
 * SLUICE_CHAOS_CLOCK says, as by somebody who sets the clock of a machine. Timers go on as they did.
 */
const RealDate = Date;
let offset = 0;

process.on('SIGUSR2', () => {
  offset = Number(readFileSync(process.env['SLUICE_CHAOS_CLOCK'] as string, 'utf8'));
});

globalThis.Date = new Proxy(RealDate, {
  construct(real, args: unknown[], target: typeof RealDate) {
    const given = args.length === 0 ? [real.now() + offset] : args;
    return Reflect.construct(real, given, target) as Date;
  },
  apply: (real) => new real(real.now() + offset).toString(),
  get(real, name, receiver: unknown) {
    return name === 'now' ? () => real.now() + offset : (Reflect.get(real, name, receiver) as unknown);
  },
});
