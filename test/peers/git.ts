import { programs } from '../../src/programs/index.ts';

/** Nobody's own settings: no signing, no hooks of the user, no other identity. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  LC_ALL: 'C',
};

/** Git ended with another code than 0. */
export class GitFailed extends Error {
  override name = 'GitFailed';
  readonly code: number;
  readonly stdout: string;

  constructor(args: readonly string[], code: number, stdout: string, stderr: string) {
    super(`git ${args.join(' ')}: ${stderr.trim() || stdout.trim() || `code ${code}`}`);
    this.code = code;
    this.stdout = stdout;
  }
}

export interface Person {
  name: string;
  email: string;
}

/** Who commits where nobody is named. */
export const ADA: Person = { name: 'Ada', email: 'ada@example.com' };

/**
 * One command of git in a bare repository.
 * @param how `input` is its standard input; `by` the author, `committer` who commits (absent: the author)
 * @returns its standard output
 * @throws GitFailed
 */
export async function git(
  repository: string,
  args: readonly string[],
  how: { input?: string | Buffer; by?: Person; committer?: Person; env?: Record<string, string> } = {},
): Promise<string> {
  const by = how.by ?? ADA;
  const committer = how.committer ?? by;
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const env = {
    ...ENVIRONMENT,
    GIT_AUTHOR_NAME: by.name,
    GIT_AUTHOR_EMAIL: by.email,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
    ...how.env,
  };
  const started = programs.start(
    { program: 'git', args, env, cwd: repository },
    { out: (chunk) => out.push(chunk), said: (chunk) => err.push(chunk) },
  );
  if (how.input !== undefined) started.write(how.input);
  started.closeInput();
  const code = (await started.ended) ?? -1;
  const said = Buffer.concat(out).toString();
  if (code !== 0) throw new GitFailed(args, code, said, Buffer.concat(err).toString());
  return said;
}

/** What no commit has: the other side of a created or deleted ref. */
export const ZERO = '0'.repeat(40);
