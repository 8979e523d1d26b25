import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isOfTheWeb } from '../../web/app/src/parts/address.ts';

test.each([
  ['https://git.example.com/pulls/42', true],
  ['http://gitea:3000/acme/billing/pulls/42', true],
  ['HTTPS://GIT.EXAMPLE.COM', true],
  ['javascript:alert(1)', false],
  ['JavaScript:alert(1)', false],
  ['java\nscript:alert(1)', false],
  ['\u0001javascript:alert(1)', false],
  ['data:text/html,<script>alert(1)</script>', false],
  ['blob:https://git.example.com/1', false],
  ['vbscript:msgbox(1)', false],
  ['//git.example.com', false],
  ['/graphiql', false],
  ['', false],
  [null, false],
])('%j is an address of the web: %j', (address, isOne) => {
  expect(isOfTheWeb(address)).toBe(isOne);
});

test('an address that comes from elsewhere is a link by this one part alone', () => {
  const files = ['web/app/src', 'web/elements/src'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.tsx'))
      .map((name) => `${folder}/${name}`),
  );
  const links = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/href=\{[^}]+\}/g)].map(([link]) => `${file} ${link}`),
  );
  expect(links.sort()).toEqual([
    "web/app/src/frame/frame.tsx href={addressOf('graphiql/')}",
    'web/app/src/parts/away.tsx href={to}',
  ]);
});
