import { createHash } from 'node:crypto';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
dt{font-weight:600}dd{margin:0 0 .5rem}textarea,button{display:block;width:100%;box-sizing:border-box;font:inherit;margin:.25rem 0 1rem;padding:.5rem}
button{cursor:pointer}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181d}}`;

/** Of the answer that a small page is: its own style, a form that comes back here, and nothing else. */
export const SMALL_PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** A page without a script, for a browser that is not in the web app. `body` is markup. */
export function smallPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><h1>${escape(title)}</h1>${body}</body></html>`;
}

/** Text as markup that shows it. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}
