/**
 * One spelling for one repository address: without user, a trailing slash and `.git`, the host in small letters, and the short form of ssh
 * written out. Another protocol is another address: it can have another login.
 */
export function repositoryKey(repoURL: string): string {
  const short = /^(?:[\w.-]+@)?(\w[\w.-]*):(?!\/\/)(.+)$/.exec(repoURL);
  const spelled = short ? `ssh://${short[1]}/${short[2]!.replace(/^\//, '')}` : repoURL;
  const found = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?([^/?#]*)([^?#]*)/i.exec(spelled);
  if (!found) return trimmed(repoURL);
  const [, protocol, host, path] = found as unknown as [string, string, string, string];
  return trimmed(`${protocol.toLowerCase()}://${host.toLowerCase()}${path}`);
}

const trimmed = (text: string): string => text.replace(/\/+$/, '').replace(/\.git$/, '');
