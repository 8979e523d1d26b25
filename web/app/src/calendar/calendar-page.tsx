import { useNavigate, useSearch } from '@tanstack/react-router';
import { CalendarPlus, ChevronLeft, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Button, ModalOverlay, Modal, Dialog, ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { useQuery } from 'urql';
import { endOf, useChanges, useDefinitionChanges, useListChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { now } from '../api/clock.ts';
import { useMay } from '../frame/viewer.ts';
import {
  AnyReleaseDocument,
  CalendarDocument,
  CalendarNamesDocument,
  CalendarReleasesDocument,
  WhereNamesDocument,
} from '../generated/documents.ts';
import { Refused } from '../parts/ability.tsx';
import { Choose } from '../parts/choose.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { QueryProblem } from '../parts/problem.tsx';
import { useNow } from '../parts/time.tsx';
import { Typed } from '../parts/typed.tsx';
import { dayAt, daysOf, offsetAt, sayOffset, stepOf } from './days.ts';
import { type Draft, DraftForm } from './draft.tsx';
import { Grid } from './grid.tsx';
import { environmentRows, windowRows } from './rows.ts';
import { type CalendarSearch, SPANS } from './search.ts';
import './calendar.css';

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** What began earlier and is still on its way stands in the calendar as well. */
const BEFORE_MS = 7 * 86_400_000;
/** Fifty releases and what they do are read again: not at every event of a busy day. */
const RELEASES_PAUSE_MS = 5_000;
const HOUR_MS = 3_600_000;

/** When release windows let something start, with what moves and what is held, over a week or a month. */
export function CalendarPage() {
  const search = useSearch({ from: '/calendar' });
  const navigate = useNavigate({ from: '/calendar' });
  const change = (changed: Partial<CalendarSearch>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }) });
  const { span = 'week', zone = HERE } = search;
  const today = dayAt(useNow(), zone);
  const day = search.day ?? today;
  const days = useMemo(() => daysOf(span, day, zone), [span, day, zone]);
  const [from, to] = [days[0]!.from, days.at(-1)!.to];
  const [names, askNames] = useRead({ query: CalendarNamesDocument, variables: { search: search.environment } });
  const environments = useMemo(() => names.data?.environments.nodes.map(({ name }) => name) ?? [], [names.data]);
  const [calendar, askCalendar] = useRead({
    query: CalendarDocument,
    variables: {
      environments,
      products: search.product === undefined ? undefined : [search.product],
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
    },
    pause: environments.length === 0,
  });
  const [overlay, askOverlay] = useRead({
    query: CalendarReleasesDocument,
    variables: {
      environments,
      product: search.product,
      since: new Date(from - BEFORE_MS).toISOString(),
      until: new Date(to).toISOString(),
    },
    pause: environments.length === 0,
  });
  useDefinitionChanges(['ReleaseWindow', 'Environment'], [askNames, askCalendar]);
  useListChanges(['ENVIRONMENT_HOLDS'], [askOverlay]);
  useChanges(AnyReleaseDocument, { from: endOf(overlay.data?.newest), asks: [askOverlay], pause: RELEASES_PAUSE_MS });
  const [draft, setDraft] = useState<Draft>();
  const moves = search.rows === 'windows' ? undefined : overlay.data;
  const windows = calendar.data?.windowCalendar.windows ?? [];
  const rows = !calendar.data
    ? undefined
    : search.rows === 'windows'
      ? windowRows(calendar.data)
      : environmentRows(calendar.data, overlay.data);
  const mayDraft = useMay()('EDIT_DEFINITIONS');
  const draftAt = (start: number, end: number, environment?: string): void =>
    setDraft({ from: start, to: end, environment, zone });
  const startNow = Math.ceil(now() / HOUR_MS) * HOUR_MS;
  return (
    <>
      <PageHeading title="Release windows">
        {mayDraft ? (
          <Button className="button primary" onPress={() => draftAt(startNow, startNow + HOUR_MS)}>
            <CalendarPlus size={16} aria-hidden />
            Draft a window
          </Button>
        ) : (
          <Refused label="Draft a window" reason="You are not allowed to EDIT_DEFINITIONS." />
        )}
      </PageHeading>
      <div className="filters" role="group" aria-label="What is shown">
        <div className="actions">
          <Button
            className="icon-button"
            aria-label={`The ${span} before`}
            onPress={() => change({ day: stepOf(span, day, -1) })}
          >
            <ChevronLeft size={18} aria-hidden />
          </Button>
          <Button className="button" onPress={() => change({ day: undefined })}>
            Today
          </Button>
          <Button
            className="icon-button"
            aria-label={`The ${span} after`}
            onPress={() => change({ day: stepOf(span, day, 1) })}
          >
            <ChevronRight size={18} aria-hidden />
          </Button>
        </div>
        <Toggles
          label="Span"
          value={span}
          choices={[...SPANS]}
          onChange={(id) => change({ span: id === 'month' ? 'month' : undefined })}
        />
        <Toggles
          label="Rows"
          value={search.rows ?? 'environments'}
          choices={['environments', 'windows']}
          onChange={(id) => change({ rows: id === 'windows' ? 'windows' : undefined })}
        />
        <Choose
          isInline
          label="Times in"
          value={zone}
          choices={zonesOf(
            windows.map(({ window }) => window),
            zone,
          )}
          onChange={(id) => change({ zone: id === HERE ? undefined : id })}
        />
        <Typed
          label="Environment"
          hint="part of a name"
          value={search.environment}
          onChange={(environment) => change({ environment })}
        />
        <ProductFilter value={search.product} onChange={(product) => change({ product })} />
      </div>
      <p className="hint">
        All times on the clocks of {zone}
        {zone !== 'UTC' && `, ${sayOffset(offsetAt(from, zone))}`}
        {offsetAt(from, zone) !== offsetAt(to, zone) && `, then ${sayOffset(offsetAt(to, zone))}`}.{' '}
        {mayDraft &&
          'Drag over a row to draft a window; by keyboard: arrow keys move in a row, with Shift they choose a time, Enter drafts it.'}
      </p>
      <QueryProblem error={names.error ?? calendar.error ?? overlay.error} />
      {names.data?.environments.nodes.length === 0 ? (
        <Empty
          title={search.environment === undefined ? 'There is no environment yet.' : 'No environment is called that.'}
        >
          {search.environment !== undefined && (
            <Button className="button" onPress={() => change({ environment: undefined })}>
              Show all environments
            </Button>
          )}
        </Empty>
      ) : rows === undefined ? (
        calendar.error === undefined && <Loading what="the calendar" />
      ) : rows.length === 0 ? (
        <Empty title="There is no release window yet: everything can start at any time.">
          <p>Draft one with the button above, or apply a manifest of kind ReleaseWindow.</p>
        </Empty>
      ) : (
        <>
          <Grid rows={rows} days={days} zone={zone} span={span} onDraft={mayDraft ? draftAt : undefined} />
          <Legend of={search.rows ?? 'environments'} />
        </>
      )}
      {names.data?.environments.pageInfo.hasNextPage && (
        <p className="hint">The first 100 environments are shown: a part of a name finds others.</p>
      )}
      {moves && moves.releases.totalCount > moves.releases.nodes.length && (
        <p className="hint">Of the releases of this time the newest {moves.releases.nodes.length} are shown.</p>
      )}
      {moves?.environmentHolds.pageInfo.hasNextPage && (
        <p className="hint">The first {moves.environmentHolds.nodes.length} holds are shown.</p>
      )}
      {draft && (
        <ModalOverlay className="overlay" isDismissable isOpen onOpenChange={() => setDraft(undefined)}>
          <Modal className="modal">
            <Dialog className="dialog">
              <DraftForm
                draft={draft}
                zones={zonesOf(
                  windows.map(({ window }) => window),
                  zone,
                )}
                environments={environments}
                close={() => setDraft(undefined)}
              />
            </Dialog>
          </Modal>
        </ModalOverlay>
      )}
    </>
  );
}

