import { Plus, Trash2 } from 'lucide-react';
import { createContext, type ReactNode, type Ref, useContext, useEffect, useId, useRef, useState } from 'react';
import {
  Button,
  Checkbox,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Text,
  TextArea,
  TextField,
} from 'react-aria-components';
import { formatDuration, parseDuration } from '../../../../../src/core/duration.ts';
import type { Kind } from '../../../../../src/core/kinds/names.ts';
import {
  aboutWriting,
  type Field,
  type ListShape,
  type ObjectShape,
  type Shape,
  type TextShape,
} from '../../../../../src/core/kinds/shape.ts';
import { Coded } from '../../parts/coded.tsx';
import { titleOf } from './words.ts';

/** What a form may offer besides what is typed. */
export interface FormHelp {
  /** Names that a text may have: definitions of a kind, or parts of the flow. */
  namesFor: (shape: TextShape) => readonly string[] | null;
  /** Makes a definition, and answers its name; null: it was given up. */
  create?: (kind: Kind) => Promise<string | null>;
  /** Shows a definition of a kind, where it can be looked at over the draft. */
  open?: (kind: Kind, name: string) => (() => void) | undefined;
  isReadOnly?: boolean;
  /** What stands in the field at `place` and is not taken in; null: it is. */
  keepTyping?: (place: string, text: string | null) => void;
  /** What is put back into a field, without being taken in. */
  back?: { field: string; text: string } | null;
  tookBack?: () => void;
}

const HelpContext = createContext<FormHelp>({ namesFor: () => null });
export const FormHelper = HelpContext.Provider;

/** Inside parameters of actions values stand as manifests write them: durations are texts, and any text can be a `${NAME}`. */
const WrittenContext = createContext(false);

type Key = string | number;

interface FieldProps<S extends Shape = Shape> {
  label: string;
  about: string;
  shape: S;
  value: unknown;
  /** Where it stands, for what jumps to a field. */
  path: readonly Key[];
  isRequired: boolean;
  /** `undefined`: it is left out. */
  onChange: (value: unknown) => void;
}

type Values = Record<string, unknown>;

interface FieldsProps {
  shape: ObjectShape;
  value: Values;
  path?: readonly Key[];
  /** Fields that are asked elsewhere. */
  without?: readonly string[];
  only?: readonly string[];
  onChange: (key: string, value: unknown) => void;
}

/** A field for each of an object, as `core/kinds` describes it. */
export function Fields({ shape, value, path = [], without = [], only, onChange }: FieldsProps) {
  return Object.entries(shape.fields as Record<string, Field>)
    .filter(([key]) => !without.includes(key) && (only === undefined || only.includes(key)))
    .map(([key, field]) => {
      const shown = (
        <OneField
          key={key}
          label={titleOf(key)}
          about={aboutWriting(field)}
          shape={shapeOf(field.shape, value)}
          value={value[key]}
          path={[...path, key]}
          isRequired={field.presence === 'required'}
          onChange={(next) => onChange(key, next)}
        />
      );
      if (field.shape.is !== 'json') return shown;
      return (
        <WrittenContext key={key} value>
          {shown}
        </WrittenContext>
      );
    });
}

/** What a JSON is to hold, where a field beside it says so. */
function shapeOf(shape: Shape, beside: Values): Shape {
  if (shape.is !== 'json' || shape.by === undefined) return shape;
  return shape.by.shapes[String(beside[shape.by.field])] ?? shape;
}

function OneField(props: FieldProps) {
  const { shape } = props;
  switch (shape.is) {
    case 'text':
      return <TextOrName {...props} shape={shape} />;
    case 'integer':
      return <Typed {...props} toText={String} fromText={wholeNumber} wanted="a whole number" />;
    case 'duration':
      return <Length {...props} />;
    case 'boolean':
      return <Check {...props} />;
    case 'words':
      return <Words {...props} words={shape.words} />;
    case 'list':
      return <Entries {...props} shape={shape} />;
    case 'map':
      return <Pairs {...props} of={shape.of} />;
    case 'object':
      return <Part {...props} shape={shape} />;
    case 'json':
    case 'any':
    case 'choice':
      return (
        <Typed {...props} isLong toText={(value) => JSON.stringify(value, null, 2)} fromText={json} wanted="JSON" />
      );
  }
}

