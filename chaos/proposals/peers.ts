import { join } from 'node:path';
import { startFaultProxy } from '../../test/peers/faults.ts';
import type { FaultProxy } from '../../test/peers/faults.ts';
import { startForge } from '../../test/peers/forges.ts';
import type { TestForge } from '../../test/peers/forges.ts';
import { startGitHost } from '../../test/peers/git-host.ts';
import type { GitHost } from '../../test/peers/git-host.ts';
import { setSecret } from '../api.ts';

/** A git host and its pull requests, in this process: what they have counted stays, whatever is killed. */
export interface Peers {
  gitHost: GitHost;
  forge: TestForge;
  /** In front of the git host. */
  git: FaultProxy;
  /** What processes need to reach both. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

export async function openPeers(folder: string): Promise<Peers> {
  const gitHost = await startGitHost({ root: join(folder, 'git-host') });
  const forge = await startForge('github', gitHost);
  const git = await startFaultProxy(gitHost.url);
  gitHost.publicUrl = git.url;
  return {
    gitHost,
    forge,
    git,
    environment: {
      SLUICE_GIT_PROTOCOLS: 'file,http',
      SLUICE_GIT_CREDENTIALS: JSON.stringify({ [`${git.url}/`]: forge.gitLogin }),
      SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
      // Of a run, and gone with it.
      SLUICE_ENCRYPTION_KEY: Buffer.alloc(32, 'chaos').toString('base64'),
    },
    async close() {
      await git.close();
      await forge.close();
      await gitHost.close();
    },
  };
}

/** Of webhooks: at least 24 bytes. */
const SIGNED_WITH = Buffer.alloc(32, 'signed').toString('hex');

/**
 * Says to Sluice which forge it is, and to the forge where Sluice hears of news.
 * @param alone products that have a secret of their own: what a host allows is counted by secret, and each of them has all of it
 */
export async function introduce(url: string, { forge, git }: Peers, alone: readonly string[] = []): Promise<void> {
  await setSecret(url, {
    name: 'news',
    secretValue: SIGNED_WITH,
    webhook: { source: 'forge', scheme: 'GITHUB', repositories: [`${git.url}/`] },
  });
  forge.deliveries.to(`${url}/hooks/git/forge`, SIGNED_WITH);
  for (const [name, path] of [['forge', ''], ...alone.map((each) => [each, `acme/${each}`])] as [string, string][])
    await setSecret(url, {
      name,
      secretValue: forge.token,
      forge: { type: 'GITHUB', url: `${git.url}/${path}`, apiUrl: forge.apiUrl },
    });
}
