import type { IncomingMessage } from 'node:http';
import type { Contract } from './contract.ts';
import type { Deliveries, Signer } from './deliveries.ts';
import type { GitHost } from './git-host.ts';
import type { ForgeEvent, Forges } from './pull-requests.ts';
import type { Routes } from './rest.ts';

/** An App that may act in the repositories of one installation. */
export interface App {
  /** App id or client id: the `iss` of its tokens. */
  id: string;
  /** PEM. */
  publicKey: string;
  installation: number;
}

/** What a host's file gets to build its API on. */
export interface HostParts {
  forges: Forges;
  deliveries: Deliveries;
  gitHost: GitHost;
  token: string;
  /** Token → account. */
  accounts: ReadonlyMap<string, string>;
  app?: App;
  people?: string[];
  /** Gitea: labels that there are; absent: two. */
  labels?: string[];
}

/** One host's API. */
export interface Host {
  prefix: string;
  contract: Contract;
  routes: Routes;
  account: (headers: IncomingMessage['headers']) => string;
  error: (status: number, message: string) => unknown;
  /** Sends the webhooks about what happened. */
  told: (event: ForgeEvent) => Promise<void>;
  sign: Signer;
  /** How the token logs in to git. */
  gitLogin: { username: string; password: string };
}
