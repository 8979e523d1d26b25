import { expect } from 'vitest';

/** As much of a browser as signing in needs: it keeps cookies of one host, follows redirects, and says where requests come from. */
export class TestBrowser {
  readonly cookies = new Map<string, string>();
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** As a page of `origin` sends it; null: the header is left out. */
  async send(
    path: string,
    { origin = this.#url, csrf = true, site, body, headers = {}, method = 'POST' }: Sent = {},
  ): Promise<Response> {
    return this.#keep(
      await fetch(this.#url + path, {
        method,
        redirect: 'manual',
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(origin !== null && { origin }),
          ...(csrf && { 'x-sluice-csrf': '1' }),
          ...(site !== undefined && { 'sec-fetch-site': site }),
          ...this.cookieHeader(),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
    );
  }

  /** The address bar: no Origin, and cookies also when another site leads here. */
  async go(address: string): Promise<Response> {
    const url = new URL(address, this.#url);
    const isOwn = url.origin === new URL(this.#url).origin;
    const answer = await fetch(url, { redirect: 'manual', headers: isOwn ? this.cookieHeader() : {} });
    return isOwn ? this.#keep(answer) : answer;
  }

  /** From `/auth/login` through the provider and back. @returns the answer of the callback, and its address */
  async signIn(query = ''): Promise<{ answer: Response; callback: string }> {
    const toProvider = await this.go(`/auth/login${query}`);
    expect(toProvider.status).toBe(303);
    const back = await this.go(toProvider.headers.get('location')!);
    expect(back.status).toBe(303);
    const callback = back.headers.get('location')!;
    return { answer: await this.go(callback), callback };
  }

  swap(token: string): Promise<Response> {
    return this.send('/auth/token', { body: { token } });
  }

  async ask(query: string, sent: Sent = {}): Promise<{ status: number; body: Answered }> {
    const answer = await this.send('/graphql', { body: { query }, ...sent });
    return { status: answer.status, body: (await answer.json()) as Answered };
  }

  cookieHeader(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return cookie === '' ? {} : { cookie };
  }

  #keep(answer: Response): Response {
    for (const each of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(each)!;
      if (/max-age=0/i.test(each)) this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return answer;
  }
}

interface Sent {
  origin?: string | null;
  csrf?: boolean;
  site?: string;
  body?: unknown;
  headers?: Record<string, string>;
  method?: string;
}

interface Answered {
  data?: Record<string, never> | null;
  errors?: { message: string; extensions: { code: string } }[];
}
