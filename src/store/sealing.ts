import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** A value that only the key with this id opens. */
export interface Sealed {
  keyId: string;
  nonce: Buffer;
  sealed: Buffer;
}

/** What the operator has to put right; the message says which setting. */
export class SealingError extends Error {
  override name = 'SealingError';
}

const TAG = 16;

/** AES-256-GCM with keys of 32 bytes; what is sealed under one name opens under no other. */
export class Sealing {
  readonly #keys: Map<string, Buffer>;
  /** The key that seals; undefined when there is none. */
  readonly keyId: string | undefined;

  /** @param keys in base64, the one that seals first; the others only open. */
  constructor(keys: readonly string[]) {
    this.#keys = new Map(keys.map((text) => [idOf(Buffer.from(text, 'base64')), Buffer.from(text, 'base64')]));
    [this.keyId] = this.#keys.keys();
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /** @throws SealingError without a key. */
  seal(name: string, value: string): Sealed {
    if (this.keyId === undefined) throw new SealingError(NO_KEY);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.keyId)!, nonce).setAAD(
      Buffer.from(`secret ${name}`),
    );
    const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { keyId: this.keyId, nonce, sealed };
  }

  /** @throws SealingError when the key that sealed it is not here, or the row was changed after it was sealed. */
  open(name: string, { keyId, nonce, sealed }: Sealed): string {
    const key = this.#keys.get(keyId);
    if (this.keyId === undefined) throw new SealingError(`secret "${name}" cannot be opened: ${NO_KEY}`);
    if (!key)
      throw new SealingError(
        `secret "${name}" was sealed with the key ${keyId}, and this process has ${[...this.#keys.keys()].join(', ')}: give every process the same SLUICE_ENCRYPTION_KEY, or this one the key ${keyId} in SLUICE_ENCRYPTION_KEY_PREVIOUS`,
      );
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
        .setAAD(Buffer.from(`secret ${name}`))
        .setAuthTag(sealed.subarray(-TAG));
      return Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()]).toString('utf8');
    } catch {
      throw new SealingError(`secret "${name}" is damaged: what is stored is not what was sealed; set it again`);
    }
  }
}

const NO_KEY = 'SLUICE_ENCRYPTION_KEY is not set';

/** Tells keys apart and tells nothing about them. */
const idOf = (key: Buffer): string => createHmac('sha256', key).update('sluice key id').digest('hex').slice(0, 12);
