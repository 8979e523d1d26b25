import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sealing, SealingError } from '../../src/store/sealing.ts';

const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')] as [string, string];

test('what was sealed opens with its key, under its name, and is sealed anew each time', () => {
  const sealing = new Sealing([first]);
  const [one, two] = [sealing.seal('token', 'hunter2-hunter2'), sealing.seal('token', 'hunter2-hunter2')];
  expect(one.sealed.equals(two.sealed)).toBe(false);
  expect(one.sealed.includes('hunter2')).toBe(false);
  expect(sealing.open('token', one)).toBe('hunter2-hunter2');
  expect(one.keyId).toMatch(/^[0-9a-f]{12}$/);
});

test('a new key opens nothing of the old one, unless it is given the old one as well', () => {
  const sealed = new Sealing([first]).seal('token', 'hunter2');
  expect(() => new Sealing([second]).open('token', sealed)).toThrow(`was sealed with the key ${sealed.keyId}`);
  expect(new Sealing([second, first]).open('token', sealed)).toBe('hunter2');
  expect(new Sealing([second, first]).seal('token', 'x').keyId).not.toBe(sealed.keyId);
});

test.each(['name', 'value', 'tag', 'nonce'])('what was tampered with does not open: %s', (part) => {
  const sealing = new Sealing([first]);
  const { keyId, nonce, sealed } = sealing.seal('token', 'hunter2');
  const flip = (bytes: Buffer, at: number): Buffer => bytes.map((each, i) => (i === at ? each ^ 1 : each)) as Buffer;
  const row = {
    keyId,
    nonce: part === 'nonce' ? flip(nonce, 0) : nonce,
    sealed: part === 'value' ? flip(sealed, 0) : part === 'tag' ? flip(sealed, sealed.length - 1) : sealed,
  };
  const open = (): string => sealing.open(part === 'name' ? 'other' : 'token', row);
  expect(open).toThrow(SealingError);
  expect(open).toThrow('is damaged');
});

test('without a key nothing is sealed or opened, and the setting is named', () => {
  const sealed = new Sealing([first]).seal('token', 'hunter2');
  expect(() => new Sealing([]).seal('token', 'x')).toThrow('SLUICE_ENCRYPTION_KEY is not set');
  expect(() => new Sealing([]).open('token', sealed)).toThrow('SLUICE_ENCRYPTION_KEY is not set');
});