const LEGENDS = {
  environments: { open: 'open', closed: 'closed', hold: 'on hold', release: 'a release' },
  windows: { allow: 'allows', deny: 'denies' },
};

/** What the colours mean. */
const Legend = ({ of }: { of: keyof typeof LEGENDS }) => (
  <ul className="legend" aria-label="What the colours mean">
    {Object.entries(LEGENDS[of]).map(([kind, words]) => (
      <li key={kind}>
        <span className={`piece piece-${kind}`} aria-hidden />
        {words}
      </li>
    ))}
    <li>⟳ the clocks change</li>
  </ul>
);

/** The viewer's zone, UTC, and those of the windows, each once. */
function zonesOf(windows: readonly { name: string; timeZone: string }[], chosen: string) {
  const names = new Map<string, string[]>();
  for (const { name, timeZone } of windows) names.set(timeZone, [...(names.get(timeZone) ?? []), name]);
  const all = new Set([HERE, 'UTC', ...names.keys(), chosen]);
  return [...all].map((id) => {
    const what = [...(id === HERE ? ['here'] : []), ...(names.get(id)?.slice(0, 2) ?? [])];
    return { id, name: what.length > 0 ? `${id} (${what.join(', ')})` : id };
  });
}

function ProductFilter({ value, onChange }: { value: string | undefined; onChange: (to: string | undefined) => void }) {
  const [{ data }] = useQuery({ query: WhereNamesDocument });
  const names = data?.deploymentMatrixAxes.productNames ?? [];
  return <Choose isInline label="Product" none="Any product" value={value} choices={names} onChange={onChange} />;
}

interface TogglesProps {
  label: string;
  value: string;
  choices: readonly string[];
  onChange: (id: string) => void;
}

function Toggles({ label, value, choices, onChange }: TogglesProps) {
  return (
    <ToggleButtonGroup
      className="toggles"
      aria-label={label}
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => onChange(String([...keys][0]))}
    >
      {choices.map((each) => (
        <ToggleButton key={each} id={each} className="toggle">
          {each.charAt(0).toUpperCase() + each.slice(1)}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
