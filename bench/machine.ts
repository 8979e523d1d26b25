import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { Redis } from 'ioredis';
import type { Pool } from 'pg';

const TICKS_PER_SECOND = 100;

export function describeMachine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${memory} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** Processor seconds that the whole machine was busy for, since it started. */
export function busySeconds(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields;
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

/** Of the whole machine, over two seconds: other people's work, while this process does nothing. */
export async function busyCores(): Promise<number> {
  const [from, before] = [performance.now(), busySeconds()];
  await setTimeout(2_000);
  return ((busySeconds() - before) * 1_000) / (performance.now() - from);
}

/** Processor seconds of a process, with those of its children that have ended. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND;
}

/** The processes of a PostgreSQL server: `postmaster`, its backends, and those of them that have ended. */
function postgresCpuSeconds(postmaster: number): number {
  const children = readdirSync('/proc').filter((each) => /^\d+$/.test(each) && parentOf(Number(each)) === postmaster);
  return [postmaster, ...children.map(Number)].reduce((sum, pid) => sum + secondsOrNone(pid), 0);
}

export async function postmasterOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return parentOf(rows[0]?.pid as number);
}

export async function redisPid(url: string): Promise<number> {
  const redis = new Redis(url);
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  redis.disconnect();
  return Number(pid);
}

/** Whose processor time is whose, in seconds. */
export interface Cpu {
  node: number;
  postgres: number;
  redis: number;
}

export interface Used {
  /** Of what is measured. */
  cpu: Cpu;
  /** Of the whole machine, in cores: what is measured, other people's work, and what nobody took. */
  cores: { own: number; others: number; idle: number };
}

/** Reads without asking anybody, so that a measurement begins and ends at one moment. */
export class CpuWatch {
  constructor(private readonly pids: { node: number[]; postmaster: number; redis?: number }) {}

  /** Begins; the function that it answers ends it. */
  begin(): () => Used {
    const from = { at: performance.now(), busy: busySeconds(), cpu: this.#read() };
    return () => {
      const seconds = (performance.now() - from.at) / 1_000;
      const to = this.#read();
      const cpu: Cpu = {
        node: to.node - from.cpu.node,
        postgres: to.postgres - from.cpu.postgres,
        redis: to.redis - from.cpu.redis,
      };
      const own = sumOf(cpu) / seconds;
      const busy = (busySeconds() - from.busy) / seconds;
      return { cpu, cores: { own, others: Math.max(0, busy - own), idle: Math.max(0, cpus().length - busy) } };
    };
  }

  #read(): Cpu {
    const { node, postmaster, redis } = this.pids;
    return {
      node: node.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
      postgres: postgresCpuSeconds(postmaster),
      redis: redis === undefined ? 0 : cpuSeconds(redis),
    };
  }
}

export const sumOf = ({ node, postgres, redis }: Cpu): number => node + postgres + redis;

/** Other people's work that is still taken for quiet: a part of the whole machine. */
export const QUIET = 0.05;

/** @param others in cores */
export const isQuiet = (others: number): boolean => others / cpus().length <= QUIET;

function secondsOrNone(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch {
    return 0; // It has ended since it was listed, and its parent has its time.
  }
}

function parentOf(pid: number): number {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return 0; // It has ended since it was listed.
  }
}

/** The fields of /proc/pid/stat after the command's name, which may itself hold spaces: [state, ppid, …]. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Resident memory in MiB. */
export const rssMiB = (): number => process.memoryUsage.rss() / 2 ** 20;
