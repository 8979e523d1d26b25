import { type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import {
  Button,
  Dialog,
  DialogTrigger,
  Form,
  Heading,
  Label,
  Modal,
  ModalOverlay,
  TextArea,
  TextField,
} from 'react-aria-components';
import { type Ability, Refused, whyNot } from './ability.tsx';
import { leave } from './left.tsx';
import { Problem } from './problem.tsx';

/** The API's refusals and failures of one order, in its own words; empty: it was done. */
export type Refusals = readonly string[];

interface AskProps {
  /** What the button says, and the title of what it opens. */
  label: string;
  title?: string;
  /** What the button in the dialog says; the label where it is left out. */
  confirm?: string;
  icon?: ReactNode;
  /** What will happen, before anything does. */
  children?: ReactNode;
  /** What the text is for; undefined: none is asked. */
  text?: { label: string; required: boolean };
  /** `danger`: it cannot be taken back easily. */
  kind?: 'primary' | 'danger' | 'plain';
  /** Whether the viewer could do it; where not, the button says why. */
  can?: Ability;
  /** What is said when the button goes while the dialog is open, such as who was faster. */
  whenGone?: ReactNode;
  onConfirm: (text: string) => Promise<Refusals>;
}

/** A button that says what it will do, asks for a reason where one is wanted, and shows a refusal where it was asked. */
export function Ask(props: AskProps) {
  const { label, title = label, confirm = label, icon, kind = 'plain', can } = props;
  const isOpen = useRef(false);
  const reason = whyNot(can);
  if (reason !== undefined) return <Refused label={label} icon={icon} reason={reason} />;
  return (
    <DialogTrigger onOpenChange={(to) => (isOpen.current = to)}>
      <Button className={`button ${kind}`}>
        {icon}
        {label}
      </Button>
      <Sheet>{(close) => <AskForm {...props} title={title} label={confirm} isOpen={isOpen} close={close} />}</Sheet>
    </DialogTrigger>
  );
}

/** A dialog in the middle of the page. */
export function Sheet({ children, wide = false }: { children: (close: () => void) => ReactNode; wide?: boolean }) {
  return (
    <ModalOverlay className="overlay" isDismissable>
      <Modal className={wide ? 'modal wide' : 'modal'}>
        <Dialog className="dialog">{({ close }) => children(close)}</Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface AskFormProps extends AskProps {
  title: string;
  /** Whether the person has it open, also when the page takes it away. */
  isOpen: RefObject<boolean>;
  close: () => void;
}

function AskForm({ title, label, text, kind = 'plain', children, whenGone, isOpen, onConfirm, close }: AskFormProps) {
  const [words, setWords] = useState('');
  const [refusals, setRefusals] = useState<Refusals>([]);
  const [busy, setBusy] = useState(false);
  const [path] = useState(window.location.pathname);
  const isHere = useRef(true);
  const isUnderWay = useRef(false);
  const goes = useRef<(why?: Refusals) => void>(undefined);
  useLayoutEffect(() => {
    const gone = { path, title, whenGone, label: text?.label, words };
    goes.current = (why = refusals) => isOpen.current && leave({ ...gone, refusals: why });
  });
  useLayoutEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
      if (!isUnderWay.current) goes.current?.();
    };
  }, []);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    isUnderWay.current = true;
    const answer = await onConfirm(words.trim());
    isUnderWay.current = false;
    setBusy(false);
    setRefusals(answer);
    if (answer.length === 0) close();
    else if (!isHere.current) goes.current?.(answer);
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void confirm();
      }}
    >
      <Heading slot="title">{title}</Heading>
      {children}
      {text && (
        <TextField className="field" value={words} onChange={setWords} isRequired={text.required} autoFocus>
          <Label>{text.label}</Label>
          <TextArea rows={3} />
        </TextField>
      )}
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      <div className="actions">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className={`button ${kind === 'plain' ? 'primary' : kind}`} type="submit" isPending={busy}>
          {label}
        </Button>
      </div>
    </Form>
  );
}
