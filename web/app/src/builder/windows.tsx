import { Plus } from 'lucide-react';
import { Button } from 'react-aria-components';
import { useQuery } from 'urql';
import { WindowsOfDocument } from '../generated/documents.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { useBuilder } from './state.ts';

/** The release windows that apply to an environment. They are definitions of their own: the flow does not name them. */
export function Windows({ environment, onNew }: { environment: string; onNew: () => Promise<unknown> }) {
  const exists = useBuilder(({ catalogue }) => catalogue.environments.has(environment));
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const [{ data, error }, ask] = useQuery({
    query: WindowsOfDocument,
    variables: { environment },
    requestPolicy: 'network-only',
    pause: !exists,
  });
  if (!exists) return null;
  const names = data?.windowState.schedule.map(({ window }) => window.name) ?? [];
  return (
    <>
      <h3>Release windows</h3>
      <QueryProblem error={error} />
      <p className="hint">
        {names.length > 0 && `${names.join(', ')}: `}
        {data?.windowState.reason}
      </p>
      {!isReadOnly && (
        <Button
          className="button small"
          onPress={() => void onNew().then(() => ask({ requestPolicy: 'network-only' }))}
        >
          <Plus size={14} aria-hidden />
          New release window
        </Button>
      )}
    </>
  );
}
