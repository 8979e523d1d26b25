import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { Empty, Loading } from '../parts/empty.tsx';
import { Fact, PageHeading } from '../parts/heading.tsx';
import { useIsNarrow } from '../parts/media.ts';
import { Problem, QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Took, When } from '../parts/time.tsx';
import { count, toWords } from '../parts/words.ts';
import { Progress } from '../releases/progress.tsx';
import { ReleaseActions } from './actions.tsx';
import { Cascade } from './cascade.tsx';
import { Environments } from './environments.tsx';
import { Gantt } from './gantt.tsx';
import { Hooks } from './hooks.tsx';
import { ReleaseNotes } from './notes.tsx';
import { standingProblem } from './paint.ts';
import { PromotionPanel } from './promotion-panel.tsx';
import { VIEWS } from './search.ts';
import { Timeline } from './timeline.tsx';
import { type ReleaseRead, useRelease } from './use-release.ts';
import { WaitsFor } from './waits-for.tsx';

const Graph = lazy(() => import('./graph.tsx'));

export function ReleasePage() {
  const { id } = useParams({ from: '/releases/$id' });
  return <OneRelease key={id} id={id} />;
}

/** What it waits for first, then where it is, then what happened. */
function OneRelease({ id }: { id: string }) {
  const { release, error, fetching } = useRelease(id);
  if (release === undefined) {
    if (error) return <QueryProblem error={error} />;
    if (fetching) return <Loading what="the release" />;
    return (
      <Empty title="There is no such release, or you do not see it.">
        <Link to="/">Show all releases</Link>
      </Empty>
    );
  }
  return (
    <>
      <Head release={release} />
      <QueryProblem error={error} />
      <WaitsFor release={release} />
      {release.rollback && <Cascade rollback={release.rollback} isOwnPage />}
      {release.rollbacks.map((each) => (
        <Cascade key={each.uuid} rollback={each} isOwnPage={false} />
      ))}
      <Hooks release={release} />
      <Views release={release} />
    </>
  );
}

function Head({ release }: { release: ReleaseRead }) {
  const { shortId, kind, status, productName, flowName, version, counts, trigger, startedAt, endedAt } = release;
  const problem = standingProblem(release);
  const commit = version.commit ?? trigger.commit;
  return (
    <>
      <PageHeading
        title={shortId}
        shown={
          <>
            {kind === 'ROLLBACK' && <Undo2 aria-label="Rollback" />}
            {shortId}
          </>
        }
      >
        <Status status={status} />
        <ReleaseActions release={release} />
      </PageHeading>
      <dl className="facts">
        <Fact name="Product">
          <Link to="/" search={{ product: productName }}>
            {productName}
          </Link>
        </Fact>
        <Fact name="Version">
          <span className="mono">{version.label}</span>
        </Fact>
        {commit && (
          <Fact name="Commit">
            <span className="mono" title={commit}>
              {commit.slice(0, 7)}
            </span>
            {trigger.branch && ` of ${trigger.branch}`}
          </Fact>
        )}
        <Fact name="Flow">
          {release.flow ? (
            <Link to="/flows/$name" params={{ name: release.flow.name }}>
              {flowName}
            </Link>
          ) : (
            flowName
          )}
        </Fact>
        <Fact name="Environments">
          <Progress counts={counts} />
        </Fact>
        <Fact name="Started by">{trigger.actor ?? trigger.author ?? toWords(trigger.kind)}</Fact>
        <Fact name="Created">
          <When at={release.createdAt} />
        </Fact>
        {startedAt && (
          <Fact name={endedAt ? 'Took' : 'Runs for'}>
            <Took from={startedAt} until={endedAt ?? null} />
          </Fact>
        )}
        {release.deadline && !endedAt && (
          <Fact name="Ends at the latest">
            <When at={release.deadline} />
          </Fact>
        )}
      </dl>
      {problem && (
        <Problem>
          {problem.environment == null ? problem.message : `${problem.environment}: ${problem.message}`}
        </Problem>
      )}
      {release.terminationReason && <p className="note">Terminated: {release.terminationReason}</p>}
      {release.warnings.length > 0 && (
        <details className="warnings">
          <summary>{count(release.warnings.length, 'warning')}</summary>
          {release.warnings.map((each) => (
            <p key={each} className="note">
              {each}
            </p>
          ))}
        </details>
      )}
    </>
  );
}

function Views({ release }: { release: ReleaseRead }) {
  const isNarrow = useIsNarrow();
  const { environment, view = isNarrow ? 'list' : 'graph' } = useSearch({ from: '/releases/$id' });
  const navigate = useNavigate({ from: '/releases/$id' });
  const select = (name: string | undefined): void => {
    void navigate({ search: (before) => ({ ...before, environment: name }), resetScroll: false });
  };
  const selected = release.promotions.find(({ name }) => name === environment);
  return (
    <div className={selected ? 'split' : undefined}>
      <Tabs
        className="tabs"
        selectedKey={view}
        onSelectionChange={(key) =>
          void navigate({
            search: (before) => ({ ...before, view: VIEWS.find((each) => each === key) }),
            resetScroll: false,
          })
        }
      >
        <TabList aria-label="Views of the release">
          <Tab id="graph">Graph</Tab>
          <Tab id="list">Environments</Tab>
          <Tab id="gantt">Gantt</Tab>
          <Tab id="notes">What it brings</Tab>
          <Tab id="timeline">Timeline</Tab>
        </TabList>
        <TabPanel id="graph">
          <Suspense fallback={<Loading what="the graph" />}>
            <Graph release={release} selected={environment} onSelect={select} />
          </Suspense>
        </TabPanel>
        <TabPanel id="list">
          <Environments release={release} selected={environment} onSelect={select} />
        </TabPanel>
        <TabPanel id="gantt">
          <Gantt release={release} selected={environment} onSelect={select} />
        </TabPanel>
        <TabPanel id="notes">
          <ReleaseNotes release={release} />
        </TabPanel>
        <TabPanel id="timeline">
          <Timeline release={release} />
        </TabPanel>
      </Tabs>
      {selected && (
        <PromotionPanel key={selected.id} release={release} promotion={selected} close={() => select(undefined)} />
      )}
    </div>
  );
}
