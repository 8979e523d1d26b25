import type { ReactNode, Ref } from 'react';
import { isOfTheWeb } from './address.ts';

interface AwayProps {
  to: string | null | undefined;
  children: ReactNode;
  ref?: Ref<HTMLAnchorElement>;
}

/** Leads to another host, such as to a pull request. The address comes from there: where it is none of the web, it is no link. */
export const Away = ({ to, children, ref }: AwayProps) =>
  isOfTheWeb(to) ? (
    <a href={to} ref={ref}>
      {children}
    </a>
  ) : (
    <span>{children}</span>
  );
