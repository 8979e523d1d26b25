import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/postgres/server.ts';
import { Proxy } from './proxy.ts';

/** A stretch of time, in milliseconds since the epoch. */
export interface Stretch {
  from: number;
  to: number;
}

/** Whatever ends this program, its processes do not outlive it; a frozen one dies of SIGKILL as well. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ProcessSettings {
  name: string;
  role: 'api' | 'worker';
  /** The program: Sluice as it was built. */
  main: string;
  folder: string;
  databaseUrl: string;
  redisUrl?: string;
  environment: Record<string, string>;
}

/** One Sluice process with wires of its own to PostgreSQL and Redis; started again whenever it ends, until it is closed. */
export class SluiceProcess {
  readonly name: string;
  readonly role: 'api' | 'worker';
  readonly port: number;
  readonly postgres: Proxy;
  readonly redis: Proxy | null;
  readonly #settings: ProcessSettings;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  #closed = false;
  /** Where the process that runs ends itself, and those after it. */
  #armed: string | null = null;
  #next: string[] = [];
  /** Ends that nobody asked for: a process that gives up by itself. */
  crashes: string[] = [];
  /** Where it killed itself because it was told to, one after the other. */
  readonly reached: string[] = [];
  /** When it was ready and not frozen, in milliseconds since the epoch, the oldest first; the last one may be open. */
  readonly served: Stretch[] = [];
  #serving: Stretch = { from: Infinity, to: Infinity };
  #killed = false;

  private constructor(settings: ProcessSettings, port: number, postgres: Proxy, redis: Proxy | null) {
    this.#settings = settings;
    this.name = settings.name;
    this.role = settings.role;
    this.port = port;
    this.postgres = postgres;
    this.redis = redis;
  }

  static async open(settings: ProcessSettings): Promise<SluiceProcess> {
    const postgres = await Proxy.open(Number(new URL(settings.databaseUrl).port));
    const redis = settings.redisUrl === undefined ? null : await Proxy.open(Number(new URL(settings.redisUrl).port));
    const process = new SluiceProcess(settings, await freePort(), postgres, redis);
    process.#start();
    return process;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #start(): void {
    const { databaseUrl, redisUrl, folder, main, environment, role, name } = this.#settings;
    const through = (url: string, proxy: Proxy): string => {
      const to = new URL(url);
      to.port = String(proxy.port);
      return to.href;
    };
    const data = join(folder, name);
    mkdirSync(data, { recursive: true });
    const logFile = join(folder, `${name}.log`);
    const from = existsSync(logFile) ? statSync(logFile).size : 0;
    const log = openSync(logFile, 'a');
    const armed = this.#next.shift() ?? null;
    this.#armed = armed;
    writeFileSync(this.#clock, '0');
    const child = spawn(
      process.execPath,
      ['--import', join(dirname(main), '../chaos/stepped-clock.js'), main, 'serve', '--role', role],
      {
        // Nothing of the caller's own settings reaches the run.
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          PORT: String(this.port),
          DATABASE_URL: through(databaseUrl, this.postgres),
          ...(redisUrl !== undefined && this.redis && { REDIS_URL: through(redisUrl, this.redis) }),
          SLUICE_DATA_DIR: data,
          SLUICE_CHAOS_CLOCK: this.#clock,
          ...environment,
          ...(armed !== null && { SLUICE_FAULT: armed }),
        },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    this.#killed = false;
    this.#child = child;
    running.add(child);
    const serving: Stretch = { from: Infinity, to: Infinity };
    this.#serving = serving;
    void this.#becameReady(child).then((at) => {
      serving.from = at;
      this.served.push(serving);
    });
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#serving.to = Math.min(this.#serving.to, Date.now());
        // Before it serves, a process may give up with one line: whoever started it starts it again.
        const served = /listens on|worker, health/.test(readFileSync(logFile).subarray(from).toString());
        const itself = armed !== null && signal === 'SIGKILL' && !this.#killed && !this.#closed;
        if (itself) {
          this.reached.push(armed);
          this.#armed = null;
        }
        const asked = this.#killed || this.#closed || itself;
        if (served && !asked) this.crashes.push(`${name} ended by itself with ${code ?? signal}`);
        running.delete(child);
        if (this.#child === child) this.#child = null;
        resolve();
        if (!this.#closed) void this.#startAgain();
      });
    });
  }

  /** Never less than the moment at which it was; `Infinity` when it ended before. */
  async #becameReady(child: ChildProcess): Promise<number> {
    while (this.#child === child) {
      if (await this.isReady()) return Date.now();
      await sleep(100);
    }
    return Infinity;
  }

  async #startAgain(): Promise<void> {
    await sleep(this.#killed ? 200 : 500);
    if (!this.#closed && !this.#child) this.#start();
  }

  /**
   * `kill -9`; it comes back by itself. With `armed` it kills itself at that point then ("after-effect:3"), with more of them at each
   * after it comes back.
   */
  async kill(...armed: string[]): Promise<void> {
    this.#armed = null;
    this.#next = armed;
    this.#killed = true;
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** The same, and where it was to kill itself it still is: at this point last. */
  strike(): Promise<void> {
    return this.kill(...this.#next, ...(this.#armed === null ? [] : [this.#armed]));
  }

  /** Its time of day is wrong for a while, and then put right. */
  async stepClock(by: number, milliseconds: number): Promise<void> {
    this.#setClock(by);
    await sleep(milliseconds);
    this.#setClock(0);
  }

  #setClock(by: number): void {
    writeFileSync(this.#clock, String(by));
    // One that has just been started ends of it: it does not listen yet, and is started again.
    this.#child?.kill('SIGUSR2');
  }

  get #clock(): string {
    return join(this.#settings.folder, `${this.name}.clock`);
  }

  async freeze(milliseconds: number): Promise<void> {
    const child = this.#child;
    const before = this.#serving;
    const serves = before.from < Infinity && before.to === Infinity;
    if (serves) before.to = Date.now();
    child?.kill('SIGSTOP');
    await sleep(milliseconds);
    child?.kill('SIGCONT');
    if (!serves || child !== this.#child) return;
    this.#serving = { from: Date.now(), to: Infinity };
    this.served.push(this.#serving);
  }

  async isReady(): Promise<boolean> {
    return fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#child?.kill('SIGCONT');
    this.#child?.kill('SIGKILL');
    await this.#exited;
    await Promise.all([this.postgres.close(), this.redis?.close()]);
  }
}
