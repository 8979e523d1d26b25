import { CloudOff, Radio, RefreshCw, Wifi } from 'lucide-react';
import { useConnection } from '../api/connection.ts';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** Whether what is on the page is live, and how old it is if not. */
export function ConnectionState() {
  const { stream, reachable, asOf } = useConnection();
  const [Icon, word] = !reachable
    ? [CloudOff, 'Server not reachable']
    : stream === 'lost'
      ? [RefreshCw, 'Reconnecting']
      : stream === 'live'
        ? [Radio, 'Live']
        : [Wifi, 'Connected'];
  const isLost = !reachable || stream === 'lost';
  return (
    <p className={isLost ? 'connection lost' : 'connection'} role="status">
      <Icon size={16} aria-hidden />
      <span>{word}</span>
      {asOf !== null && (
        // The clock would be read out again and again.
        <span className="as-of" aria-hidden>
          as of <span className="numbers">{clock.format(asOf)}</span>
        </span>
      )}
    </p>
  );
}
