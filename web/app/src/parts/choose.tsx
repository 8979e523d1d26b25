import { useState } from 'react';
import {
  Autocomplete,
  Button,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SearchField,
  Select,
  SelectValue,
} from 'react-aria-components';

export interface Choice {
  id: string;
  /** What people read; the id where it is left out. */
  name?: string;
}

interface ChooseProps {
  label: string;
  /** undefined: `none` is chosen. */
  value: string | undefined;
  /** undefined: they are asked for still, and keys would go nowhere. */
  choices: readonly (Choice | string)[] | undefined;
  onChange: (id: string | undefined) => void;
  /** What it is called to choose nothing; undefined: something has to be chosen. */
  none?: string;
  isInline?: boolean;
}

/** More than these are searched; no more than that are drawn. */
const FEW = 20;
const MOST = 50;

/** One of several; of many by a part of the name. */
export function Choose({ label, value, choices, onChange, none, isInline = false }: ChooseProps) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const named = (choices ?? []).map((each) =>
    typeof each === 'string' ? { id: each, name: each } : { name: each.id, ...each },
  );
  const all = none === undefined ? named : [{ id: '', name: none }, ...named];
  const chosen = all.find(({ id }) => id === (value ?? ''));
  const found = all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const shown = found.slice(0, MOST);
  if (chosen && wanted === '' && !shown.includes(chosen)) shown.unshift(chosen);
  const list = (
    <ListBox className="options" items={shown} renderEmptyState={() => <p className="hint">Nothing is called that.</p>}>
      {({ id, name }) => (
        <ListBoxItem id={id} textValue={name}>
          {name}
        </ListBoxItem>
      )}
    </ListBox>
  );
  return (
    <Select
      className={isInline ? 'field inline' : 'field'}
      isDisabled={choices === undefined}
      placeholder={choices === undefined ? 'Loading…' : (none ?? 'Choose')}
      value={value ?? (none === undefined ? null : '')}
      onChange={(key) => onChange(key === '' || key === null ? undefined : String(key))}
      onOpenChange={() => setText('')}
    >
      <Label>{label}</Label>
      <Button className="button">
        <SelectValue>{({ defaultChildren }) => chosen?.name ?? defaultChildren}</SelectValue>
        <span aria-hidden>▾</span>
      </Button>
      <Popover className="popover">
        {all.length <= FEW ? (
          list
        ) : (
          <Autocomplete inputValue={text} onInputChange={setText}>
            <SearchField className="field" aria-label={`${label}: part of a name`} autoFocus>
              <Input placeholder="part of a name" />
            </SearchField>
            {list}
            {found.length > MOST && <p className="hint">{found.length - MOST} others: type a part of their name.</p>}
          </Autocomplete>
        )}
      </Popover>
    </Select>
  );
}
