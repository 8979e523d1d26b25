import { useQuery } from 'urql';
import { FindingsDocument } from '../generated/documents.ts';
import { Coded } from '../parts/coded.tsx';
import { Empty } from '../parts/empty.tsx';
import { Rows } from '../parts/rows.tsx';

/** What is stored and would be refused today. */
export function Findings() {
  const [{ data, error }] = useQuery({ query: FindingsDocument });
  return (
    <Rows
      items={data?.findings}
      error={error}
      what="the findings"
      head={['Kind', 'Name', 'What is wrong', 'Where']}
      none={<Empty title="There is nothing to mend: everything that is stored follows the rules of today." />}
    >
      {({ kind, name, message, path }) => (
        <tr key={`${kind} ${name} ${message}`}>
          <td>{kind}</td>
          <th scope="row">{name}</th>
          <td className="now">
            <Coded>{message}</Coded>
          </td>
          <td className="mono">{path.join('.')}</td>
        </tr>
      )}
    </Rows>
  );
}
