import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runArgoCdKillPoints } from '../../chaos/argocd-kill-points.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

test.concurrent.each([
  { backend: 'redis' as const, times: 1 },
  { backend: 'postgres' as const, times: 1 },
])(
  'a sync that Sluice asks Argo CD for is asked for once, wherever its worker is killed ($backend)',
  async ({ backend, times }) => {
    const { reached, statuses, syncs, wanted, problems } = await runArgoCdKillPoints({ backend, main, times });
    expect(problems).toEqual([]);
    expect([...syncs].filter(([, count]) => count !== 1)).toEqual([]);
    expect(syncs.size).toBe(wanted);
    expect(statuses).toEqual({ SUCCEEDED: 3 * times });
    // A point that no release came to would prove nothing.
    expect(reached).toEqual({ 'before-effect': times, 'after-effect': times, 'after-record': times });
  },
  240_000,
);
