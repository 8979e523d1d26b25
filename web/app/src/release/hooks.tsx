import { useEffect } from 'react';
import { useQuery } from 'urql';
import { ReleaseHooksDocument } from '../generated/documents.ts';
import { worstOf } from '../parts/worst.ts';
import { Status } from '../parts/status.tsx';
import { count } from '../parts/words.ts';
import { Steps } from './steps.tsx';
import type { ReleaseRead } from './use-release.ts';

/** The steps that the release runs once for all its environments, before, after or when it failed; nothing where it has none. */
export function Hooks({ release: { uuid, sequence, endedAt } }: { release: ReleaseRead }) {
  const [{ data }, ask] = useQuery({ query: ReleaseHooksDocument, variables: { id: uuid } });
  const steps = data?.release?.steps ?? [];
  const has = steps.length > 0;
  // Which there are is frozen with the release: without any there is nothing to ask again.
  useEffect(() => {
    if (has) ask({ requestPolicy: 'network-only' });
  }, [has, sequence, ask]);
  if (!has) return null;
  const isOver = endedAt != null;
  // What is done about a failure never runs where there was none.
  const ran = steps.filter(({ status }) => !isOver || status !== 'PENDING');
  const worst = worstOf(ran.map(({ status }) => status));
  return (
    <details className="card hooks" open={!QUIET.includes(worst)}>
      <summary>
        {count(steps.length, 'step')} of the release itself{' '}
        <Status status={worst} word={ran.length === 0 ? 'Not run' : undefined} />
      </summary>
      <Steps steps={steps} release={uuid} environment={undefined} isOver={isOver} />
    </details>
  );
}

/** Nobody has to look into them. */
const QUIET = ['PENDING', 'SKIPPED', 'SUCCEEDED'];
