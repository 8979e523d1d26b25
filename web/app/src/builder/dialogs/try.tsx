import { type ReactNode, useEffect, useState } from 'react';
import { Button, Input, Label, Tab, TabList, TabPanel, Tabs, TextField } from 'react-aria-components';
import { useQuery } from 'urql';
import { now } from '../../api/clock.ts';
import { useAll } from '../../api/read-all.ts';
import {
  ForeseeReleaseDocument,
  type ForeseeReleaseQuery,
  PolicyPreviewDocument,
  ProductsDocument,
  WhichFlowDocument,
} from '../../generated/documents.ts';
import { Choose } from '../../parts/choose.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { Problem, QueryProblem } from '../../parts/problem.tsx';
import { sayLength } from '../../parts/time.tsx';
import { toWords } from '../../parts/words.ts';
import { useBuilder, useDocument } from '../state.ts';
import { Over } from './sheet.tsx';

const PAUSE_MS = 400;

/** What the draft would do, before anything is done: in time, for a commit, and by policy. */
export function TryIt({ close }: { close: () => void }) {
  const { flow } = useDocument();
  const { nodes, problem } = useAll(ProductsDocument);
  const names = nodes?.map(({ name }) => name) ?? [];
  const own = nodes?.find(({ promotionFlows }) => promotionFlows.some(({ name }) => name === flow?.name));
  const [chosen, setChosen] = useState<string>();
  const product = chosen ?? own?.name ?? names[0];
  return (
    <Over title={`Try ${flow?.name}`} wide onClose={close}>
      {problem !== undefined && <Problem>{problem}</Problem>}
      {nodes && names.length === 0 && (
        <Empty title="There is no product yet.">
          <p>Trigger makes one, with simulated targets.</p>
        </Empty>
      )}
      {product !== undefined && (
        <>
          <Choose label="Product" value={product} choices={names} onChange={setChosen} isInline />
          <Tabs className="tabs">
            <TabList aria-label="What to try">
              <Tab id="time">Simulate</Tab>
              <Tab id="commit">Which flow</Tab>
              <Tab id="policies">Policies</Tab>
            </TabList>
            <TabPanel id="time">
              <Simulate product={product} />
            </TabPanel>
            <TabPanel id="commit">
              <TestBox product={product} />
            </TabPanel>
            <TabPanel id="policies">
              <Policies product={product} />
            </TabPanel>
          </Tabs>
        </>
      )}
      <div className="actions">
        <Button className="button" onPress={close}>
          Close
        </Button>
      </div>
    </Over>
  );
}

