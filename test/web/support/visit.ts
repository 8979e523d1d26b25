import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { PATIENCE } from '../../support/patience.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A person in front of a page, and what the page did meanwhile. */
export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Where it asked, sockets as well. */
  addresses: string[];
  /** Errors of scripts and of the console, and what the policy of the page has refused. */
  complaints: string[];
}

export const newContext = (browser: Browser): Promise<BrowserContext> =>
  browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });

/** @param before what is done before the page is asked for */
export async function visitIn(
  context: BrowserContext,
  address: string,
  before?: (page: Page) => Promise<void>,
): Promise<Visit> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const addresses: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on(
    'console',
    (message) =>
      ['error', 'warning'].includes(message.type()) && complaints.push(`${message.text()} ${message.location().url}`),
  );
  await page.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', (event) =>
      console.error('violates ' + event.violatedDirective + ': ' + event.blockedURI + ' ' + event.sample))`,
  });
  await before?.(page);
  await page.goto(address);
  await page.locator('h1').waitFor();
  return { page, context, addresses, complaints };
}

/**
 * While a button is busy and again when it is not, react-aria's announcer has an element for seven seconds that is named by the button, and by
 * nothing when the button's dialog is gone by then. It is read when it is added, and only then.
 */
const ANNOUNCED = '[data-live-announcer] [role="img"]';

/** Through the debugger: the policy of the page lets no script in that the server has not sent. Dark differs from light by its colours alone. */
export async function seriousViolations({ page, context }: Pick<Visit, 'page' | 'context'>): Promise<string[]> {
  const session = await context.newCDPSession(page);
  const evaluate = async (expression: string): Promise<unknown> =>
    (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  await evaluate(AXE);
  const found: string[] = [];
  for (const [colorScheme, only] of [
    ['light', ''],
    ['dark', ", runOnly: ['color-contrast']"],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const of =
      await evaluate(`axe.run({ exclude: [${JSON.stringify(ANNOUNCED)}] }, { resultTypes: ['violations'], preload: false${only} }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | ')))`);
    found.push(...(of as string[]).map((each) => `${colorScheme} ${each}`));
  }
  await session.detach();
  return found;
}

/** Tables and graphs that are wider than the page scroll in a box of their own; the page itself never does. */
const TOO_WIDE = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth + 1 ? ['the page is ' + scrollWidth + ' px wide in ' + clientWidth] : [];
})()`;

/** What does not hold on a telephone, on a wall, and for people who want larger letters, their own colours, or no motion. */
export async function brokenByWishes({ page }: Pick<Visit, 'page'>): Promise<string[]> {
  const found: string[] = [];
  for (const width of [375, 2560, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    found.push(...(await page.evaluate<string[]>(TOO_WIDE)));
  }
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  const wishes = await page.evaluate<string[]>(`(() => {
    const found = [];
    const moving = document.getAnimations().filter((each) => each.playState === 'running');
    if (moving.length > 0) found.push(moving.length + ' things move');
    document.documentElement.style.fontSize = '30px';
    found.push(...${TOO_WIDE}.map((each) => 'with letters twice as large ' + each));
    for (const each of document.querySelectorAll('button, a, h1, h2, [role="tab"]')) {
      if (each.scrollWidth > each.clientWidth + 2 && each.clientWidth > 0 && getComputedStyle(each).overflow === 'hidden' && !each.title)
        found.push('cut off: ' + each.outerHTML.slice(0, 120));
    }
    const main = document.querySelector('main a, main button, nav a');
    main.focus();
    if (getComputedStyle(main).outlineStyle === 'none') found.push('no outline of what has the focus');
    document.documentElement.style.fontSize = '';
    return found;
  })()`);
  await page.emulateMedia({ forcedColors: 'none', reducedMotion: 'reduce' });
  return [...found, ...wishes];
}
