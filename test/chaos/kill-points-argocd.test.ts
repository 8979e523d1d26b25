import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runArgoCdKillPoints } from '../../chaos/argocd-kill-points.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// `npm run chaos -- --argocd-kills 30` kills more often.
test('a sync that Sluice asks Argo CD for is asked for once, wherever its worker is killed', async () => {
  const { reached, statuses, syncs, wanted, problems } = await runArgoCdKillPoints({
    backend: 'redis',
    main,
    times: 1,
  });
  expect(problems).toEqual([]);
  expect([...syncs].filter(([, count]) => count !== 1)).toEqual([]);
  expect(syncs.size).toBe(wanted);
  expect(statuses).toEqual({ SUCCEEDED: 3 });
  // A point that no release came to would prove nothing.
  expect(reached).toEqual({ 'before-effect': 1, 'after-effect': 1, 'after-record': 1 });
}, 600_000);
