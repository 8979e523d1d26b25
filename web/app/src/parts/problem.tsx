import { CircleAlert } from 'lucide-react';
import type { CombinedError } from 'urql';
import { wordsOf } from '../api/client.ts';
import { Coded } from './coded.tsx';

/** What went wrong, in the API's own words, where it belongs. */
export function Problem({ children }: { children: string }) {
  return (
    <p className="problem" role="alert">
      <CircleAlert size={16} aria-hidden />
      <span>
        <Coded>{children}</Coded>
      </span>
    </p>
  );
}

export const QueryProblem = ({ error }: { error: CombinedError | undefined }) =>
  error === undefined ? null : <Problem>{wordsOf(error)}</Problem>;
