import { Input, Label, TextField } from 'react-aria-components';

interface TextProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  isRequired?: boolean;
  type?: 'text' | 'password';
}

/** One line of text in a form. */
export const Text = ({ label, value, onChange, hint, isRequired = false, type = 'text' }: TextProps) => (
  <TextField className="field" value={value} onChange={onChange} isRequired={isRequired} type={type} autoComplete="off">
    <Label>{label}</Label>
    <Input placeholder={hint} />
  </TextField>
);
