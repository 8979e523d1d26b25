import type { ReactNode } from 'react';
import { useTitle } from '../frame/title.ts';

interface PageHeadingProps {
  /** The name of the page, in the tab as well. */
  title: string;
  /** What the heading shows instead of the bare name. */
  shown?: ReactNode;
  /** What stands at its right. */
  children?: ReactNode;
}

export function PageHeading({ title, shown = title, children }: PageHeadingProps) {
  useTitle(title);
  return (
    <div className="heading">
      <h1>{shown}</h1>
      {children}
    </div>
  );
}

/** A name and what it is, in a `dl` of many. */
export const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** How many there are of a list whose count has an end. */
export const Total = ({
  of: { totalCount, isTotalCapped },
}: {
  of: { totalCount: number; isTotalCapped: boolean };
}) => (
  <span className="badge">
    {totalCount}
    {isTotalCapped && '+'}
  </span>
);
