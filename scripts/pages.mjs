// The workspaces whose pages the server hands out, and whether they are built. Plain JavaScript on node's own modules: this runs before
// anything is installed.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the names of the workspaces that were never built, or whose sources have changed since. */
export function stalePages() {
  return [
    { folder: 'web/graphiql', workspace: '@sluice/graphiql', others: [] },
    { folder: 'web/elements', workspace: '@sluice/elements', others: [], made: 'sluice-status.js' },
    // Its operations are checked against the schema, and it tells events in the words of the command line.
    { folder: 'web/app', workspace: '@sluice/app', others: ['schema.graphql', 'src/cli/watch/events.ts'] },
  ]
    .filter(({ folder, others, made = 'index.html' }) => {
      const built = newest([join(folder, 'dist', made)]);
      return built < newest([...sourcesOf(folder), ...others, 'package-lock.json']);
    })
    .map(({ workspace }) => workspace);
}

/** The time of the newest file below `paths`; 0 when there is none. */
export function newest(paths) {
  const times = paths.filter(existsSync).flatMap((path) => {
    if (!statSync(path).isDirectory()) return [statSync(path).mtimeMs];
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  });
  return Math.max(0, ...times);
}

/** What is made of sources is none itself. */
function sourcesOf(folder) {
  const made = ['dist', 'node_modules', 'generated'];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (made.includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourcesOf(path) : [path];
  });
}
