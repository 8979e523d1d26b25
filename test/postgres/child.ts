import { launcherFor, isRoot } from '../../src/postgres/launcher.ts';
import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { createLog } from '../../src/log.ts';

// A process of its own for the tests to kill: starts the embedded PostgreSQL and says where. Arguments: the data folder,
// and the tools to do without (as if they were not installed, or forbidden).
const [dataDir, ...missing] = process.argv.slice(2);
const launcher = launcherFor(isRoot(), missing.length === 0 ? undefined : (prefix) => !missing.includes(prefix[0]!));
const postgres = await startEmbeddedPostgres({ dataDir: dataDir!, launcher, log: createLog({ level: 'silent' }) });
process.once('SIGTERM', () => void postgres.stop().then(() => process.exit(0)));
setInterval(() => undefined, 60_000);
// Last: whoever reads this may send a signal at once.
process.stdout.write(`${JSON.stringify({ url: postgres.url })}\n`);
