import { useEffect } from 'react';
import { useQuery } from 'urql';
import { ReleaseHooksDocument } from '../generated/documents.ts';
import { worstOf } from '../parts/worst.ts';
import { Status } from '../parts/status.tsx';
import { count } from '../parts/words.ts';
import { Steps } from './steps.tsx';
import type { ReleaseRead } from './use-release.ts';

/** The steps that the release runs once for all its environments, before, after or when it failed; nothing where it has none. */
export function Hooks({ release: { uuid, sequence } }: { release: ReleaseRead }) {
  const [{ data }, ask] = useQuery({ query: ReleaseHooksDocument, variables: { id: uuid } });
  const steps = data?.release?.steps ?? [];
  const has = steps.length > 0;
  // Which there are is frozen with the release: without any there is nothing to ask again.
  useEffect(() => {
    if (has) ask({ requestPolicy: 'network-only' });
  }, [has, sequence, ask]);
  if (!has) return null;
  const worst = worstOf(steps.map(({ status }) => status));
  return (
    <details className="card hooks" open={worst === 'FAILED'}>
      <summary>
        {count(steps.length, 'step')} of the release itself <Status status={worst} />
      </summary>
      <Steps steps={steps} release={uuid} environment={undefined} />
    </details>
  );
}
