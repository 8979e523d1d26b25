import { Button } from 'react-aria-components';
import { Over } from './sheet.tsx';

interface KeysProps {
  commands: readonly { keys: string; about: string }[];
  close: () => void;
}

export function Keys({ commands, close }: KeysProps) {
  return (
    <Over title="Keys" onClose={close}>
      <div className="list-box">
        <table className="list keys">
          <tbody>
            {commands.map(({ keys, about }) => (
              <tr key={keys}>
                <th scope="row">
                  <kbd>{keys}</kbd>
                </th>
                <td>{about}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="actions">
        <Button className="button" onPress={close} autoFocus>
          Close
        </Button>
      </div>
    </Over>
  );
}