const wholeNumber = (text: string): number | undefined => (/^-?\d+$/.test(text) ? Number(text) : undefined);

function Length(props: FieldProps) {
  const isWritten = useContext(WrittenContext);
  return (
    <Typed
      {...props}
      toText={(value) => (typeof value === 'number' && !isWritten ? formatDuration(value) : String(value))}
      fromText={(text) => (isWritten && parseDuration(text) !== undefined ? text : parseDuration(text))}
      wanted="a duration such as 30s, 10m or 1h"
    />
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const placeOf = (path: readonly Key[]): string => path.join('.');

/** A field has the focus: the input of a checkbox, the first of a group. @returns whether there is one */
export function focusField(found: HTMLElement | null | undefined): boolean {
  if (!found) return false;
  (found.querySelector<HTMLElement>('input') ?? found).focus();
  found.scrollIntoView({ block: 'nearest' });
  return true;
}

/** What a problem or a slot leads to has the focus, or the field that is nearest around it. */
export function useFocusOnJump(panel: { current: HTMLElement | null }, jumps: number, place: string): void {
  useEffect(() => {
    if (jumps === 0) return;
    for (let at = place; at !== ''; at = at.includes('.') ? at.slice(0, at.lastIndexOf('.')) : '') {
      if (focusField(panel.current?.querySelector<HTMLElement>(`[data-field="${CSS.escape(at)}"]`))) return;
    }
    panel.current?.querySelector<HTMLElement>('h2')?.focus();
    // Each jump counts, also to the field that was selected before.
  }, [jumps, panel]);
}

/** Where the focus goes on when what was pressed is gone, or made something new: the first thing in there. */
const enter = (place: Element | null | undefined): void =>
  place?.querySelector<HTMLElement>('input, textarea, button')?.focus();

/** What stands in a field: what is given, until something is typed. That is kept in case the page ends before it is taken in. */
function useTyped(given: string, path: readonly Key[]) {
  const { keepTyping, back, tookBack } = useContext(HelpContext);
  const place = placeOf(path);
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  const type = (typed: string): void => {
    setText(typed);
    if (typed !== text) keepTyping?.(place, typed === given ? null : typed);
  };
  const isBack = back?.field === place;
  useEffect(() => {
    if (!isBack) return;
    type(back.text);
    tookBack?.();
  }, [isBack]);
  return { text, type, taken: () => keepTyping?.(place, null) };
}

/** What is typed is one change when the field is left, or Enter is pressed. */
function Typed({
  label,
  about,
  value,
  path,
  isRequired,
  isLong = false,
  wanted,
  toText,
  fromText,
  onChange,
}: FieldProps & {
  isLong?: boolean;
  /** What was expected, when `fromText` answers undefined. */
  wanted: string;
  toText: (value: unknown) => string;
  fromText: (text: string) => unknown;
}) {
  const { isReadOnly } = useContext(HelpContext);
  const isWritten = useContext(WrittenContext);
  const given = value === undefined || value === null ? '' : toText(value);
  const { text, type, taken } = useTyped(given, path);
  const isReference = isWritten && text.includes('${');
  const read = isReference ? text.trim() : fromText(text.trim());
  const isWrong = text.trim() !== '' && read === undefined;
  const commit = (): void => {
    if (text === given || isWrong) return;
    taken();
    onChange(text.trim() === '' ? undefined : read);
  };
  return (
    <TextField
      className="field"
      value={text}
      onChange={type}
      onBlur={commit}
      isRequired={isRequired}
      isInvalid={isWrong}
      isReadOnly={isReadOnly ?? false}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && !isLong) commit();
        // Escape leads back to the chart.
        else event.continuePropagation();
      }}
    >
      <Label>{label}</Label>
      {isLong ? <TextArea rows={4} data-field={placeOf(path)} /> : <Input data-field={placeOf(path)} />}
      <Text slot="description" className="hint">
        <Coded>{about}</Coded>
      </Text>
      <FieldError className="field-error">{`Expected ${wanted}.`}</FieldError>
    </TextField>
  );
}

