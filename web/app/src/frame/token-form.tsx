import { useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { admitted } from '../api/connection.ts';
import { setToken } from '../api/token.ts';
import { Problem } from '../parts/problem.tsx';

/** Where the server asks who is calling. The token stays in the memory of this page. */
export function TokenForm({ reason }: { reason: string }) {
  const [text, setText] = useState('');
  return (
    <Form
      className="card token-form"
      onSubmit={(event) => {
        event.preventDefault();
        setToken(text.trim());
        // What was refused is asked again by the pages that come back.
        admitted();
      }}
    >
      <h1>Who is calling?</h1>
      <Problem>{reason}</Problem>
      <TextField className="field" value={text} onChange={setText} isRequired type="password" autoComplete="off">
        <Label>API token</Label>
        <Input />
      </TextField>
      <p className="hint">It is kept until this page is reloaded, and nowhere but here.</p>
      <Button className="button primary" type="submit">
        Go on
      </Button>
    </Form>
  );
}
