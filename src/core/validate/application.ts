import type { ApplicationSpec, DriverSpec, HealthSourceSpec, SyncSourceSpec, ToleranceSpec } from '../definitions.ts';
import { refusePath } from '../json-path.ts';
import { quote } from '../wording.ts';
import { checkGitDriver } from './git.ts';
import type { Checks, Path } from './rules.ts';

export function checkApplication(checks: Checks, spec: ApplicationSpec): void {
  checks.description(spec.description);
  checks.name(spec.product, 'the product', ['spec', 'product']);
  checks.name(spec.environment, 'the environment', ['spec', 'environment']);
  checks.optionalName(spec.component, 'the component', ['spec', 'component']);
  checks.optionalName(spec.namespace, 'the namespace', ['spec', 'namespace']);
  checks.text(spec.runtime, 'the runtime', ['spec', 'runtime'], 253);
  checkDriver(checks, spec.driver, ['spec', 'driver']);
  checkHealth(checks, spec.health, ['spec', 'health']);
  if (spec.sync) checkSync(checks, spec.sync, ['spec', 'sync']);
}

function checkDriver(checks: Checks, driver: DriverSpec, path: Path): void {
  switch (driver.type) {
    case 'git':
      return checkGitDriver(checks, driver, path);
    case 'simulate':
      checks.duration(driver.duration, 'duration', [...path, 'duration'], 0);
      checks.integer(driver.failures, 'failures', -1, 1000, [...path, 'failures']);
      return checks.oneOf(driver.failure, ['FAILED', 'TRANSIENT'], 'failure', [...path, 'failure']);
    default:
      checks.oneOf((driver as { type: string }).type, ['git', 'simulate'], 'the driver', [...path, 'type']);
  }
}

const HEALTHS = ['HEALTHY', 'PROGRESSING', 'DEGRADED', 'UNKNOWN'];

function checkHealth(checks: Checks, health: HealthSourceSpec, path: Path): void {
  switch (health.type) {
    case 'none':
    case 'report':
      return;
    case 'simulate':
      checks.duration(health.interval, 'interval', [...path, 'interval']);
      if (health.sequence?.length === 0)
        checks.invalid('the sequence needs at least one status', [...path, 'sequence']);
      if (checks.count(health.sequence, 'statuses', [...path, 'sequence'])) {
        health.sequence?.forEach((status, i) => checks.oneOf(status, HEALTHS, 'the status', [...path, 'sequence', i]));
      }
      checks.count(health.degraded, 'versions', [...path, 'degraded']);
      checkTolerance(checks, health, path);
      return;
    case 'http':
      checkHttpUrl(checks, health.url, [...path, 'url']);
      checkHeaders(checks, health.headers ?? {}, [...path, 'headers']);
      checks.duration(health.interval, 'interval', [...path, 'interval']);
      checks.duration(health.timeout, 'timeout', [...path, 'timeout']);
      checkTolerance(checks, health, path);
      return;
    default: {
      const { type } = health as { type: string };
      checks.oneOf(type, ['none', 'simulate', 'http', 'report'], 'the health source', [...path, 'type']);
    }
  }
}

function checkSync(checks: Checks, sync: SyncSourceSpec, path: Path): void {
  switch (sync.type) {
    case 'none':
      return;
    case 'report':
      break;
    case 'simulate':
      checks.duration(sync.after, 'after', [...path, 'after'], 0);
      checks.count(sync.never, 'versions', [...path, 'never']);
      break;
    case 'http': {
      checkHttpUrl(checks, sync.url, [...path, 'url']);
      const refused = sync.jsonPath === undefined ? undefined : refusePath(sync.jsonPath);
      if (refused) checks.invalid(refused, [...path, 'jsonPath']);
      checks.text(sync.jsonPath, 'the JSON path', [...path, 'jsonPath']);
      checkHeaders(checks, sync.headers ?? {}, [...path, 'headers']);
      checks.duration(sync.interval, 'interval', [...path, 'interval']);
      checks.duration(sync.timeout, 'timeout', [...path, 'timeout']);
      break;
    }
    default: {
      const { type } = sync as { type: string };
      return checks.oneOf(type, ['none', 'http', 'report', 'simulate'], 'the sync source', [...path, 'type']);
    }
  }
  checks.duration(sync.limit, 'limit', [...path, 'limit']);
}

function checkTolerance(checks: Checks, { grace, failureThreshold }: ToleranceSpec, path: Path): void {
  checks.duration(grace, 'grace', [...path, 'grace'], 0);
  checks.integer(failureThreshold, 'failureThreshold', 1, 1_000, [...path, 'failureThreshold']);
}

/** Values that a header cannot carry would be refused at every question, and never be seen here. */
function checkHeaders(checks: Checks, headers: Record<string, string>, path: Path): void {
  if (!checks.count(Object.keys(headers), 'headers', path, 50)) return;
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name))
      checks.invalid(`${quote(name)} is not the name of a header`, [...path, name]);
    // oxlint-disable-next-line no-control-regex
    else if (value.length > 4_000 || /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value))
      checks.invalid(`the header ${quote(name)} is too long or has characters that no header can have`, [
        ...path,
        name,
      ]);
  }
}

export function checkHttpUrl(checks: Checks, url: string, path: Path): void {
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
