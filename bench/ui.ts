import type { Browser, CDPSession, Page } from 'playwright-core';
import type { AnyDefinition } from '../src/core/definitions.ts';
import { openBrowser } from '../test/support/browser.ts';
import { Engine, saveAll } from './engine.ts';
import type { Figure } from './figure.ts';
import { startServing, type Serving } from './serving.ts';
import { median, percentile, rounded } from './stats.ts';

// What the pages cost in a real browser: a release of 500 environments, the Flow Builder with its flow, and a matrix of 1,500 environments × 60
// products.

const LAYERS = 20;
const EACH = 25;
const PRODUCTS = 60;
const ENVIRONMENTS = 1_500;

/** Milliseconds, bytes and a ratio, as the issue of the pages has them. */
const AIMS = { open: 2_000, frames: 1.5, opened: 60 * 1024, change: 2 * 1024, empty: 150, script: 300_000, edit: 100 };

const metadata = (name: string) => ({ name, labels: {}, annotations: {} });
const nameOf = (layer: number, place: number): string =>
  `ui-${String(layer).padStart(2, '0')}-${String(place).padStart(2, '0')}`;

/** `dev`, then layers of environments, each after two of the layer before; the last one waits for a person. */
function layered(): AnyDefinition[] {
  const names = Array.from({ length: LAYERS * EACH }, (_, index) => nameOf(Math.floor(index / EACH), index % EACH));
  const spec = { product: 'ui', driver: { type: 'simulate' as const }, health: { type: 'none' as const } };
  const before = (layer: number, place: number): string[] =>
    layer === 0 ? ['dev'] : [...new Set([nameOf(layer - 1, place), nameOf(layer - 1, (place * 7 + 3) % EACH)])];
  const asks = { approval: { rules: [], forbidInitiator: false, expiry: 86_400_000, onExpiry: 'FAIL' as const } };
  return [
    ...['dev', ...names].map((name): AnyDefinition => ({
      kind: 'Environment',
      metadata: metadata(name),
      spec: { kind: 'NON_PRODUCTION' },
    })),
    {
      kind: 'PromotionFlow',
      metadata: metadata('ui-flow'),
      spec: {
        triggerEnvironment: 'dev',
        steps: names.map((environment, index) => {
          const [layer, place] = [Math.floor(index / EACH), index % EACH];
          return { environment, dependsOn: before(layer, place), ...(layer === LAYERS - 1 && asks) };
        }),
        onFailure: 'FINISH_RUNNING',
      },
    },
    {
      kind: 'Product',
      metadata: metadata('ui'),
      spec: { promotionFlows: [{ name: 'ui-flow' }], concurrency: 'QUEUE', queueLimit: 50 },
    },
    ...['dev', ...names].map((environment): AnyDefinition => ({
      kind: 'Application',
      metadata: metadata(`ui-in-${environment}`),
      spec: { ...spec, environment },
    })),
  ];
}

/** Figures of the pages; each with its aim. It takes Chromium and what `npm run build:web` makes. */
export async function measureUi(databaseUrl: string, rounds: number): Promise<Figure[]> {
  const engine = await Engine.open({ databaseUrl, products: 1 });
  await saveAll(engine.app, layered());
  await engine.stopWorking();
  await fillMatrix(engine);
  const serving = await startServing({ DATABASE_URL: databaseUrl, SLUICE_RATE_LIMIT: '0' });
  const browser = await openBrowser({ asPeopleHaveIt: true, more: ['--disable-gpu'] });
  try {
    const id = await releaseAtRest(serving);
    await fillCells(engine, id);
    const found = [
      ...(await measureRelease(browser, serving, id, rounds)),
      ...(await measureBuilder(browser, serving, rounds)),
      ...(await measureMatrix(browser, serving, rounds)),
    ];
    return found.map(({ value, ...each }) => ({ ...each, value: rounded(value) }));
  } finally {
    await browser.close();
    await serving.close();
    await engine.close();
  }
}

const figure = (unit: string, value: number, aim?: number, floor: number | null = null): Figure => ({
  name: 'ui',
  backend: null,
  value,
  unit,
  floor: floor === null ? null : rounded(floor),
  ratio: floor === null ? null : rounded(value / floor),
  aim,
});

