import { useNavigate, useSearch } from '@tanstack/react-router';

/** Which page of the list of a tab is shown, in the address. */
export function usePaging() {
  const { after } = useSearch({ from: '/admin' });
  const navigate = useNavigate({ from: '/admin' });
  return {
    after,
    onPage: (to: string | undefined): void => void navigate({ search: (before) => ({ ...before, after: to }) }),
  };
}