function TextOrName(props: FieldProps<TextShape>) {
  const { namesFor } = useContext(HelpContext);
  const names = namesFor(props.shape);
  if (names !== null) return <Name {...props} names={names} />;
  const isLong = props.path.at(-1) === 'description' || (props.shape.most ?? 0) > 1000;
  return <Typed {...props} isLong={isLong} toText={String} fromText={(text) => text} wanted="a text" />;
}

/** The name of something that exists, or of something that is made now. */
function Name({
  label,
  about,
  shape,
  names,
  value,
  path,
  isRequired,
  onChange,
}: FieldProps<TextShape> & { names: readonly string[] }) {
  const { create, open, isReadOnly } = useContext(HelpContext);
  const given = (value as string | undefined) ?? '';
  const { text, type, taken } = useTyped(given, path);
  const take = (name: string): void => {
    type(name);
    taken();
    if (name !== given) onChange(name === '' ? undefined : name);
  };
  const kind = shape.refers;
  const show = kind === undefined || !names.includes(given) ? undefined : open?.(kind, given);
  return (
    <div className="name-field">
      <ComboBox
        className="field"
        allowsCustomValue
        menuTrigger="focus"
        isReadOnly={isReadOnly ?? false}
        isRequired={isRequired}
        inputValue={text}
        onInputChange={type}
        selectedKey={names.includes(given) ? given : null}
        onSelectionChange={(key) => key !== null && take(String(key))}
        onBlur={() => take(text.trim())}
        // As `items` they would not be searched: arrows and Enter would take the first of all.
        defaultItems={names.map((id) => ({ id }))}
      >
        <Label>{label}</Label>
        <span
          className="combo"
          // Before the form is sent by the same key, or the next one: what was typed counts, unless arrows went to an option.
          onKeyDownCapture={({ key, target }) => {
            if (key === 'Enter' && !(target as Element).hasAttribute('aria-activedescendant')) take(text.trim());
          }}
        >
          <Input data-field={placeOf(path)} />
          <Button className="icon-button" aria-label={`Show names for ${label}`}>
            <span aria-hidden>▾</span>
          </Button>
        </span>
        <Text slot="description" className="hint">
          <Coded>{about}</Coded>
        </Text>
        <Popover className="popover">
          <ListBox className="options">{({ id }: { id: string }) => <ListBoxItem>{id}</ListBoxItem>}</ListBox>
        </Popover>
      </ComboBox>
      {kind !== undefined && create !== undefined && !isReadOnly && (
        <Button className="link-button" onPress={() => void create(kind).then((made) => made !== null && take(made))}>
          New {spaced(kind).replace('promotion ', '')}
        </Button>
      )}
      {show && (
        <Button className="link-button" onPress={show}>
          Open {given}
        </Button>
      )}
    </div>
  );
}

const spaced = (kind: Kind): string => kind.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();

function Check({ label, about, value, path, onChange }: FieldProps) {
  const { isReadOnly } = useContext(HelpContext);
  return (
    <div className="field">
      <Checkbox
        className="check"
        isSelected={value === true}
        isReadOnly={isReadOnly ?? false}
        onChange={onChange}
        data-field={placeOf(path)}
      >
        <span className="check-box" aria-hidden>
          {value === true && '✓'}
        </span>
        {label}
      </Checkbox>
      <span className="hint">
        <Coded>{about}</Coded>
      </span>
    </div>
  );
}