/** Written past the commands: 90,000 saves would take an hour, and the page sees no difference. */
async function fillMatrix({ app }: Engine): Promise<void> {
  const run = (text: string): Promise<unknown> => app.pool.query(text);
  const common = `'{}', '{}'`;
  await run(`INSERT INTO environment (id, name, labels, annotations, spec, revision)
    SELECT gen_random_uuid(), 'place-' || lpad(n::text, 4, '0'), ${common}, '{"kind": "PRODUCTION"}', 1 FROM generate_series(1, ${ENVIRONMENTS}) AS n`);
  await run(`INSERT INTO product (id, name, labels, annotations, spec, revision)
    SELECT gen_random_uuid(), 'ware-' || lpad(n::text, 2, '0'), ${common}, '{"promotionFlows": [], "concurrency": "QUEUE", "queueLimit": 50}', 1
    FROM generate_series(1, ${PRODUCTS}) AS n`);
  await run(`INSERT INTO application (id, name, labels, annotations, product, environment, spec, revision)
    SELECT gen_random_uuid(), p.name || '-' || e.name, ${common}, p.name, e.name, jsonb_build_object('product', p.name, 'environment', e.name,
      'driver', '{"type": "simulate"}'::jsonb, 'health', '{"type": "none"}'::jsonb), 1
    FROM product p, environment e WHERE p.name LIKE 'ware-%' AND e.name LIKE 'place-%'`);
  await run('UPDATE definition_clock SET revision = revision + 1');
  await run('ANALYZE');
}

/** So that the cells have a version to show. */
async function fillCells({ app }: Engine, release: string): Promise<void> {
  await app.pool.query(
    `INSERT INTO deployment (release_id, product, environment, application, version, digest, at, verified_at)
     SELECT $1, product, environment, name, '1.0.0', md5('1.0.0'), now(), now() FROM application WHERE product LIKE 'ware-%'`,
    [release],
  );
  await app.pool.query('ANALYZE deployment');
}

/** A release that has come to its last layer, where it waits for people. @returns its id */
async function releaseAtRest(serving: Serving): Promise<string> {
  const input = { product: 'ui', version: '1.0.0' };
  const { payload } = await ask(
    serving,
    'mutation ($input: ReleaseTriggerInput!) { payload: releaseTrigger(input: $input) { release { uuid } userErrors { message } } }',
    { input },
  );
  const { uuid } = payload.release as { uuid: string };
  for (;;) {
    const { release } = await ask(serving, 'query ($id: ID!) { release(id: $id) { status counts { suspended } } }', {
      id: uuid,
    });
    if (release.counts.suspended === EACH) return uuid;
    if (release.status === 'FAILED') throw new Error('the release that is to be shown has failed');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers as they come
async function ask({ url }: Serving, query: string, variables: object): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: object; errors?: unknown };
  if (!data || errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** What a page has taken from the API, as it came over the network, and from scripts. */
class Traffic {
  api = 0;
  scripts = 0;
  /** Of each answer what it is and its bytes, such as `releaseChanged 900`. */
  readonly answers: string[] = [];
  readonly #addresses = new Map<string, string>();

  static async of(page: Page): Promise<Traffic> {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    return new Traffic(session);
  }

  private constructor(session: CDPSession) {
    session.on('Network.responseReceived', ({ requestId, response }) => this.#addresses.set(requestId, response.url));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const address = this.#addresses.get(requestId) ?? '';
      if (address.endsWith('/graphql')) this.#add('http', encodedDataLength);
      if (address.endsWith('.js')) this.scripts += encodedDataLength;
    });
    session.on('Network.webSocketFrameReceived', ({ response: { payloadData } }) =>
      this.#add(/"data":\{"(\w+)"/.exec(payloadData)?.[1] ?? 'frame', payloadData.length),
    );
  }

  #add(what: string, bytes: number): void {
    this.api += bytes;
    this.answers.push(`${what} ${bytes}`);
  }
}

async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return page;
}

