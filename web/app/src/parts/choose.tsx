import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from 'react-aria-components';

export interface Choice {
  id: string;
  /** What people read; the id where it is left out. */
  name?: string;
}

interface ChooseProps {
  label: string;
  /** undefined: `none` is chosen. */
  value: string | undefined;
  choices: readonly (Choice | string)[];
  onChange: (id: string | undefined) => void;
  /** What it is called to choose nothing; undefined: something has to be chosen. */
  none?: string;
  isInline?: boolean;
}

/** One of several. */
export function Choose({ label, value, choices, onChange, none, isInline = false }: ChooseProps) {
  const all = choices.map((each) => (typeof each === 'string' ? { id: each } : each));
  return (
    <Select
      className={isInline ? 'field inline' : 'field'}
      placeholder={none ?? 'Choose'}
      value={value ?? (none === undefined ? null : '')}
      onChange={(key) => onChange(key === '' || key === null ? undefined : String(key))}
    >
      <Label>{label}</Label>
      <Button className="button">
        <SelectValue />
        <span aria-hidden>▾</span>
      </Button>
      <Popover className="popover">
        <ListBox className="options">
          {none !== undefined && <ListBoxItem id="">{none}</ListBoxItem>}
          {all.map(({ id, name = id }) => (
            <ListBoxItem key={id} id={id} textValue={name}>
              {name}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}
