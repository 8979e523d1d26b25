import { CircleSlash } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';

/** Whether the viewer could do something, as the API says it. undefined: it was not asked, or is on its way. */
export type Ability = { allowed: boolean; reason?: string | null } | null | undefined;

export const whyNot = (can: Ability): string | undefined =>
  can && !can.allowed ? (can.reason ?? 'You cannot do this.') : undefined;

/** A button for what the viewer cannot do: it can be reached and pressed, and answers with the API's reason. */
export function Refused({ label, icon, reason }: { label: string; icon?: ReactNode; reason: string }) {
  const id = useId();
  const [isShown, setShown] = useState(false);
  return (
    <span className="refused">
      <button
        type="button"
        className="button"
        aria-disabled
        aria-describedby={id}
        title={reason}
        onClick={() => setShown(!isShown)}
      >
        {icon ?? <CircleSlash size={16} aria-hidden />}
        {label}
      </button>
      <span id={id} className={isShown ? 'why-not' : 'hidden'}>
        {reason}
      </span>
    </span>
  );
}
