/** What a host insists on when somebody pushes. */
export interface Rules {
  /** Branches that take no push, but by these accounts (none: everything goes in by pull request). */
  protectedBranches?: Record<string, { allow?: string[] }>;
  /** Every new commit carries a signature; with keys, one of theirs. */
  signed?: true | { sshKeys: { email: string; publicKey: string }[] } | { gnupgHome: string };
  /** Every new commit is signed off by its author (`Signed-off-by: NAME <EMAIL>`). */
  signedOff?: boolean;
  /** The author of every new commit has one of these addresses. */
  authors?: string[];
}

/** The files of a bare repository that its hook reads. */
export function rulesFile(rules: Rules): [name: string, content: string][] {
  const branches = Object.entries(rules.protectedBranches ?? {});
  const { signed } = rules;
  const keys = typeof signed === 'object' && 'sshKeys' in signed ? signed.sshKeys : [];
  return [
    ['sluice-protected', branches.map(([name, { allow = [] }]) => `refs/heads/${name} ${allow.join(' ')}\n`).join('')],
    [
      'sluice-signed',
      signed === undefined
        ? ''
        : signed === true
          ? 'any\n'
          : 'sshKeys' in signed
            ? 'ssh\n'
            : `gpg ${signed.gnupgHome}\n`,
    ],
    ['sluice-signers', keys.map(({ email, publicKey }) => `${email} ${publicKey.trim()}\n`).join('')],
    ['sluice-signed-off', rules.signedOff ? 'yes\n' : ''],
    ['sluice-authors', (rules.authors ?? []).map((each) => `${each}\n`).join('')],
  ];
}

/** In GitHub's words, where it has some. REMOTE_USER is the account that came in by HTTP. */
export const RULES_HOOK = `#!/bin/sh
no() { echo "error: $1" >&2; exit 1; }
zero=0000000000000000000000000000000000000000
here="$(pwd)"
while read -r before after ref; do
  if [ -s sluice-protected ]; then
    while read -r name allowed; do
      [ "$name" = "$ref" ] || continue
      case " $allowed " in
        *" $REMOTE_USER "*) ;;
        *) echo "error: GH006: Protected branch update failed for $ref." >&2
           no "Changes must be made through a pull request." ;;
      esac
    done < sluice-protected
  fi
  [ "$after" = "$zero" ] && continue
  for commit in $(git rev-list "$after" --not --all); do
    if [ -s sluice-signed ]; then
      read -r kind home < sluice-signed
      git cat-file commit "$commit" | grep -q '^gpgsig' || no "GH006: Commits must have verified signatures. $commit is not signed"
      case "$kind" in
        ssh) git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile="$here/sluice-signers" verify-commit "$commit" 2>/dev/null \\
               || no "GH006: Commits must have verified signatures. $commit is signed by a key that is not known" ;;
        gpg) GNUPGHOME="$home" git verify-commit "$commit" 2>/dev/null \\
               || no "GH006: Commits must have verified signatures. $commit is signed by a key that is not known" ;;
      esac
    fi
    if [ -s sluice-signed-off ]; then
      wanted="Signed-off-by: $(git log -1 --format='%an <%ae>' "$commit")"
      git log -1 --format=%B "$commit" | grep -qxF "$wanted" || no "commit $commit has no line \\"$wanted\\""
    fi
    if [ -s sluice-authors ]; then
      git log -1 --format=%ae "$commit" | grep -qxFf sluice-authors \\
        || no "commit $commit has an author who is not a member: $(git log -1 --format=%ae "$commit")"
    fi
  done
done
`;
