import type { ReactNode } from 'react';

/** Nothing is there: says so, and what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Something is on its way for the first time. */
export const Loading = ({ what }: { what: string }) => (
  <p className="loading" role="status">
    Reading {what} …
  </p>
);