async function measureRelease(browser: Browser, serving: Serving, id: string, rounds: number): Promise<Figure[]> {
  const opened: number[] = [];
  const bytes: number[] = [];
  const frames: number[] = [];
  const bare: number[] = [];
  const changes: number[] = [];
  const after: number[] = [];
  let scripts = 0;
  for (let round = 0; round < rounds; round += 1) {
    const page = await newPage(browser);
    const traffic = await Traffic.of(page);
    await page.goto(`${serving.url}/`);
    await page.locator('h1').waitFor();
    await page.waitForLoadState('networkidle');
    scripts = traffic.scripts;
    traffic.api = 0;
    const began = performance.now();
    await page.goto(`${serving.url}/releases/${id}`);
    await page.locator('[data-environment]').first().waitFor();
    opened.push(performance.now() - began);
    await page.waitForTimeout(1_500);
    bytes.push(traffic.api);
    const before = await newPage(browser);
    bare.push(await panned(before, await baseline(before)));
    await before.context().close();
    frames.push(await panned(page, await atFullSize(page)));
    traffic.api = 0;
    const asked = traffic.answers.length;
    const input = { releaseId: id, environment: nameOf(LAYERS - 1, round) };
    const decide =
      'mutation ($input: PromotionDecisionInput!) { payload: promotionApprove(input: $input) { userErrors { message } } }';
    const { payload } = await ask(serving, decide, { input });
    if (payload.userErrors.length > 0) throw new Error(payload.userErrors[0].message);
    await page.waitForTimeout(3_000);
    const answers = traffic.answers.slice(asked);
    const told = answers.flatMap((each) => (each.startsWith('releaseChanged ') ? [Number(each.split(' ')[1])] : []));
    if (told.length === 0) throw new Error('the page was told of no change');
    changes.push(Math.max(...told));
    after.push(traffic.api);
    console.error(`ui, round ${round + 1}: after an approval ${answers.join(', ')}`);
    await page.context().close();
    console.error(`ui, round ${round + 1}: opened in ${opened.at(-1)?.toFixed(0)} ms, ${bytes.at(-1)} bytes`);
  }
  return [
    figure('ms until the graph of 500 environments is there', median(opened), AIMS.open),
    figure(
      'ms per frame p95 while it is panned at zoom 1 (floor: a bare page)',
      median(frames),
      rounded(median(bare) * AIMS.frames),
      median(bare),
    ),
    figure('bytes of API answers to open it', median(bytes), AIMS.opened),
    figure('bytes of a change that is told', median(changes), AIMS.change),
    figure(
      'bytes of all API answers, with their headers, after an approval that lets an environment through',
      median(after),
    ),
    figure('bytes of script for the first page', scripts, AIMS.script),
  ];
}

interface Point {
  x: number;
  y: number;
}

/** As many boxes as are seen of a graph, which follow the mouse. */
async function baseline(page: Page): Promise<Point> {
  await page.setContent(
    `<style>div { position: absolute } .box { width: 180px; height: 70px; border: 1px solid; border-radius: 8px }</style><div id="all">${Array.from(
      { length: 18 },
      (_, index) => `<div class="box">environment ${index}</div>`,
    ).join('')}</div>`,
  );
  await page.evaluate(`document.querySelectorAll('.box').forEach((box, index) => {
      box.style.left = (index % 6) * 200 + 'px';
      box.style.top = Math.floor(index / 6) * 120 + 'px';
    });
    addEventListener('mousemove', ({ clientX, clientY }) => {
      document.querySelector('#all').style.transform = 'translate(' + clientX + 'px, ' + clientY + 'px)';
    });`);
  return { x: 640, y: 400 };
}

/** Until its cards have the size in which they are read. */
async function atFullSize(page: Page): Promise<Point> {
  const zoomIn = page.getByRole('button', { name: /zoom in/i });
  const zoom = (): Promise<number> =>
    page.evaluate(`new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a`);
  for (let presses = 0; presses < 20 && (await zoom()) < 0.99; presses += 1) {
    if (await zoomIn.isDisabled()) break;
    await zoomIn.click();
    await page.waitForTimeout(100);
  }
  const frame = await page.locator('.react-flow').boundingBox();
  if (!frame) throw new Error('the graph is not there');
  return { x: frame.x + frame.width / 2, y: frame.y + frame.height / 2 };
}

/** Drags from `from`, to and fro. @returns milliseconds of a frame, p95 */
async function panned(page: Page, from: Point): Promise<number> {
  await page.evaluate(`(() => {
    const times = (globalThis.frameTimes = []);
    let last = performance.now();
    const next = (now) => {
      times.push(now - last);
      last = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  })()`);
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  for (let step = 1; step <= 120; step += 1) {
    const away = 300 * Math.sin(step / 12);
    await page.mouse.move(from.x + away, from.y + away / 3);
  }
  await page.mouse.up();
  const times = await page.evaluate<number[]>('globalThis.frameTimes');
  return percentile(times.slice(3), 0.95);
}

