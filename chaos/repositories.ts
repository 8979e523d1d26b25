import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Nobody's own settings: no signing, no hooks, no other identity. */
const ENVIRONMENT = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', PATH: process.env['PATH'] };

export async function git(cwd: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=load', '-c', 'user.email=load@example.com'];
  const { stdout } = await run('git', [...identity, ...args], { cwd, env: ENVIRONMENT, maxBuffer: 64 * 2 ** 20 });
  return stdout;
}

/** A product's configuration: one bare repository, a folder for each environment; only the tag is promoted. */
export class Repository {
  readonly bare: string;
  readonly #work: string;
  #version = 0;

  private constructor(folder: string, name: string) {
    this.bare = join(folder, `${name}.git`);
    this.#work = join(folder, `${name}-work`);
  }

  static async create(folder: string, name: string, environments: string[]): Promise<Repository> {
    const repository = new Repository(folder, name);
    mkdirSync(folder, { recursive: true });
    await git(folder, 'init', '-q', '--bare', '-b', 'main', repository.bare);
    // The judge reads from it whether the branch was ever moved by force, even when the loser is gone.
    await git(repository.bare, 'config', 'core.logAllRefUpdates', 'always');
    await git(folder, 'clone', '-q', repository.bare, repository.#work);
    for (const environment of environments) {
      mkdirSync(join(repository.#work, environment));
      writeFileSync(join(repository.#work, environment, 'values.yaml'), valuesFile(environment, '0'));
    }
    await git(repository.#work, 'add', '.');
    await git(repository.#work, 'commit', '-qm', 'by hand');
    await git(repository.#work, 'push', '-q', 'origin', 'HEAD:main');
    return repository;
  }

  /** A change by hand arrives in `environment`, beside whatever is promoted meanwhile. */
  async change(environment: string): Promise<void> {
    this.#version += 1;
    for (let tries = 0; ; tries += 1) {
      await git(this.#work, 'fetch', '-q', 'origin');
      await git(this.#work, 'reset', '-q', '--hard', 'origin/main');
      writeFileSync(join(this.#work, environment, 'values.yaml'), valuesFile(environment, String(this.#version)));
      await git(this.#work, 'commit', '-qam', `change ${this.#version} by hand`);
      try {
        await git(this.#work, 'push', '-q', 'origin', 'HEAD:main');
        return;
      } catch (error) {
        if (tries >= 20) throw error;
      }
    }
  }
}

export const valuesFile = (environment: string, tag: string): string =>
  `# ${environment}, kept by hand\nimage:\n  tag: "${tag}" # promoted\nreplicas: ${environment.length}\n`;
