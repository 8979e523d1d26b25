import type { ForgeUse } from '../core/forges.ts';

/** A secret at the moment of its use. */
export interface OpenedSecret {
  value: string;
  /** Where it may be sent; nowhere when empty. */
  hosts: string[];
  /** For which products, names with `*`; any when left out. */
  products?: string[];
  /** The hosts are those of before hosts were required. */
  assumed?: true;
}

/** How to sign in to a git host; a token alone is enough. */
export interface GitLogin {
  username?: string;
  password?: string;
  token?: string;
}

/** The token or the private key of a forge. */
export interface ForgeSecret {
  name: string;
  use: ForgeUse;
  /** @throws PermanentError when it cannot be opened. */
  open: () => string;
}

/** Where drivers get secrets from. Whatever it gives out is masked in all that the drivers say. */
export interface SecretSource {
  /** For `${secrets.NAME}`. @throws PermanentError naming the first that is not there or cannot be opened. */
  open(names: readonly string[]): Promise<Map<string, OpenedSecret>>;
  /** By URL prefix. */
  gitLogins(): Promise<Record<string, GitLogin>>;
  /** Those of forges, each opened only when it is used. */
  forgeSecrets(): Promise<ForgeSecret[]>;
  /** A private key that signs commits. @throws PermanentError when it is not there, or for something else. */
  signingKey(name: string): Promise<{ name: string; value: string }>;
}
