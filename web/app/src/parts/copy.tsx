import { useState } from 'react';
import { Button } from 'react-aria-components';

/** Copies a text, and says that it has. Browsers let a page copy only over HTTPS and on localhost: elsewhere there is no button. */
export function Copy({ label, text, isSmall = false }: { label: string; text: string; isSmall?: boolean }) {
  const [isCopied, setCopied] = useState(false);
  if (!('clipboard' in navigator)) return null;
  return (
    <Button
      className={isSmall ? 'button small' : 'button'}
      onPress={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      {isCopied ? 'Copied' : label}
    </Button>
  );
}
