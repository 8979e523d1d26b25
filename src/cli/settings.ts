import { CliError, EXIT } from './exit.ts';

/** The only place where the CLI reads the environment, as config.ts is the server's. */
export interface CliSettings {
  /** Without a slash at the end. */
  server: string;
  /** An API token, or a token of the identity provider. */
  token?: string;
  /** The terminal can only print lines: nothing is redrawn in it. */
  dumbTerminal: boolean;
}

const DEFAULT_SERVER = 'http://127.0.0.1:4000';

/** @param flag of --server, which wins over SLUICE_SERVER */
export function loadCliSettings(env: Record<string, string | undefined>, flag?: string): CliSettings {
  const [name, value] =
    flag !== undefined ? ['--server', flag] : ['SLUICE_SERVER', env['SLUICE_SERVER'] || DEFAULT_SERVER];
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new CliError(EXIT.USAGE, `${name} is '${value}': expected a URL such as ${DEFAULT_SERVER}`);
  }
  // People paste the address that they see in the browser or in the log.
  url.pathname = url.pathname.replace(/\/(graphql|graphiql)?\/*$/, '');
  url.search = '';
  url.hash = '';
  const token = env['SLUICE_TOKEN']?.trim() || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new CliError(
      EXIT.USAGE,
      'SLUICE_TOKEN is not usable (its value is a secret and not shown): expected one word',
    );
  }
  return { server: url.href.replace(/\/+$/, ''), token, dumbTerminal: env['TERM'] === 'dumb' };
}