/** The Flow Builder with the flow of the release: how long until it is there, until an edit is seen, and how it pans. */
async function measureBuilder(browser: Browser, serving: Serving, rounds: number): Promise<Figure[]> {
  const found = { opened: [] as number[], frames: [] as number[], bare: [] as number[] };
  const edits = { setting: [] as number[], step: [] as number[], bare: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const before = await newPage(browser);
    found.bare.push(await panned(before, await baseline(before)));
    edits.bare.push(await editBare(before));
    await before.context().close();
    const page = await newPage(browser);
    await page.goto(`${serving.url}/flows`);
    await page.locator('h1').waitFor();
    await page.waitForLoadState('networkidle');
    const began = performance.now();
    await page.goto(`${serving.url}/flows/ui-flow`);
    await page.locator('[data-node]').first().waitFor();
    found.opened.push(performance.now() - began);
    await page.waitForLoadState('networkidle');
    found.frames.push(await panned(page, await atFullSize(page)));
    const name = nameOf(0, 10 + round);
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
    const card = page.locator(`[data-node="${name}"]`);
    await card.waitFor();
    await card.click();
    await page.locator('.inspector [data-field="soak"]').fill('5m');
    edits.setting.push(
      await seenAfterEnter(page, `!!document.querySelector('[data-node="${name}"]')?.textContent.includes('soak 5m')`),
    );
    await page.waitForLoadState('networkidle');
    await card.focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).waitFor();
    edits.step.push(await seenAfterEnter(page, `!document.querySelector('[data-node="${name}"]')`));
    await page.context().close();
    console.error(
      `ui: the builder is there after ${found.opened.at(-1)?.toFixed(0)} ms, an edit after ${edits.setting.at(-1)?.toFixed(0)} and ${edits.step.at(-1)?.toFixed(0)} ms`,
    );
  }
  const bare = median(edits.bare);
  const edit = (what: string, times: number[]): Figure =>
    figure(`ms from Enter to ${what} (floor: a bare page)`, median(times), rounded(bare + AIMS.edit), bare);
  return [
    figure('ms until the Flow Builder with 500 environments is there', median(found.opened), AIMS.open),
    edit('a setting on its card, among 500', edits.setting),
    edit('a chart of 500 without a step that was removed', edits.step),
    figure(
      'ms per frame p95 while the builder is panned at zoom 1 (floor: a bare page)',
      median(found.frames),
      rounded(median(found.bare) * AIMS.frames),
      median(found.bare),
    ),
  ];
}

/** Presses Enter. @returns milliseconds from the key until the frame in which `isSeen`, an expression, holds */
async function seenAfterEnter(page: Page, isSeen: string): Promise<number> {
  await page.evaluate(`void (globalThis.seen = new Promise((resolve) => {
    addEventListener('keydown', () => {
      const began = performance.now();
      const look = () => {
        if (${isSeen}) requestAnimationFrame(() => resolve(performance.now() - began));
        else if (performance.now() - began > 20000) resolve(NaN);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  }))`);
  await page.keyboard.press('Enter');
  return page.evaluate<number>('globalThis.seen');
}

/** A box that gets another text. */
async function editBare(page: Page): Promise<number> {
  await page.evaluate(`addEventListener('keydown', () => {
    document.querySelector('.box').textContent = 'changed';
  })`);
  return seenAfterEnter(page, `document.querySelector('.box').textContent === 'changed'`);
}

async function measureMatrix(browser: Browser, serving: Serving, rounds: number): Promise<Figure[]> {
  const page = await newPage(browser);
  const traffic = await Traffic.of(page);
  const began = performance.now();
  await page.goto(`${serving.url}/where?product=ware&environment=place`);
  await page.locator('.matrix-cell').first().waitFor();
  const columns = (): Promise<number> =>
    page.evaluate(`Number(document.querySelector('.matrix').getAttribute('aria-colcount'))`);
  while ((await columns()) <= ENVIRONMENTS) await page.waitForTimeout(20);
  const opened = performance.now() - began;
  await page.waitForTimeout(2_000);
  console.error(`ui: the matrix is there after ${opened.toFixed(0)} ms, ${traffic.api} bytes`);
  const empty: number[] = [];
  for (let round = 0; round < rounds * 5; round += 1) {
    const to = { left: ((round * 37) % 100) * 2_400, top: (round % 3) * 900 };
    empty.push(await page.evaluate<number>(`(${EMPTY_FOR})(${JSON.stringify(to)})`));
  }
  await page.context().close();
  return [
    figure('ms until the matrix of 1,500 × 60 is there', opened, AIMS.open),
    figure('ms that a cell is empty after scrolling, at worst', Math.max(...empty), AIMS.empty),
  ];
}

/** In the page: scrolls, and waits until no cell that is seen is empty. Answers for how long one was, in milliseconds. */
const EMPTY_FOR = `({ left, top }) => {
  const frame = document.querySelector('.matrix');
  frame.scrollTo({ left, top });
  const began = performance.now();
  let last = 0;
  return new Promise((resolve) => {
    const look = () => {
      const now = performance.now() - began;
      const bounds = frame.getBoundingClientRect();
      const isEmpty = [...frame.querySelectorAll('[aria-label="not read yet"]')].some((each) => {
        const box = each.closest('.matrix-cell').getBoundingClientRect();
        return box.right > bounds.left && box.left < bounds.right && box.bottom > bounds.top && box.top < bounds.bottom;
      });
      if (isEmpty) last = now;
      if ((!isEmpty && now > last + 500) || now > 20_000) resolve(last);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}`;
