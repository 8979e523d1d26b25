// The card and the tab in Chromium, behind a proxy as Backstage's backend has one, against a running server of Sluice.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'sluice-backstage-'));
const port = await freePort();
const env = { ...process.env, PORT: String(port), LOG_LEVEL: 'error', SLUICE_DATA_DIR: data };
const sluice = spawn(process.execPath, [join(ROOT, 'dist/src/main.js'), 'serve'], { env, stdio: 'inherit' });
const users = new Set();
const proxy = createServer(answer).listen(0, '127.0.0.1');
await once(proxy, 'listening');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  await ready();
  await apply();
  await release('1.0.0');
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  await page.goto(`http://127.0.0.1:${proxy.address().port}/`);
  const eu = page.locator('sluice-release [data-name="eu"]');
  await page.locator('sluice-release [data-name="eu"][data-status="SUCCEEDED"]').waitFor();
  await page.locator('sluice-status').getByText('1.0.0').waitFor();
  // The card follows the next release by itself.
  await release('2.0.0');
  await page.locator('sluice-status').getByText('2.0.0').waitFor();
  await page.locator('sluice-status').getByText('Succeeded').waitFor();
  assert.equal(await eu.count(), 1);
  assert.deepEqual(complaints, []);
  // Asked with the fetch of Backstage, through the proxy.
  assert.deepEqual([...users], ['ada']);
  console.log('The card and the tab show releases of a running server.');
} finally {
  await browser.close();
  proxy.closeAllConnections();
  proxy.close();
  sluice.kill('SIGTERM');
  await once(sluice, 'exit');
  rmSync(data, { recursive: true, force: true });
}

/** `/api/proxy/sluice` goes to Sluice, streams included; everything else is the page. */
function answer(incoming, outgoing) {
  const { pathname } = new URL(incoming.url, 'http://page');
  if (pathname.startsWith('/api/proxy/sluice/')) {
    users.add(incoming.headers['x-backstage-user']);
    const path = pathname.slice('/api/proxy/sluice'.length);
    const { origin: _, host: __, ...headers } = incoming.headers;
    const passed = request({ host: '127.0.0.1', port, path, method: incoming.method, headers }, (response) => {
      outgoing.writeHead(response.statusCode, response.headers);
      response.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    return void incoming.pipe(passed);
  }
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  const known = readdirSync(DIST, { recursive: true }).includes(name);
  if (!known) return void outgoing.writeHead(404).end();
  const type = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : 'text/html';
  outgoing.writeHead(200, { 'content-type': type }).end(readFileSync(join(DIST, name)));
}

async function ask(query, variables = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  assert.deepEqual(data.payload.userErrors, []);
}

function release(version) {
  const query =
    'mutation ($input: ReleaseTriggerInput!) { payload: releaseTrigger(input: $input) { userErrors { message } } }';
  return ask(query, { input: { product: 'billing', version } });
}

function apply() {
  const document = (kind, name, spec) =>
    JSON.stringify({ apiVersion: 'sluice.dev/v1', kind, metadata: { name }, spec });
  const simulated = (environment) =>
    document('Application', `billing-${environment}`, {
      product: 'billing',
      environment,
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
  const text = [
    document('Environment', 'dev', { kind: 'NON_PRODUCTION' }),
    document('Environment', 'eu', { kind: 'PRODUCTION' }),
    document('Product', 'billing', { promotionFlows: [{ name: 'to-eu' }] }),
    simulated('dev'),
    simulated('eu'),
    document('PromotionFlow', 'to-eu', {
      triggerEnvironment: 'dev',
      steps: [{ environment: 'eu', dependsOn: ['dev'] }],
    }),
  ].join('\n---\n');
  const query =
    'mutation ($input: ManifestsApplyInput!) { payload: manifestsApply(input: $input) { userErrors { message } } }';
  return ask(query, { input: { text } });
}

async function ready() {
  for (let tries = 0; tries < 600; tries += 1) {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    if (sluice.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Sluice was not ready within a minute: npm run build, in the root of the repository');
}

async function freePort() {
  const socket = createSocket().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port: found } = socket.address();
  socket.close();
  return found;
}
