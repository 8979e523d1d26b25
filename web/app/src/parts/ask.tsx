import { type ReactNode, useState } from 'react';
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
  onConfirm: (text: string) => Promise<Refusals>;
}

/** A button that says what it will do, asks for a reason where one is wanted, and shows a refusal where it was asked. */
export function Ask({ label, title, confirm = label, icon, children, text, kind = 'plain', can, onConfirm }: AskProps) {
  const reason = whyNot(can);
  if (reason !== undefined) return <Refused label={label} icon={icon} reason={reason} />;
  return (
    <DialogTrigger>
      <Button className={`button ${kind}`}>
        {icon}
        {label}
      </Button>
      <Sheet>
        {(close) => (
          <AskForm title={title ?? label} label={confirm} text={text} kind={kind} onConfirm={onConfirm} close={close}>
            {children}
          </AskForm>
        )}
      </Sheet>
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

function AskForm({ title, label, text, kind, children, onConfirm, close }: AskProps & { close: () => void }) {
  const [words, setWords] = useState('');
  const [refusals, setRefusals] = useState<Refusals>([]);
  const [busy, setBusy] = useState(false);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    const answer = await onConfirm(words.trim());
    setBusy(false);
    setRefusals(answer);
    if (answer.length === 0) close();
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
