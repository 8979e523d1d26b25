import { useEffect, useState } from 'react';
import { Button, Form, Heading, Input, Label, TextField } from 'react-aria-components';
import { useQuery } from 'urql';
import { now } from '../api/clock.ts';
import { sayLocal } from '../environment/windows.tsx';
import { CreateWindowDocument, type ReleaseWindowCreateInput, WindowPreviewDocument } from '../generated/documents.ts';
import type { Refusals } from '../parts/ask.tsx';
import { type Choice, Choose } from '../parts/choose.tsx';
import { Loading } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { Problem, QueryProblem } from '../parts/problem.tsx';
import { localAt } from './days.ts';

/** A time that somebody has chosen: instants in milliseconds since the epoch. */
export interface Draft {
  from: number;
  to: number;
  /** undefined: all environments. */
  environment: string | undefined;
  zone: string;
}

interface DraftFormProps {
  draft: Draft;
  zones: readonly Choice[];
  environments: readonly string[];
  close: () => void;
}

const REPEATS = [
  { id: 'ONCE', name: 'Once' },
  { id: 'DAILY', name: 'Every day' },
  { id: 'WORKDAYS', name: 'Monday to Friday' },
  { id: 'WEEKLY', name: 'Every week' },
];
const KINDS = [
  { id: 'DENY', name: 'Nothing starts then' },
  { id: 'ALLOW', name: 'Things start only then' },
];
const YEAR_MS = 365 * 86_400_000;
const PAUSE_MS = 250;

/** A window that is not saved: its next ten times stand below it as the server would keep them. */
export function DraftForm({ draft, zones, environments, close }: DraftFormProps) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<string>('DENY');
  const [repeat, setRepeat] = useState<string>('ONCE');
  const [zone, setZone] = useState(draft.zone);
  const [environment, setEnvironment] = useState(draft.environment);
  const [from, setFrom] = useState(() => localAt(draft.from, draft.zone));
  const [to, setTo] = useState(() => localAt(draft.to, draft.zone));
  const [refusals, setRefusals] = useState<Refusals>([]);
  const [busy, setBusy] = useState(false);
  const save = useOrder(CreateWindowDocument);
  const input: ReleaseWindowCreateInput = {
    name: name.trim(),
    kind: kind === 'ALLOW' ? 'ALLOW' : 'DENY',
    timeZone: zone,
    times: timesOf(repeat, from, to),
    ...(environment === undefined ? {} : { selector: { environments: { names: [environment] }, products: {} } }),
  };
  const submit = async (): Promise<void> => {
    setBusy(true);
    const answer = await save({ input });
    setBusy(false);
    setRefusals(answer);
    if (answer.length === 0) close();
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Heading slot="title">Draft a release window</Heading>
      <TextField className="field" value={name} onChange={setName} isRequired autoFocus>
        <Label>Name</Label>
        <Input placeholder="year-end-freeze" />
      </TextField>
      <div className="fields">
        <Choose label="What it says" value={kind} choices={KINDS} onChange={(id) => setKind(id ?? 'DENY')} />
        <Choose
          label="Environment"
          none="All environments"
          value={environment}
          choices={environments}
          onChange={setEnvironment}
        />
        <Moment label="From" value={from} onChange={setFrom} />
        <Moment label="To" value={to} onChange={setTo} />
        <Choose label="Repeats" value={repeat} choices={REPEATS} onChange={(id) => setRepeat(id ?? 'ONCE')} />
        <Choose label="On the clocks of" value={zone} choices={zones} onChange={(id) => setZone(id ?? draft.zone)} />
      </div>
      <Preview input={input} />
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      <div className="actions">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button primary" type="submit" isPending={busy}>
          Save the window
        </Button>
      </div>
    </Form>
  );
}

/** Its next ten times, by the server. A name is not needed to see them. */
function Preview({ input }: { input: ReleaseWindowCreateInput }) {
  const text = JSON.stringify({ ...input, name: input.name || 'draft' });
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const [since] = useState(now);
  const [{ data, error, fetching }] = useQuery({
    query: WindowPreviewDocument,
    variables: {
      input: JSON.parse(asked) as ReleaseWindowCreateInput,
      from: new Date(since).toISOString(),
      to: new Date(since + YEAR_MS).toISOString(),
    },
  });
  if (error) return <QueryProblem error={error} />;
  if (!data) return fetching ? <Loading what="its next times" /> : null;
  const { occurrences, userErrors } = data.windowPreview;
  return (
    <section aria-label="Its next times" className="preview">
      <h3>Its next times</h3>
      {userErrors.map(({ message }) => (
        <Problem key={message}>{message}</Problem>
      ))}
      {userErrors.length === 0 && occurrences.length === 0 && <p className="hint">None within a year.</p>}
      <ol>
        {occurrences.slice(0, 10).map(({ start, localStart, localEnd, clockChange }) => (
          <li key={start}>
            {sayLocal(localStart)} to {sayLocal(localEnd)}
            {clockChange && <strong> the clocks change</strong>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Moment({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="field">
      {label}
      <input type="datetime-local" required value={value} onChange={({ target }) => onChange(target.value)} />
    </label>
  );
}

const DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** The times as the API takes them: local, on the clocks of the window's zone. */
function timesOf(repeat: string, from: string, to: string): ReleaseWindowCreateInput['times'] {
  if (repeat === 'ONCE') return { once: { from, to } };
  const at = new Date(`${from}Z`);
  const minutes = Math.max(0, Math.round((Date.parse(`${to}Z`) - at.getTime()) / 60_000));
  const rule = {
    DAILY: 'FREQ=DAILY',
    WORKDAYS: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
    WEEKLY: `FREQ=WEEKLY;BYDAY=${DAYS[at.getUTCDay()] ?? 'MO'}`,
  }[repeat];
  return { rrule: { rule: rule ?? 'FREQ=DAILY', start: from, duration: `${minutes}m` } };
}
