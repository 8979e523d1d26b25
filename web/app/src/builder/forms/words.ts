/** `preAction` as people read it: `Pre-action`; `maxFailureAge`: `Max failure age`. */
export function titleOf(key: string): string {
  const known = KNOWN[key];
  if (known !== undefined) return known;
  const words = key.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const KNOWN: Record<string, string> = {
  preAction: 'Pre-action',
  postAction: 'Post-action',
  onFail: 'On failure',
  cron: 'Cron expression',
  rrule: 'Recurrence rule',
  repoURL: 'Repository',
  url: 'URL',
};
