/** A unified diff, a line below the other: signs tell what the colours tell. */
export function Diff({ text, label }: { text: string; label: string }) {
  const lines = text.split('\n').filter((line) => !/^(---|\+\+\+|={3})/.test(line));
  return (
    <pre className="diff" aria-label={label} tabIndex={0} role="region">
      {lines.map((line, index) => (
        <span key={index} className={TONES[line[0] ?? ''] ?? ''}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}

const TONES: Record<string, string> = { '+': 'added', '-': 'removed', '@': 'place' };
