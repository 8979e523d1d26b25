import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import 'reflect-metadata';
import { chromium } from 'playwright-core';
import { Client } from '../src/cli/client.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { runServer } from '../src/main.ts';
import { playStory, type Story } from './pictures/story.ts';

// `npm run pictures`: every page of the web app, of a server that plays a story, in both themes and three widths. With `--readme` only
// those of the README, into docs/pictures.
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: '.sluice/pictures' },
    readme: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

const README = ['release', 'where', 'builder'];

const pages = ({ waiting, failed, rollback }: Story): Record<string, string> => ({
  releases: '/',
  release: `/releases/${waiting}`,
  promotion: `/releases/${failed}?environment=us-east`,
  list: `/releases/${failed}?view=list`,
  gantt: `/releases/${failed}?view=gantt`,
  notes: `/releases/${failed}?view=notes`,
  timeline: `/releases/${failed}?view=timeline`,
  rollback: `/releases/${rollback}`,
  where: '/where?compareTo=dev',
  environment: '/environments/eu?product=billing',
  calendar: '/calendar',
  month: '/calendar?span=month&rows=windows',
  inbox: '/inbox',
  holds: '/holds',
  triggers: '/triggers',
  grants: '/admin?tab=grants',
  tokens: '/admin?tab=tokens',
  secrets: '/admin?tab=secrets',
  audit: '/admin?tab=audit',
  findings: '/admin?tab=findings',
  flows: '/flows',
  builder: '/flows/billing-flow',
  newFlow: '/flows/new',
  nowhere: '/nowhere',
});

const dataDir = await mkdtemp(join(tmpdir(), 'sluice-pictures-'));
const config = loadConfig({ HOST: '127.0.0.1', PORT: '0', SLUICE_DATA_DIR: dataDir });
const server = await runServer(config, createLog({ level: 'error' }));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
});
try {
  const story = await playStory(new Client(server.url!));
  const out = resolve(values.readme ? 'docs/pictures' : values.out);
  mkdirSync(out, { recursive: true });
  const wanted = Object.entries(pages(story)).filter(([name]) =>
    values.readme ? README.includes(name) : values.only === undefined || values.only.split(',').includes(name),
  );
  for (const colorScheme of values.readme ? (['light'] as const) : (['light', 'dark'] as const)) {
    for (const width of values.readme ? [1280] : [375, 1280, 2560]) {
      const viewport = { width, height: width === 375 ? 812 : Math.round((width * 9) / 16) };
      const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce' });
      for (const [name, path] of wanted) {
        await page.goto(server.url + path, { waitUntil: 'networkidle' });
        const file = values.readme ? `${name}.png` : `${name}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: join(out, file), fullPage: width === 375 });
      }
      await page.close();
    }
  }
  console.log(`${wanted.length} pages in ${out}`);
} finally {
  await browser.close();
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
}
