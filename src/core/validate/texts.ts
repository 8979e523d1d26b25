import { whyNoCondition } from '../analysis.ts';
import { refuseMessage } from '../commit-message.ts';
import { isPattern, MOST_PARTS, WHOLE_FILE } from '../file-pattern.ts';
import { refusePath } from '../json-path.ts';
import type { MapShape, TextRule } from '../kinds/shape.ts';
import { isZone } from '../windows/zones.ts';
import { quote } from '../wording.ts';
import { checkBranch, checkFolderPath, checkRepoUrl } from './git.ts';
import type { Checks, Path } from './rules.ts';

/** What the rules for texts come to; `called` is how a message calls the text. */
export const TEXTS: Record<TextRule, (checks: Checks, value: string, path: Path, called?: string) => void> = {
  name: (checks, value, path, called = 'the name') => checks.name(value, called, path),
  pattern: (checks, value, path) => checks.pattern(value, path),
  labelKey: (checks, value, path) => checks.labelKey(value, path),
  labelValue: (checks, value, path) => checks.labelValue(value, path),
  httpUrl: checkHttpUrl,
  repoURL: checkRepoUrl,
  branch: checkBranch,
  folder: (checks, value, path, called = 'the path') => {
    if (value !== '.') checkFolderPath(checks, value, called, path);
  },
  file: (checks, value, path) => checkFolderPath(checks, value, 'the file', path),
  filePattern: checkFilePattern,
  jsonPath: checkJsonPath,
  promotedPath: (checks, value, path) => {
    if (value !== WHOLE_FILE) checkJsonPath(checks, value, path);
  },
  header: checkHeaderValue,
  method: (checks, value, path) => {
    if (!/^[A-Za-z]+$/.test(value)) checks.invalid(`the method ${quote(value)} must be letters alone`, path);
  },
  condition: (checks, value, path) => {
    const why = whyNoCondition(value);
    if (why !== null) checks.invalid(`the condition ${quote(value)} cannot be used: ${why}`, path);
  },
  timeZone: (checks, value, path) => {
    if (isZone(value)) return;
    const hint = checks.hint(value, Intl.supportedValuesOf('timeZone'));
    checks.invalid(
      `the time zone ${quote(value)} is not known; write an IANA name such as Europe/Berlin.${hint}`,
      path,
    );
  },
  email: (checks, value, path) => {
    if (value.length <= 200 && /^[^\s<>@]+@[^\s<>@]+$/u.test(value)) return;
    checks.invalid(`${quote(value)} is not an e-mail address`, path);
  },
  commitMessage: (checks, value, path) => {
    checks.text(value, 'the message', path, 2_000);
    for (const wrong of refuseMessage(value)) checks.invalid(wrong, path);
  },
  person: (checks, value, path, called) => {
    if (value.trim() !== '' && value.length <= 200) return;
    checks.invalid(
      called === undefined
        ? `${quote(value)} is no name: it must have 1 to 200 characters`
        : `${called} ${quote(value)} must have 1 to 200 characters`,
      path,
    );
  },
};

/** Rules for keys of maps; false: its value is not looked at. */
export const KEYS: Record<MapShape['keys'], (checks: Checks, key: string, path: Path) => boolean> = {
  labelKey: (checks, key, path) => {
    checks.labelKey(key, path);
    return true;
  },
  header: (checks, key, path) => {
    if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(key)) return true;
    checks.invalid(`${quote(key)} is not the name of a header`, path);
    return false;
  },
  file: (checks, key, path) => {
    checkFilePattern(checks, key, path);
    return true;
  },
  free: () => true,
};

/** The name of a file, or a pattern. */
function checkFilePattern(checks: Checks, file: string, path: Path): void {
  const folder = file.replace(/\/$/, '');
  checkFolderPath(checks, folder, isPattern(file) ? 'the pattern' : 'the file', path);
  if (!isPattern(file)) return;
  const parts = folder.split('/');
  if (parts.some((each) => each.includes('**') && each !== '**'))
    checks.invalid(`the pattern ${quote(file)} has "**" beside other text; it stands by itself, as in **/*.yaml`, path);
  if (parts.length > MOST_PARTS)
    checks.invalid(`the pattern ${quote(file)} has ${parts.length} parts; at most ${MOST_PARTS} are possible`, path);
}

function checkJsonPath(checks: Checks, value: string, path: Path): void {
  const refused = refusePath(value);
  if (refused) checks.invalid(refused, path);
}

/** Values that a header cannot carry would be refused at every question, and never be seen here. */
function checkHeaderValue(checks: Checks, value: string, path: Path): void {
  // oxlint-disable-next-line no-control-regex
  if (value.length <= 4_000 && !/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) return;
  checks.invalid(`the header ${quote(path.at(-1))} is too long or has characters that no header can have`, path);
}

function checkHttpUrl(checks: Checks, url: string, path: Path): void {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url);
  } catch {
    // Said below, in our words.
  }
  if (url.length > 2000) checks.invalid(`the url has ${url.length} characters; at most 2000 fit`, path);
  else if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    checks.invalid(`the url ${quote(url)} must begin with http:// or https:// and name a host`, path);
  } else if (parsed.username !== '' || parsed.password !== '') {
    checks.invalid('the url holds a user name or password; remove it, definitions are not secret', path);
  }
}
