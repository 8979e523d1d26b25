import { quote } from '../wording.ts';
import type { Checks, Path } from './rules.ts';

// These values end up as arguments of git. A leading `-` would be an option there, `ext::` a command to run, and `..` a way out
// of the repository.

// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0020\u007f]/;

/** Tokens of hosts that are given as a user name, without a password. */
const TOKEN = /^(gh[opsur]_|github_pat_|gl[a-z]{1,4}-|ATBB)/;

export function checkRepoUrl(checks: Checks, url: string, path: Path): void {
  const example = 'use https://, ssh://, git@host:path, file:// or an absolute path';
  if (url.length > 2000) return checks.invalid(`repoURL has ${url.length} characters; at most 2000 fit`, path);
  if (url.startsWith('-') || UNPRINTABLE.test(url)) {
    return checks.invalid(`repoURL ${quote(url)} is not an address of a repository; ${example}`, path);
  }
  if (url.startsWith('/') || /^[A-Za-z0-9._]+@[A-Za-z0-9][A-Za-z0-9.-]*:[^-:][^:]*$/.test(url)) return;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return checks.invalid(`repoURL ${quote(url)} is not an address of a repository; ${example}`, path);
  }
  if (!['http:', 'https:', 'ssh:', 'file:'].includes(parsed.protocol) || !url.includes('://')) {
    return checks.invalid(`repoURL ${quote(url)} has protocol ${quote(parsed.protocol)}; ${example}`, path);
  }
  const clean = new URL(url);
  clean.username = clean.password = clean.search = clean.hash = '';
  if (parsed.password !== '' || TOKEN.test(parsed.username)) {
    // The definition is shown to everybody who may read it.
    return checks.invalid(
      `repoURL of ${quote(clean.href)} holds a password; remove it, definitions are not secret`,
      path,
    );
  }
  if (parsed.protocol !== 'file:' && (parsed.search !== '' || parsed.hash !== '')) {
    return checks.invalid(
      `repoURL of ${quote(clean.href)} goes on after "${parsed.search === '' ? '#' : '?'}", where tokens stand; an address of a repository ends before it`,
      path,
    );
  }
  if (parsed.protocol !== 'file:' && (parsed.hostname === '' || parsed.hostname.startsWith('-'))) {
    checks.invalid(`repoURL ${quote(url)} has no host; ${example}`, path);
  }
}

/** What `git check-ref-format --branch` accepts, and nothing that git would read as something else. */
export function checkBranch(checks: Checks, branch: string, path: Path): void {
  const wrong =
    branch === '' || branch === '@' || branch === 'HEAD'
      ? 'is not a name of a branch'
      : branch.length > 244
        ? 'is longer than 244 characters'
        : branch.startsWith('-')
          ? 'begins with "-"'
          : branch.includes('..') || branch.includes('@{') || branch.includes('//')
            ? 'has "..", "@{" or "//"'
            : UNPRINTABLE.test(branch) || /[~^:?*[\\]/.test(branch)
              ? 'has a space or one of ~^:?*[\\'
              : branch.split('/').some((part) => part === '' || part.startsWith('.') || /(\.lock|\.)$/.test(part))
                ? 'has a part that is empty, begins or ends with ".", or ends with ".lock"'
                : undefined;
  if (wrong) checks.invalid(`branch ${quote(branch)} ${wrong}; name a branch such as main`, path);
}

/** A relative path with forward slashes that stays inside its folder and out of `.git`. */
export function checkFolderPath(checks: Checks, value: string, what: string, path: Path): void {
  const parts = value.split('/');
  const wrong =
    value === ''
      ? 'is empty'
      : value.length > 1000
        ? 'is longer than 1000 characters'
        : value.startsWith('/')
          ? 'begins with "/"'
          : value.startsWith('-')
            ? 'begins with "-"'
            : value.includes('\\') || /[\u0000-\u001f\u007f:]/.test(value) // oxlint-disable-line no-control-regex
              ? 'has a backslash, a colon or a control character'
              : parts.includes('..')
                ? 'has ".."'
                : parts.some((part) => part === '' || part === '.')
                  ? 'has an empty part or "."'
                  : parts.some((part) => /^(\.git|__proto__)$/i.test(part))
                    ? 'has ".git" or "__proto__"'
                    : undefined;
  if (wrong) checks.invalid(`${what} ${quote(value)} ${wrong}; write it relative, for example envs/dev`, path);
}
