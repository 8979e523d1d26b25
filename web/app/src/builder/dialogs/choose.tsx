import {
  Autocomplete,
  Collection,
  Header,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  SearchField,
  Text,
  useFilter,
} from 'react-aria-components';

/** What can be chosen, under the title of its kind. */
export interface Choices {
  title: string;
  entries: readonly { id: string; name: string; about?: string; isDisabled?: boolean }[];
}

interface ChooseProps {
  label: string;
  choices: readonly Choices[];
  chosen: ReadonlySet<string>;
  isMultiple: boolean;
  onChange: (chosen: Set<string>) => void;
  /** What is typed into the search, where others use it as well. */
  typed?: string;
  onType?: (text: string) => void;
}

/** A list that is searched while one types: arrows go through it, Enter chooses. */
export function Choose({ label, choices, chosen, isMultiple, onChange, typed, onType }: ChooseProps) {
  const { contains } = useFilter({ sensitivity: 'base' });
  return (
    <Autocomplete filter={contains} inputValue={typed} onInputChange={onType}>
      <SearchField className="field" autoFocus>
        <Label>{label}</Label>
        <Input placeholder="Search" />
      </SearchField>
      <ListBox
        aria-label={label}
        className="options choices"
        selectionMode={isMultiple ? 'multiple' : 'single'}
        selectionBehavior="toggle"
        selectedKeys={chosen}
        disabledKeys={choices.flatMap(({ entries }) =>
          entries.flatMap(({ id, isDisabled }) => (isDisabled ? [id] : [])),
        )}
        onSelectionChange={(keys) => keys !== 'all' && onChange(new Set([...keys].map(String)))}
        items={choices.filter(({ entries }) => entries.length > 0).map((each) => ({ ...each, id: each.title }))}
        renderEmptyState={() => (
          <p className="hint">
            {choices.some(({ entries }) => entries.length > 0) ? 'Nothing has this name.' : 'There is nothing yet.'}
            {onType && ' Make it with the button below.'}
          </p>
        )}
      >
        {({ title, entries }) => (
          <ListBoxSection id={title}>
            <Header className="choices-title">{title}</Header>
            <Collection items={entries}>
              {({ id, name, about }) => (
                <ListBoxItem id={id} textValue={name}>
                  {({ isSelected }) => (
                    <span className="choice">
                      <span className="check-box" aria-hidden>
                        {isSelected && '✓'}
                      </span>
                      <Text slot="label">{name}</Text>
                      {about && (
                        <Text slot="description" className="hint">
                          {about}
                        </Text>
                      )}
                    </span>
                  )}
                </ListBoxItem>
              )}
            </Collection>
          </ListBoxSection>
        )}
      </ListBox>
    </Autocomplete>
  );
}
