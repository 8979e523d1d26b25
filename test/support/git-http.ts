import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { programs } from '../../src/programs/index.ts';

export interface GitHttp {
  /** Of the folder; a repository in it is at `${url}/NAME.git`. */
  url: string;
  /** While it is away whoever calls is cut off without a word. */
  away: boolean;
  close(): Promise<void>;
}

/** The bare repositories of a folder by git's smart protocol over HTTP: a remote that can go away and come back. */
export async function serveGit(root: string): Promise<GitHttp> {
  const server = createServer((request, response) => {
    if (served.away) request.socket.destroy();
    else answerGit(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const served: GitHttp = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    away: false,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return served;
}

/**
 * One request to the bare repositories below `root`, by git's own CGI program.
 * @param how `user` is the account that came in, hooks find it as REMOTE_USER; `ended` is called when the program has ended: what was
 *   pushed is there then
 */
export function answerGit(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  how: { user?: string; ended?: () => void } = {},
): void {
  const url = new URL(request.url ?? '/', 'http://x');
  const env = {
    PATH: process.env['PATH'],
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    PATH_INFO: url.pathname,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    REMOTE_USER: how.user ?? 'ci',
  };
  const out: Buffer[] = [];
  const cgi = programs.start(
    { program: 'git', args: ['http-backend'], env, cwd: '/' },
    { out: (chunk) => out.push(chunk), said: () => undefined },
  );
  request.on('data', (chunk: Buffer) => cgi.write(chunk));
  request.once('close', () => cgi.closeInput());
  request.once('end', () => cgi.closeInput());
  // A caller that hangs up is no fault of this process.
  const answer = (): void => {
    const all = Buffer.concat(out);
    const end = all.indexOf('\r\n\r\n');
    const lines = all.subarray(0, end).toString().split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
    const { Status: status = '200', ...rest } = headers;
    response.writeHead(Number.parseInt(status, 10), rest).end(all.subarray(end + 4));
    how.ended?.();
  };
  cgi.ended.then(answer).catch(() => {
    response.destroy();
    how.ended?.();
  });
}
