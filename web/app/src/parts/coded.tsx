/** A sentence with names of fields, values and commands between backticks, as descriptions and refusals have them. */
export function Coded({ children: text }: { children: string }) {
  return text.split(/`([^`]+)`/).map((part, at) => (at % 2 === 0 ? part : <code key={at}>{part}</code>));
}
