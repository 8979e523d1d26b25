import { useNavigate } from '@tanstack/react-router';
import { Button, ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import type { ReleasesQuery } from '../generated/documents.ts';
import { Choose } from '../parts/choose.tsx';
import { Typed } from '../parts/typed.tsx';
import { toWords } from '../parts/words.ts';
import { RELEASE_KINDS, RELEASE_STATUSES, type ReleasesSearch } from './search.ts';

type Facets = ReleasesQuery['choices']['facets'];

interface FiltersProps {
  search: ReleasesSearch;
  /** Which values there are; undefined: not read yet. */
  facets: Facets | undefined;
}

/** Whether the list shows less than all. */
export const isFiltered = ({ after: _, ...filters }: ReleasesSearch): boolean =>
  Object.values(filters).some((each) => each !== undefined);

const MORE = ['commit', 'flow', 'actor', 'kind', 'since', 'until'] as const;

/** All of them stand in the address, so a link shows the same list. */
export function Filters({ search, facets }: FiltersProps) {
  const navigate = useNavigate({ from: '/' });
  const change = (changed: Partial<ReleasesSearch>): void =>
    // What is typed counts after a pause: meanwhile something else may have been chosen.
    void navigate({ search: (before) => ({ ...before, after: undefined, ...changed }) });
  const counts = new Map(facets?.statuses.map(({ value, count }) => [value, count]));
  // What is chosen can be chosen away, also where no release has it.
  const values = (facet: keyof Omit<Facets, '__typename'>, chosen: string | undefined) => {
    const known = (facets?.[facet] ?? []).map(({ value, count }) => ({ id: value, name: `${value} (${count})` }));
    return chosen === undefined || known.some(({ id }) => id === chosen)
      ? known
      : [{ id: chosen, name: chosen }, ...known];
  };
  return (
    <div className="filters" role="group" aria-label="Filters">
      <Typed
        label="Search"
        hint="version, billing#42, name"
        value={search.text}
        onChange={(text) => change({ text })}
      />
      <Choose
        isInline
        label="Product"
        none="All products"
        value={search.product}
        choices={values('products', search.product)}
        onChange={(product) => change({ product })}
      />
      <ToggleButton
        className="toggle"
        isSelected={search.attention === true}
        onChange={(on) => change({ attention: on ? true : undefined })}
      >
        Needs attention
      </ToggleButton>
      <ToggleButtonGroup
        className="toggles"
        aria-label="Status"
        selectionMode="multiple"
        selectedKeys={search.status ?? []}
        onSelectionChange={(keys) => {
          const status = RELEASE_STATUSES.filter((each) => keys.has(each));
          change({ status: status.length > 0 ? status : undefined });
        }}
      >
        {RELEASE_STATUSES.map((each) => (
          <ToggleButton key={each} id={each} className="toggle">
            {toWords(each)}
            {counts.has(each) && <span className="numbers">{counts.get(each)}</span>}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <details open={MORE.some((each) => search[each] !== undefined)}>
        <summary>More filters</summary>
        <div className="filters">
          <Typed
            label="Commit"
            hint="7 digits or more"
            value={search.commit}
            onChange={(commit) => change({ commit })}
          />
          <Choose
            isInline
            label="Flow"
            none="All flows"
            value={search.flow}
            choices={values('flows', search.flow)}
            onChange={(flow) => change({ flow })}
          />
          <Choose
            isInline
            label="Started by"
            none="Everybody"
            value={search.actor}
            choices={values('actors', search.actor)}
            onChange={(actor) => change({ actor })}
          />
          <Choose
            isInline
            label="Kind"
            none="Both"
            value={search.kind}
            choices={RELEASE_KINDS.map((id) => ({ id, name: toWords(id) }))}
            onChange={(kind) => change({ kind: RELEASE_KINDS.find((each) => each === kind) })}
          />
          <Day label="From" value={search.since} onChange={(since) => change({ since })} />
          <Day label="To" value={search.until} onChange={(until) => change({ until })} />
        </div>
      </details>
      {isFiltered(search) && (
        <Button className="link-button" onPress={() => void navigate({ search: {} })}>
          Show all
        </Button>
      )}
    </div>
  );
}

interface DayProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function Day({ label, value, onChange }: DayProps) {
  return (
    <label className="field inline">
      {label}
      <input
        type="date"
        value={value ?? ''}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      />
    </label>
  );
}
