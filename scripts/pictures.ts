import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import 'reflect-metadata';
import type { BrowserContext, Page } from 'playwright-core';
import { Client } from '../src/cli/client.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { runServer } from '../src/main.ts';
import { openBrowser } from '../test/support/browser.ts';
import { program } from './program.ts';
import { type Shot, shotsOf } from './pictures/pages.ts';
import { playStory } from './pictures/story.ts';
import { playWide } from './pictures/wide.ts';

// `npm run pictures`: every page of the web app, of a server that plays a story, in both themes and three widths. With `--readme` only
// those of the README, into docs/pictures.
const values = program('pictures', 'Takes a picture of every page of the web app, in both themes and three widths.')
  .option('--out <folder>', 'where they go', '.sluice/pictures')
  .option('--only <pages>', 'these pages alone, with commas between them')
  .option('--readme', "the README's alone, into docs/pictures", false)
  .parse()
  .opts<{ out: string; only?: string; readme: boolean }>();

const README = ['release', 'where', 'builder'];
const WIDTHS = values.readme ? [1280] : [375, 1280, 2560];
const THEMES = values.readme ? (['light'] as const) : (['light', 'dark'] as const);
const TOKEN = `pictures-${'0123456789'.repeat(3)}`;

const folder = await mkdtemp(join(tmpdir(), 'sluice-pictures-'));
const open = (name: string, settings: Record<string, string> = {}) =>
  runServer(
    loadConfig({ HOST: '127.0.0.1', PORT: '0', SLUICE_DATA_DIR: join(folder, name), ...settings }),
    createLog({ level: 'error' }),
  );
const server = await open('story', { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
const guarded = values.readme ? undefined : await open('guarded', { SLUICE_ADMIN_TOKEN: TOKEN });
const browser = await openBrowser({ asPeopleHaveIt: true });
try {
  const story = await playStory(new Client(server.url!));
  const wide = guarded ? await playWide(new Client(guarded.url!, TOKEN)) : '';
  const out = resolve(values.readme ? 'docs/pictures' : values.out);
  mkdirSync(out, { recursive: true });
  const wanted = Object.entries(shotsOf({ ...story, wide })).filter(([name]) =>
    values.readme ? README.includes(name) : values.only === undefined || values.only.split(',').includes(name),
  );
  const failed: string[] = [];
  // Three tabs beside each other, one for each width; in each the pages come one after the other, so that their scripts are compiled once.
  await Promise.all(
    WIDTHS.map(async (width) => {
      const newTab = async (): Promise<Page> =>
        (await browser.newContext({ reducedMotion: 'reduce', viewport: viewportOf(width) })).newPage();
      const tab = await newTab();
      const signedIn = guarded && (await newTab());
      if (signedIn) await signIn(signedIn.context(), guarded.url!);
      for (const [name, shot] of wanted) {
        const page = shot.isGuarded && !shot.isStranger ? signedIn! : tab;
        try {
          await show(page, (shot.isGuarded ? guarded!.url! : server.url!) + shot.path, shot);
        } catch (error) {
          // The picture shows why.
          failed.push(`${name} at ${width} px: ${error instanceof Error ? error.message : String(error)}`);
        }
        for (const colorScheme of THEMES) {
          await page.emulateMedia({ colorScheme });
          const file = values.readme ? `${name}.png` : `${name}-${width}-${colorScheme}.png`;
          await page.screenshot({ path: join(out, file), fullPage: width === 375 && shot.act === undefined });
        }
      }
    }),
  );
  console.log(`${wanted.length} pages in ${out}`);
  if (failed.length > 0) throw new Error(failed.join('\n'));
} finally {
  await browser.close();
  await server.close();
  await guarded?.close();
  await rm(folder, { recursive: true, force: true });
}

function viewportOf(width: number): { width: number; height: number } {
  return { width, height: width === 375 ? 812 : Math.round((width * 9) / 16) };
}

/** Until nothing of it is on its way any more. */
async function show(page: Page, address: string, { act }: Shot): Promise<void> {
  page.setDefaultTimeout(20_000);
  await page.goto(address);
  await page.locator('h1').waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  await act?.(page);
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  await page.waitForLoadState('networkidle');
}

/** The cookie of a session, by the same request as the page of the app makes. */
async function signIn(context: BrowserContext, url: string): Promise<void> {
  const answer = await context.request.post(`${url}/auth/token`, {
    data: { token: TOKEN },
    headers: { 'x-sluice-csrf': '1', origin: url },
  });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
}
