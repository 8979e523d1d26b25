import { FOREIGN_LIMITS } from '../../src/foreign/limits.ts';
import { ReaderPool } from '../../src/foreign/pool.ts';

/** A process with a reader that has work without end, or that it closes; it tells the reader's process id. */
const limits = { ...FOREIGN_LIMITS, readers: 1, taskMs: Number(process.argv[2]) };
const pool = new ReaderPool(limits, new URL('./hostile-reader.ts', import.meta.url));
const ask = { caller: 'shop', what: 'a text' };
process.send!(await pool.run('pid', '', ask));
if (process.argv[3] === 'closing') {
  process.disconnect();
  await pool.close();
} else if (process.argv[3] === 'busy') await pool.run('loop', '', ask);
else setInterval(() => undefined, 1_000);
