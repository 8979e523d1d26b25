/** Characters that hosts take; a text that is longer is refused as a whole. Before a title may come a word that makes a draft. */
export const MOST = { body: 65_536, title: 240, description: 140, label: 50 };

/** The text as it fits, with an ellipsis where it was cut; never between the halves of a character. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A body with a mark that finds it again; the mark always fits. */
export function marked(body: string, key: string): string {
  const mark = markOf(key);
  return `${cut(body, MOST.body - mark.length - 2)}\n\n${mark}`;
}

/** Shown by no host. */
export const markOf = (key: string): string => `<!-- sluice:${key.replace(/[^\w./-]/g, '_')} -->`;
