import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';

interface TypedProps {
  label: string;
  hint: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

const PAUSE_MS = 300;

/** A text that counts when the typing pauses. */
export function Typed({ label, hint, value, onChange }: TypedProps) {
  const [text, setText] = useState(value ?? '');
  const sent = useRef(value);
  const router = useRouter();
  useEffect(() => {
    // The address was changed from elsewhere: by a link, or by going back. Its own text comes back while more is typed already.
    if (value !== sent.current) setText(value ?? '');
    sent.current = value;
  }, [value]);
  const typed = text.trim() === '' ? undefined : text.trim();
  useEffect(() => {
    if (typed === value) return;
    const { pathname } = router.latestLocation;
    const timer = setTimeout(() => {
      // Whoever goes on to another page meanwhile is not called back.
      if (router.latestLocation.pathname !== pathname) return;
      sent.current = typed;
      onChange(typed);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
    // `onChange` is another function each time, and does the same.
  }, [typed, value]);
  return (
    <TextField className="field inline" value={text} onChange={setText} type="search">
      <Label>{label}</Label>
      <Input placeholder={hint} />
    </TextField>
  );
}