function Words({
  label,
  about,
  value,
  path,
  isRequired,
  words,
  onChange,
}: FieldProps & { words: Record<string, string> }) {
  const { isReadOnly } = useContext(HelpContext);
  return (
    <Select
      className="field"
      placeholder={isRequired ? 'Choose' : 'Not set'}
      isDisabled={isReadOnly ?? false}
      isRequired={isRequired}
      value={(value as string | undefined) ?? null}
      onChange={(key) => onChange(key === null || key === '' ? undefined : String(key))}
    >
      <Label>{label}</Label>
      <Button className="button" data-field={placeOf(path)}>
        <SelectValue>{({ defaultChildren, selectedText }) => selectedText || defaultChildren}</SelectValue>
        <span aria-hidden>▾</span>
      </Button>
      <Text slot="description" className="hint">
        <Coded>{about}</Coded>
      </Text>
      <Popover className="popover">
        <ListBox className="options">
          {!isRequired && <ListBoxItem id="">Not set</ListBoxItem>}
          {Object.entries(words).map(([word, meaning]) => (
            <ListBoxItem key={word} id={word} textValue={word}>
              <strong>{word}</strong>
              <small className="under">{meaning}</small>
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** An entry to begin with: a person sees what they fill in. Undefined: it has no value to begin with. `isWritten` as inside parameters. */
export function fresh(shape: Shape, isWritten = false): unknown {
  if (shape.is === 'object') {
    const needed = Object.entries(shape.fields as Record<string, Field>)
      .filter(([, { presence }]) => presence === 'required')
      .map(([key, field]) => [key, fresh(field.shape, isWritten)] as const);
    return Object.fromEntries(needed.filter(([, value]) => value !== undefined));
  }
  if (shape.is === 'words') return Object.keys(shape.words)[0];
  if (shape.is === 'integer') return Math.max(shape.least, 1);
  if (shape.is === 'duration')
    return isWritten ? formatDuration(Math.max(shape.least, MINUTE)) : Math.max(shape.least, MINUTE);
  if (shape.is === 'list') return [];
  return shape.is === 'text' ? '' : shape.is === 'boolean' ? false : {};
}

const MINUTE = 60_000;

/** After a button of a list: the entry that came has the focus, or the button at the end when one went. */
function useEntryFocus(length: number) {
  const group = useRef<HTMLDivElement>(null);
  const before = useRef<number>(undefined);
  useEffect(() => {
    if (before.current === undefined || !group.current) return;
    const entry = [...group.current.querySelectorAll(':scope > .entry')].at(-1);
    if (length > before.current) enter(entry);
    else (group.current.lastElementChild as HTMLElement).focus();
    before.current = undefined;
  }, [length]);
  return { group, willChange: () => void (before.current = length) };
}

function Entries({ label, about, shape, value, path, onChange }: FieldProps<ListShape>) {
  const { isReadOnly } = useContext(HelpContext);
  const isWritten = useContext(WrittenContext);
  // One entry can stand by itself, where the shape says so.
  const entries = Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];
  const put = (next: unknown[]): void => onChange(next.length === 0 ? undefined : next);
  const { group, willChange } = useEntryFocus(entries.length);
  return (
    <Group ref={group} label={label} about={about} path={path}>
      {entries.map((entry, index) => (
        // The place is what tells entries apart: they have no other name.
        <div className="entry" key={index}>
          <OneField
            label={`${label} ${index + 1}`}
            about={shape.of.is === 'object' ? shape.of.about : ''}
            shape={shape.of}
            value={entry}
            path={[...path, index]}
            isRequired
            onChange={(next) =>
              put(entries.map((each, at) => (at === index ? (next ?? fresh(shape.of, isWritten)) : each)))
            }
          />
          {!isReadOnly && (
            <Button
              className="icon-button"
              aria-label={`Remove ${label.toLowerCase()} ${index + 1}`}
              onPress={() => {
                willChange();
                put(entries.filter((_, at) => at !== index));
              }}
            >
              <Trash2 size={16} aria-hidden />
            </Button>
          )}
        </div>
      ))}
      {!isReadOnly && (
        <Button
          className="button small"
          onPress={() => {
            willChange();
            put([...entries, fresh(shape.of, isWritten)]);
          }}
        >
          <Plus size={14} aria-hidden />
          Add to {label.toLowerCase()}
        </Button>
      )}
    </Group>
  );
}

function Pairs({ label, about, value, path, of, onChange }: FieldProps & { of: Shape }) {
  const { isReadOnly } = useContext(HelpContext);
  const isWritten = useContext(WrittenContext);
  const pairs = Object.entries((value as Values | undefined) ?? {});
  const put = (next: [string, unknown][]): void => onChange(next.length === 0 ? undefined : Object.fromEntries(next));
  const { group, willChange } = useEntryFocus(pairs.length);
  return (
    <Group ref={group} label={label} about={about} path={path}>
      {pairs.map(([key, each], index) => (
        <div className="entry pair" key={index}>
          <Typed
            label="Key"
            about=""
            shape={{ is: 'text' }}
            value={key}
            path={[...path, key, 'key']}
            isRequired
            toText={String}
            fromText={(text) => text}
            wanted="a text"
            onChange={(next = '') => put(pairs.map((pair, at) => (at === index ? [next as string, each] : pair)))}
          />
          <OneField
            label="Value"
            about=""
            shape={of}
            value={each}
            path={[...path, key]}
            isRequired
            onChange={(next) => put(pairs.map((pair, at) => (at === index ? [key, next ?? ''] : pair)))}
          />
          {!isReadOnly && (
            <Button
              className="icon-button"
              aria-label={`Remove ${key}`}
              onPress={() => {
                willChange();
                put(pairs.filter((_, at) => at !== index));
              }}
            >
              <Trash2 size={16} aria-hidden />
            </Button>
          )}
        </div>
      ))}
      {!isReadOnly && (
        <Button
          className="button small"
          onPress={() => {
            willChange();
            put([...pairs, ['', fresh(of, isWritten)]]);
          }}
        >
          <Plus size={14} aria-hidden />
          Add to {label.toLowerCase()}
        </Button>
      )}
    </Group>
  );
}

/** An object within another one: it is there, or it is not. */
function Part({ label, about, shape, value, path, isRequired, onChange }: FieldProps<ObjectShape>) {
  const { isReadOnly } = useContext(HelpContext);
  const isWritten = useContext(WrittenContext);
  const values = value as Values | undefined;
  const place = useRef<HTMLDivElement>(null);
  const pressed = useRef(false);
  const isThere = values !== undefined;
  useEffect(() => {
    if (pressed.current) enter(place.current);
    pressed.current = false;
  }, [isThere]);
  const put = (next: unknown): void => {
    pressed.current = true;
    onChange(next);
  };
  if (values === undefined && !isRequired) {
    if (isReadOnly) return null;
    return (
      <div className="field" ref={place}>
        <Button className="button small" data-field={placeOf(path)} onPress={() => put(fresh(shape, isWritten))}>
          <Plus size={14} aria-hidden />
          Set {label.toLowerCase()}
        </Button>
        <span className="hint">
          <Coded>{about}</Coded>
        </span>
      </div>
    );
  }
  return (
    <Group ref={place} label={label} about={about} path={path}>
      <Fields
        shape={shape}
        value={values ?? {}}
        path={path}
        onChange={(key, next) => onChange(changed(values ?? {}, key, next))}
      />
      {!isRequired && !isReadOnly && (
        <Button className="button small" onPress={() => put(undefined)}>
          <Trash2 size={14} aria-hidden />
          Remove {label.toLowerCase()}
        </Button>
      )}
    </Group>
  );
}

/** Without a key that is undefined, which would be written as null. */
export function changed(values: Values, key: string, value: unknown): Values {
  const next = { ...values, [key]: value };
  if (value === undefined) delete next[key];
  return next;
}

function Group({
  ref,
  label,
  about,
  path,
  children,
}: {
  ref?: Ref<HTMLDivElement>;
  label: string;
  about: string;
  path: readonly Key[];
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div ref={ref} className="form-group" role="group" aria-labelledby={id} data-field={placeOf(path)} tabIndex={-1}>
      <span className="form-group-title" id={id}>
        {label}
      </span>
      {about !== '' && (
        <span className="hint">
          <Coded>{about}</Coded>
        </span>
      )}
      {children}
    </div>
  );
}
