import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's Chromium: without windows, which is the same engine for less of the machine, and the whole one. */
const SHELL = '/usr/bin/chromium-headless-shell';
const WHOLE = '/usr/bin/chromium';

/**
 * @param asPeopleHaveIt the whole browser, also where the one without windows is there: for frames and pictures
 * @throws where neither is installed
 */
export function openBrowser({ asPeopleHaveIt = false, more = [] as string[] } = {}): Promise<Browser> {
  const executablePath = (asPeopleHaveIt ? [WHOLE, SHELL] : [SHELL, WHOLE]).find((path) => existsSync(path));
  if (!executablePath) throw new Error('There is no Chromium: apt-get install chromium-headless-shell');
  // Root has no sandbox in a container, and containers have a small /dev/shm.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', ...more];
  return chromium.launch({ executablePath, args });
}
