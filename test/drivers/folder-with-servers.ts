import type { Server } from 'node:http';
import { afterAll } from 'vitest';
import { makeFolder } from './repository.ts';

/** A folder for the tests of a file, and the servers that they start: when the tests are over, all of them are gone. */
export function folderWithServers(): { folder: ReturnType<typeof makeFolder>; servers: Server[] } {
  const folder = makeFolder();
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    folder.remove();
  });
  return { folder, servers };
}
