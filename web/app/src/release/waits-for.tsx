import { Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { now } from '../api/clock.ts';
import { Decide } from '../approvals/decide.tsx';
import { EnvironmentLink } from '../environment/link.tsx';
import { OverrideDocument, type ReasonFragment } from '../generated/documents.ts';
import { Lift } from '../holds/lift.tsx';
import { Unmark, whereBad } from '../holds/unmark.tsx';
import { Ask } from '../parts/ask.tsx';
import { asIn } from '../parts/in-order.ts';
import { useOrder } from '../parts/order.ts';
import { When } from '../parts/time.tsx';
import { count, placeName, without } from '../parts/words.ts';
import type { ReleaseRead } from './use-release.ts';

/** Every reason at once: who can end it, since when, until when, and the button that does it. */
export function WaitsFor({ release }: { release: ReleaseRead }) {
  if (release.waitingFor.length === 0) return null;
  const names = release.promotions.map(({ name }) => name);
  // What concerns the whole release has no place in it, and holds everything: it stands first.
  const waitingFor = [
    ...release.waitingFor.filter(({ promotion }) => !promotion),
    ...release.waitingFor.filter(({ promotion }) => promotion).sort(asIn(names, ({ promotion }) => promotion?.name)),
  ];
  const isInside = ({ __typename }: ReasonFragment): boolean => INSIDE.includes(__typename);
  const causes = waitingFor.filter((each) => !isInside(each));
  const inside = waitingFor.filter(isInside);
  return (
    <section className="card waits" aria-labelledby="waits-for">
      <h2 id="waits-for">What does it wait for?</h2>
      <Reasons reasons={causes.slice(0, FEW)} release={release} />
      {causes.length > FEW && (
        <>
          <details>
            <summary>And {causes.length - FEW} more</summary>
            <Reasons reasons={causes.slice(FEW)} release={release} />
          </details>
          {causes.filter((each) => 'approval' in each).length > FEW && (
            <p className="hint">
              <Link to="/inbox">Decide several approvals together</Link>
            </p>
          )}
        </>
      )}
      {causes.length === 0 && inside.length <= FEW ? (
        <Reasons reasons={inside} release={release} />
      ) : (
        inside.length > 0 && (
          <details>
            <summary>
              {causes.length === 0 ? 'Each other' : 'After that'}: {count(inside.length, 'environment')}
            </summary>
            <Reasons reasons={inside} release={release} />
          </details>
        )
      )}
    </section>
  );
}

/** What ends by itself when what stands above it ends. */
const INSIDE = ['WaitingForDependencies', 'WaitingForGroup', 'WaitingForGroupHealth', 'WaitingForLimit'];
/** More of them would push the graph off the screen. */
const FEW = 8;

function Reasons({ reasons, release }: { reasons: readonly ReasonFragment[]; release: ReleaseRead }) {
  const environments = new Set(release.skeleton.promotions.flatMap(({ environment }) => environment ?? []));
  return (
    <ul>
      {keyed(reasons).map(([key, reason]) => (
        <li key={key}>
          <div className="reason">
            <strong>
              {environments.has(reason.promotion?.name ?? '') ? (
                <EnvironmentLink name={reason.promotion!.name} product={release.productName} />
              ) : (
                placeName(reason.promotion?.name ?? 'The release')
              )}
            </strong>
            <span>{without(reason.promotion?.name, reason.message)}</span>
            <Details reason={reason} product={release.productName} />
          </div>
          <Cure reason={reason} release={release} />
        </li>
      ))}
    </ul>
  );
}

/** By what stays the same while others come and go: a dialog that is open at one of them must not close for that. */
function keyed(reasons: readonly ReasonFragment[]): [string, ReasonFragment][] {
  const seen = new Map<string, number>();
  return reasons.map((reason) => {
    const step = 'approval' in reason ? reason.approval.step : null;
    const key = [reason.promotion?.id, reason.__typename, step].join(' ');
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return [`${key} ${before}`, reason];
  });
}

function Details({ reason, product }: { reason: ReasonFragment; product: string }) {
  const approval = 'approval' in reason ? reason.approval : undefined;
  const holds = 'holds' in reason ? reason.holds : [];
  const marks = 'badVersions' in reason ? reason.badVersions : [];
  const since = 'step' in reason ? reason.step.startedAt : 'healthySince' in reason ? reason.healthySince : null;
  return (
    <small className="details">
      {reason.who && !reason.message.includes(reason.who) && <span>Who can end it: {reason.who}</span>}
      {approval?.requestedAt && (
        <span>
          asked <When at={approval.requestedAt} />
        </span>
      )}
      {approval?.expiresAt && (
        <span>
          expires <When at={approval.expiresAt} />
        </span>
      )}
      {since && (
        <span>
          {'healthySince' in reason ? 'healthy since' : 'since'} <When at={since} />
        </span>
      )}
      {marks.map((mark) => (
        <span key={mark.id}>
          {mark.label} is bad {whereBad(mark)}, {mark.by && `by ${mark.by}, `}
          since <When at={mark.since} />
          {mark.expiresAt && (
            <>
              , until <When at={mark.expiresAt} />
            </>
          )}
        </span>
      ))}
      {holds.map(({ id, by, since: from, until }) => (
        <span key={id}>
          {by && `by ${by}, `}since <When at={from} />
          {until && (
            <>
              , until <When at={until} />
            </>
          )}
        </span>
      ))}
      {reason.earliest && (
        <span>
          at the earliest <When at={reason.earliest} />
        </span>
      )}
      {'windowNames' in reason && (
        <Link to="/calendar" search={{ environment: reason.promotion?.name, product }}>
          Show the calendar
        </Link>
      )}
      {reason.release && (
        <Link to="/releases/$id" params={{ id: reason.release.uuid }}>
          {reason.release.shortId}
        </Link>
      )}
    </small>
  );
}

/** What a person can do about it, here. */
function Cure({ reason, release }: { reason: ReasonFragment; release: ReleaseRead }) {
  const override = useOrder(OverrideDocument);
  const environment = reason.promotion?.name;
  if ('approval' in reason && reason.promotion) {
    return <Decide approval={reason.approval} promotion={reason.promotion} />;
  }
  if ('holds' in reason) {
    return (
      <div className="actions">
        {reason.holds.map((hold) => (
          <Lift key={hold.id} hold={hold} />
        ))}
      </div>
    );
  }
  if ('badVersions' in reason) {
    return (
      <div className="actions">
        {reason.badVersions.map((mark) => (
          <Unmark key={mark.id} bad={mark} />
        ))}
      </div>
    );
  }
  if ('windowNames' in reason && environment !== undefined) {
    return (
      <Ask
        label="Override"
        title={`Let ${environment} through`}
        icon={<KeyRound size={16} aria-hidden />}
        kind="danger"
        can={reason.promotion?.viewerCan.override}
        text={{ label: 'Reason', required: true }}
        onConfirm={(words) =>
          override({
            input: {
              releaseId: release.uuid,
              environment,
              windows: reason.windowNames,
              reason: words,
              expiresAt: new Date(now() + OVERRIDE_MS).toISOString(),
            },
          })
        }
      >
        <p>For an hour this release alone passes {reason.windowNames.join(', ')}. It is written into the audit log.</p>
      </Ask>
    );
  }
  return null;
}

const OVERRIDE_MS = 3_600_000;