/** The last of values that come quickly. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

function Field({
  label,
  value,
  onChange,
  children,
}: {
  label: string;
  value: string;
  onChange: (text: string) => void;
  children?: ReactNode;
}) {
  return (
    <TextField className="field" value={value} onChange={onChange}>
      <Label>{label}</Label>
      <Input />
      {children}
    </TextField>
  );
}

function TestBox({ product }: { product: string }) {
  const { text } = useDocument();
  const [message, setMessage] = useState('');
  const [branch, setBranch] = useState('main');
  const [tag, setTag] = useState('');
  const asked = useSettled(JSON.stringify([message, [branch, tag].filter((each) => each.trim() !== '')]));
  const [words, revisions] = JSON.parse(asked) as [string, string[]];
  const [{ data, error }] = useQuery({
    query: WhichFlowDocument,
    variables: { product, message: words, revisions, draft: { manifest: text } },
    requestPolicy: 'network-only',
  });
  return (
    <>
      <div className="try-fields">
        <Field label="Message of the commit" value={message} onChange={setMessage} />
        <Field label="Branch" value={branch} onChange={setBranch} />
        <Field label="Tag" value={tag} onChange={setTag} />
      </div>
      <QueryProblem error={error} />
      {data?.explainFlowSelection.map(({ environment, flow, flows, explanation }) => (
        <section key={environment} aria-label={`A commit in ${environment}`}>
          <h3>
            In {environment}: {flow ?? 'no flow'}
          </h3>
          <ul className="reasons">
            {flows.map(({ flowName, isTaken, reason }) => (
              <li key={flowName} className={isTaken ? 'taken' : ''}>
                <strong>{flowName}</strong> {isTaken && 'is taken: '}
                {reason}
              </li>
            ))}
          </ul>
          {flow === null && <p className="hint">{explanation.at(-1)}</p>}
        </section>
      ))}
    </>
  );
}

type Forecast = NonNullable<ForeseeReleaseQuery['releaseForecast']['forecast']>;

const HOUR = 3_600_000;
const clock = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});
const local = (time: number): string =>
  new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function Simulate({ product }: { product: string }) {
  const { text } = useDocument();
  const [begin] = useState(now);
  const [hours, setHours] = useState(0);
  const [people, setPeople] = useState('30m');
  const at = useSettled(begin + hours * HOUR);
  const assumed = useSettled(people.trim());
  const [{ data, error }] = useQuery({
    query: ForeseeReleaseDocument,
    variables: {
      input: {
        product,
        draft: { manifest: text },
        at: new Date(at).toISOString(),
        assume: { measured: true, ...(assumed !== '' && { people: assumed }) },
      },
    },
    requestPolicy: 'network-only',
  });
  const forecast = data?.releaseForecast.forecast;
  return (
    <>
      <div className="try-fields">
        <label className="field">
          <span className="react-aria-Label">Triggered {clock.format(begin + hours * HOUR)}</span>
          <input
            type="range"
            min={0}
            max={7 * 24}
            value={hours}
            onChange={(event) => setHours(Number(event.target.value))}
            aria-valuetext={clock.format(begin + hours * HOUR)}
          />
        </label>
        <label className="field">
          <span className="react-aria-Label">At this time exactly</span>
          <input
            type="datetime-local"
            value={local(begin + hours * HOUR)}
            onChange={({ target }) => target.value !== '' && setHours((Date.parse(target.value) - begin) / HOUR)}
          />
        </label>
        <Field label="People answer within" value={people} onChange={setPeople} />
      </div>
      <QueryProblem error={error} />
      {data?.releaseForecast.userErrors.map(({ message }) => (
        <Problem key={message}>{message}</Problem>
      ))}
      {!data && !error && <Loading what="what would happen" />}
      {forecast && <Lanes forecast={forecast} />}
    </>
  );
}

const time = (at: string | null | undefined): number | null => (at == null ? null : Date.parse(at));

/** A lane for each: what it waits for, its work, and its soak; the same in words beside it. */
function Lanes({ forecast }: { forecast: Forecast }) {
  const from = Date.parse(forecast.at);
  const ends = forecast.promotions.flatMap((each) => [time(each.earliestEnd), time(each.earliestStart)]);
  const until = Math.max(from + 60_000, ...ends.flatMap((each) => each ?? []));
  const place = (at: number): number => ((at - from) / (until - from)) * 100;
  return (
    <>
      {[...forecast.warnings, ...forecast.notes].map((each) => (
        <p className="note" key={each}>
          {each}
        </p>
      ))}
      <p className="hint">
        {forecast.earliestEnd
          ? `It would be through ${clock.format(Date.parse(forecast.earliestEnd))}, ${sayLength(Date.parse(forecast.earliestEnd) - from)} after its start.`
          : 'It is not known when it would be through.'}
      </p>
      <ul className="lanes">
        {forecast.promotions.map((each) => {
          const [met, start, soaks, end] = [
            each.dependenciesMet,
            each.earliestStart,
            each.soaksFrom,
            each.earliestEnd,
          ].map(time);
          const bar = (className: string, a: number | null | undefined, b: number | null | undefined) =>
            a != null && b != null && b >= a ? (
              <rect
                className={className}
                x={`${place(a)}%`}
                width={`${Math.max(place(b) - place(a), 0.4)}%`}
                y={2}
                height={10}
                rx={2}
              />
            ) : null;
          return (
            <li key={each.name}>
              <strong>{each.name}</strong>
              <svg width="100%" height={14} aria-hidden>
                {bar('lane-waits', met, start ?? until)}
                {bar('lane-works', start, soaks ?? end)}
                {bar('lane-soaks', soaks, end)}
              </svg>
              <span className="hint">
                {start == null ? 'start not known' : `starts ${clock.format(start)}`}
                {each.waits
                  .filter(({ kind, from: since, until: to }) => kind !== 'DEPENDENCIES' && since !== to)
                  .map(({ message, until: to, isAssumed }) => (
                    <span className="wait" key={message}>
                      {message}
                      {to && ` (until ${clock.format(Date.parse(to))}${isAssumed ? ', assumed' : ''})`}
                    </span>
                  ))}
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** The merged setting of each connector, and where it comes from. */
function Policies({ product }: { product: string }) {
  const { flow } = useDocument();
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  const revision = useBuilder(({ session }) => session.base.revision);
  const names = flow
    ? flow.spec.steps.flatMap(({ environment, group }) => environment ?? groups.get(group ?? '') ?? [])
    : [];
  return (
    <>
      {revision === null && <p className="note">The flow is not saved: these are the settings of policies alone.</p>}
      <div className="list-box">
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Environment</th>
              <th scope="col">Pre-action</th>
              <th scope="col">Action</th>
              <th scope="col">Post-action</th>
              <th scope="col">Worth a look</th>
            </tr>
          </thead>
          <tbody>
            {[...new Set(names)].map((environment) => (
              <PolicyRow
                key={environment}
                product={product}
                environment={environment}
                flow={revision === null ? null : (flow?.name ?? null)}
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function PolicyRow(asked: { product: string; environment: string; flow: string | null }) {
  const [{ data, error }] = useQuery({ query: PolicyPreviewDocument, variables: asked });
  const settings = data?.evaluatePolicy.settings ?? [];
  return (
    <tr>
      <th scope="row">{asked.environment}</th>
      {['PRE_ACTION', 'ACTION', 'POST_ACTION'].map((wanted) => {
        const found = settings.find(({ setting }) => setting === wanted);
        return (
          <td key={wanted}>
            {found?.workflow ?? (found?.action ? toWords(found.action) : '')}
            {found && <small className="under">{found.policy ?? toWords(found.origin)}</small>}
          </td>
        );
      })}
      <td className="now">
        <QueryProblem error={error} />
        {data?.evaluatePolicy.findings.map(({ message }) => (
          <span key={message} className="wait">
            {message}
          </span>
        ))}
      </td>
    </tr>
  );
}
