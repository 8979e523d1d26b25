import { useQuery } from 'urql';
import { parseManifests } from '../../../../../src/manifests/index.ts';
import { GroupToEditDocument } from '../../generated/documents.ts';
import { Loading } from '../../parts/empty.tsx';
import { Problem, QueryProblem } from '../../parts/problem.tsx';
import { Define } from './define.tsx';
import { Over } from './sheet.tsx';

/** The members of a group, its gate with its soak, and its limits: they belong to the group, in all flows. */
export function EditGroup({ name, onDone }: { name: string; onDone: (name: string | null) => void }) {
  const [{ data, error, stale }] = useQuery({
    query: GroupToEditDocument,
    variables: { name },
    requestPolicy: 'network-only',
  });
  const group = data?.environmentGroup;
  const definition = group && parseManifests(group.manifest).definitions[0]?.definition;
  if (group && definition && !stale) {
    const { metadata, spec } = definition;
    return (
      <Define
        kind="EnvironmentGroup"
        name={name}
        spec={spec}
        saved={{ revision: group.revision, metadata }}
        onDone={onDone}
      />
    );
  }
  return (
    <Over title={`Change environment group ${name}`} onClose={() => onDone(null)}>
      <QueryProblem error={error} />
      {data && !group ? <Problem>{`There is no group ${name}.`}</Problem> : !error && <Loading what="the group" />}
    </Over>
  );
}
