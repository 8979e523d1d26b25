import { Link } from '@tanstack/react-router';
import type { EnvironmentQuery } from '../generated/documents.ts';
import { Table } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';

interface WindowsProps {
  state: EnvironmentQuery['windowState'];
  environment: string;
}

/** Whether something can start now, and what says so next. */
export function Windows({ state, environment }: WindowsProps) {
  const { closed, reason, nextOpen, nextClose, schedule } = state;
  const next = closed ? nextOpen : nextClose;
  return (
    <>
      <p>
        <Status status={closed ? 'WAITING' : 'HEALTHY'} word={closed ? 'Closed now' : 'Open now'} />: {reason}.
        {next && (
          <>
            {' '}
            It {closed ? 'opens' : 'closes'} <When at={next} />.
          </>
        )}{' '}
        <Link to="/calendar" search={{ environment }}>
          Show the calendar
        </Link>
      </p>
      {schedule.length > 0 && (
        <Table head={['Window', 'Says', 'Next from', 'Until', 'Time zone']}>
          {schedule.map(({ window, occurrences: [next] }) => (
            <tr key={window.name}>
              <th scope="row">{window.name}</th>
              <td>{window.kind === 'ALLOW' ? 'Allows' : 'Denies'}</td>
              <td className="numbers">{next ? sayLocal(next.localStart) : 'never again'}</td>
              <td className="numbers">{next && sayLocal(next.localEnd)}</td>
              <td>
                {window.timeZone}
                {next?.clockChange && ' (the clocks change that day)'}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

/** `2026-03-07T22:00:00-05:00` as `2026-03-07 22:00 -05:00`. */
export const sayLocal = (local: string): string =>
  local.replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(.*)$/, '$1 $2 $3');
