import type { Connection } from './follow.ts';
import { lookOf, toWords } from './words.ts';

export function Icon({ status }: { status: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="7" />
      <path d={lookOf(status).icon} />
    </svg>
  );
}

/** An icon, a word and a colour: nobody has to tell colours apart. */
export function Status({ status, word }: { status: string; word?: string }) {
  return (
    <span class={`status ${lookOf(status).tone}`} part={`status status-${status.toLowerCase()}`}>
      <Icon status={status} />
      {word ?? toWords(status)}
    </span>
  );
}

/** Whether what is shown is so now; silent while it is. */
export function ConnectionNote({ connection, problem }: { connection: Connection; problem: string | null }) {
  const text = {
    connecting: 'Loading…',
    live: '',
    lost: 'Reconnecting…',
    refused: problem ?? 'The server refuses to show it.',
  }[connection];
  return (
    <span class={connection === 'refused' ? 'problem' : 'note'} role="status" part="connection">
      {text}
    </span>
  );
}
