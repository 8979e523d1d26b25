import { useCallback, useEffect, useRef } from 'react';
import { type AnyVariables, useQuery, type UseQueryArgs, type UseQueryResponse } from 'urql';

/**
 * `useQuery` for what is read again when it has changed. A question of urql that is asked again takes the place of the one on its way, which is then never
 * answered: where changes come faster than answers, nothing new would be shown as long as they do. Here it is asked once more when the answer is there.
 */
export function useRead<Data, Variables extends AnyVariables>(
  args: UseQueryArgs<Variables, Data>,
): UseQueryResponse<Data, Variables> {
  const [state, ask] = useQuery<Data, Variables>(args);
  const { pause = false } = args;
  const isUnderWay = useRef(false);
  const again = useRef<Parameters<typeof ask> | null>(null);
  useEffect(() => {
    const asked = again.current;
    isUnderWay.current = state.fetching || state.stale;
    if (isUnderWay.current || asked === null) return;
    again.current = null;
    isUnderWay.current = true;
    ask(...asked);
  }, [state, ask]);
  const askSurely = useCallback<typeof ask>(
    (...asked) => {
      // It is not known yet what to ask for.
      if (pause) return;
      if (isUnderWay.current) {
        again.current = asked;
        return;
      }
      isUnderWay.current = true;
      ask(...asked);
    },
    [ask, pause],
  );
  return [state, askSurely];
}
