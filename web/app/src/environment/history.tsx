import { useNavigate } from '@tanstack/react-router';
import { parseDuration } from '../../../../src/core/duration.ts';
import { endOf, useChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import {
  AnyReleaseDocument,
  EnvironmentHistoryDocument,
  type EnvironmentHistoryQuery,
  MayRollBackDocument,
} from '../generated/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { Fact } from '../parts/heading.tsx';
import { ReleaseLink } from '../parts/release-link.tsx';
import { Listed } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { sayLength, Took, When } from '../parts/time.tsx';
import { RollBackButton } from '../release/roll-back.tsx';

interface HistoryProps {
  environment: string;
  product: string;
  after: string | undefined;
}

/** What was brought to an environment of a product, and how well that goes. */
export function History({ environment, product, after }: HistoryProps) {
  const navigate = useNavigate({ from: '/environments/$name' });
  const [{ data, error }, ask] = useRead({
    query: EnvironmentHistoryDocument,
    variables: { name: environment, product, after },
  });
  const [may, askMay] = useRead({ query: MayRollBackDocument, variables: { name: environment, product } });
  const filter = { environment, product };
  useChanges(AnyReleaseDocument, { variables: { filter }, from: endOf(data?.newest), asks: [ask, askMay] });
  return (
    <>
      <div className="section second">
        <h2>History of {product}</h2>
        {data && data.deploymentHistory.nodes.length > 0 && (
          <RollBackButton
            title={`Take ${product} in ${environment} back to the version before`}
            what={{ product, environments: [environment] }}
            can={may.data?.environment?.viewerCan.rollback}
          />
        )}
      </div>
      {data && <Metrics metrics={data.deliveryMetrics} />}
      <Listed
        page={data?.deploymentHistory}
        error={error}
        what="the history"
        head={['Version', 'Application', 'What became of it', 'Since', 'Stayed', 'Release', 'Why']}
        after={after}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, historyAfter: to }), resetScroll: false })}
        none={<Empty title={`Nothing of ${product} was brought to ${environment} yet.`} />}
      >
        {(each) => (
          <tr key={`${each.applicationName} ${each.since}`}>
            <th scope="row" className="mono">
              {each.version.label}
            </th>
            <td>{each.applicationName}</td>
            <td>
              <Status status={LOOKS[each.end] ?? each.end} word={WORDS[each.end]} />
            </td>
            <td>
              <When at={each.since} />
            </td>
            <td>
              <Took from={each.since} until={each.until ?? null} />
            </td>
            <td>{each.release && <ReleaseLink release={each.release} />}</td>
            <td className="now">{each.reason}</td>
          </tr>
        )}
      </Listed>
    </>
  );
}

const LOOKS: Record<string, string> = { LIVE: 'HEALTHY', REPLACED: 'SUPERSEDED', ROLLED_BACK: 'ROLLED_BACK' };
const WORDS: Record<string, string> = { LIVE: 'Is here', REPLACED: 'Replaced', ROLLED_BACK: 'Taken back' };

function Metrics({ metrics }: { metrics: EnvironmentHistoryQuery['deliveryMetrics'] }) {
  const { since, deployments, deploymentsPerDay, changeFailureRate, leadTime, timeToRestore } = metrics;
  if (deployments === 0) return null;
  return (
    <dl className="facts">
      <Fact name="Deployments">
        {deployments} (<span className="numbers">{deploymentsPerDay.toFixed(1)}</span> a day)
      </Fact>
      {changeFailureRate != null && <Fact name="Failed or taken back">{Math.round(changeFailureRate * 100)} %</Fact>}
      {leadTime && (
        <Fact name="From commit to here, half within">{sayLength(parseDuration(leadTime.median) ?? 0)}</Fact>
      )}
      {timeToRestore && (
        <Fact name="Healthy again, half within">{sayLength(parseDuration(timeToRestore.median) ?? 0)}</Fact>
      )}
      <Fact name="Counted since">
        <When at={since} />
      </Fact>
    </dl>
  );
}
