import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ForgeKind } from '../core/forges.ts';
import { SCHEMES } from '../core/receiver/scheme.ts';
import type { Scheme } from '../core/receiver/scheme.ts';
import type { SecretShown } from '../core/secrets.ts';
import { connectionOf } from './connection.ts';
import { enumOf } from './enums.ts';
import { UserError } from './user-errors.ts';

export const SecretUseEnum = enumOf<SecretShown['use']['kind']>('SecretUse', 'What a secret is for.', {
  REFERENCE: 'Actions and headers refer to it as `${secrets.NAME}`.',
  GIT: 'Opens git repositories.',
  WEBHOOK: 'Signs what an outside system sends.',
  FORGE: 'Opens pull requests and sets commit statuses.',
  SIGNING: 'Signs commits.',
});

type ForgeType = Uppercase<ForgeKind>;

export const ForgeTypeEnum = enumOf<ForgeType>('ForgeType', 'Whose API a host of repositories speaks.', {
  GITHUB: 'GitHub or GitHub Enterprise Server.',
  GITLAB: 'GitLab.',
  GITEA: 'Gitea or Forgejo.',
});

@ObjectType({ description: 'The host of repositories in which a secret opens pull requests.' })
export class SecretForge {
  @Field(() => ForgeTypeEnum, { description: 'Whose API it speaks.' })
  type!: ForgeType;

  @Field(() => String, { description: 'How addresses of its repositories begin.' })
  url!: string;

  @Field(() => String, { nullable: true, description: 'Where its API is; null: where it is by default.' })
  apiUrl!: string | null;

  @Field(() => String, { nullable: true, description: 'The GitHub App whose private key it is; null: it is a token.' })
  appId!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The installation of the App; null: that of the repository.',
  })
  installationId!: string | null;
}

export const WebhookSchemeEnum = enumOf<Scheme>(
  'WebhookScheme',
  'How the sender of a webhook proves who it is.',
  Object.fromEntries(Object.entries(SCHEMES).map(([name, { about }]) => [name, about])) as Record<Scheme, string>,
);

@ObjectType({ description: 'A secret: everything about it but its value, which cannot be read.' })
export class Secret {
  constructor(readonly shown: SecretShown) {}

  @Field(() => String, { description: 'Its name.' })
  get name(): string {
    return this.shown.name;
  }

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  get description(): string | null {
    return this.shown.description;
  }

  @Field(() => SecretUseEnum, { description: 'What it is for; it is given out for nothing else.' })
  get use(): SecretShown['use']['kind'] {
    return this.shown.use.kind;
  }

  @Field(() => [String], {
    nullable: true,
    description: 'Hosts to which it may be sent; empty: nowhere. Null where it is not for references.',
  })
  get hosts(): string[] | null {
    return this.shown.use.kind === 'REFERENCE' ? this.shown.use.hosts : null;
  }

  @Field(() => [String], {
    nullable: true,
    description:
      'Products in whose name it may be sent, names with `*`; empty: any. Null where it is not for references.',
  })
  get products(): string[] | null {
    return this.shown.use.kind === 'REFERENCE' ? (this.shown.use.products ?? []) : null;
  }

  @Field(() => Boolean, {
    description:
      'Its hosts were never named: they are those to which it was sent when hosts became required. Set it once more with its hosts.',
  })
  get hostsAssumed(): boolean {
    return this.shown.use.kind === 'REFERENCE' && this.shown.use.assumed === true;
  }

  @Field(() => String, { nullable: true, description: 'How addresses of the git repositories begin that it opens.' })
  get gitUrl(): string | null {
    return this.shown.use.kind === 'GIT' ? this.shown.use.url : null;
  }

  @Field(() => String, { nullable: true, description: 'The user name that goes with it.' })
  get gitUsername(): string | null {
    return this.shown.use.kind === 'GIT' ? this.shown.use.username : null;
  }

  @Field(() => String, { nullable: true, description: 'The source of webhooks that it signs.' })
  get webhookSource(): string | null {
    return this.shown.use.kind === 'WEBHOOK' ? this.shown.use.source : null;
  }

  @Field(() => [String], {
    nullable: true,
    description: 'Products that those webhooks may tell of, names with `*`; empty: any.',
  })
  get webhookProducts(): string[] | null {
    return this.shown.use.kind === 'WEBHOOK' ? this.shown.use.products : null;
  }

  @Field(() => String, {
    nullable: true,
    description:
      'The service account in whose name those webhooks decide on approvals; null: they report rollouts, or it is for something else.',
  })
  get webhookDecidesAs(): string | null {
    return this.shown.use.kind === 'WEBHOOK' ? (this.shown.use.decidesAs ?? null) : null;
  }

  @Field(() => WebhookSchemeEnum, {
    nullable: true,
    description: 'How news of that source is signed; null: it reports rollouts, decides, or it is for something else.',
  })
  get webhookScheme(): Scheme | null {
    return this.shown.use.kind === 'WEBHOOK' ? (this.shown.use.scheme ?? null) : null;
  }

  @Field(() => [String], {
    nullable: true,
    description:
      'How addresses of repositories begin that the source may tell of; empty: any. Null where it tells no news.',
  })
  get webhookRepositories(): string[] | null {
    const { use } = this.shown;
    return use.kind === 'WEBHOOK' && use.scheme !== undefined ? (use.repositories ?? []) : null;
  }

  @Field(() => String, {
    nullable: true,
    description: "The header with the token or the signature, where it is not the scheme's own.",
  })
  get webhookHeader(): string | null {
    return this.shown.use.kind === 'WEBHOOK' ? (this.shown.use.header ?? null) : null;
  }

  @Field(() => SecretForge, {
    nullable: true,
    description: 'Where it opens pull requests; null: it is for something else.',
  })
  get forge(): SecretForge | null {
    const { use } = this.shown;
    if (use.kind !== 'FORGE') return null;
    const { forge, url, apiUrl = null, app } = use;
    const type = forge.toUpperCase() as ForgeType;
    return { type, url, apiUrl, appId: app?.id ?? null, installationId: app?.installation ?? null };
  }

  @Field(() => String, {
    nullable: true,
    description:
      'What the host of a repository has to know of a key that signs commits: the public key of SSH, the fingerprint of GPG. Null: it is for something else.',
  })
  get signingKey(): string | null {
    return this.shown.use.kind === 'SIGNING' ? (this.shown.use.publicPart ?? null) : null;
  }

  @Field(() => Int, { description: '1, and one more with each new value.' })
  get revision(): number {
    return this.shown.revision;
  }

  @Field(() => String, { description: 'Which key sealed it, by its id.' })
  get keyId(): string {
    return this.shown.keyId;
  }

  @Field(() => Date, { description: 'Since when it is there.' })
  get createdAt(): Date {
    return this.shown.createdAt;
  }

  @Field(() => Date, { description: 'When it was set last.' })
  get updatedAt(): Date {
    return this.shown.updatedAt;
  }

  @Field(() => String, { nullable: true, description: 'Who set it last; null: a caller without a name.' })
  get updatedBy(): string | null {
    return this.shown.updatedBy;
  }
}

@InputType({ description: 'Which git repositories a secret opens.' })
export class SecretGitInput {
  @Field(() => String, { description: 'How their addresses begin, e.g. `https://git.example.com/team/`.' })
  url!: string;

  @Field(() => String, { nullable: true, description: 'The user name; of a token mostly none is needed.' })
  username?: string;
}

@InputType({ description: 'Whose webhooks a secret signs.' })
export class SecretWebhookInput {
  @Field(() => String, { description: 'The name of the source, as its address at the receiver has it.' })
  source!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Products that it may tell of, e.g. `billing` or `team-a-*`. Left out: any.',
  })
  products?: string[];

  @Field(() => String, {
    nullable: true,
    description:
      'The service account in whose name it decides on approvals, by its bare name. Left out: it reports rollouts, and decides nothing.',
  })
  decidesAs?: string;

  @Field(() => WebhookSchemeEnum, {
    nullable: true,
    description:
      'How the source signs: then it tells news (pushes, pull requests, deployments), at `/hooks/git`, `/hooks/argocd` or `/hooks/generic`. Left out: it reports rollouts, or decides.',
  })
  scheme?: Scheme;

  @Field(() => [String], {
    nullable: true,
    description:
      'With `scheme`: how addresses of repositories begin that it may tell of, e.g. `https://git.example.com/team/`. Left out: any.',
  })
  repositories?: string[];

  @Field(() => String, {
    nullable: true,
    description:
      'With `scheme` HEADER or HMAC_HEADER: the header with the token or the signature. Left out: `Authorization`, or `X-Signature`.',
  })
  header?: string;
}

@InputType({ description: 'In which repositories a secret opens pull requests.' })
export class SecretForgeInput {
  @Field(() => ForgeTypeEnum, { description: 'Whose API the host speaks.' })
  type!: ForgeType;

  @Field(() => String, {
    description:
      'How addresses of the repositories begin, e.g. `https://github.com/acme/`; the longest beginning wins. Those that git reaches by ssh are meant, too.',
  })
  url!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Where its API is. Left out: `https://api.github.com`, `https://HOST/api/v3` of GitHub Enterprise Server, `https://HOST/api/v4` of GitLab, `https://HOST/api/v1` of Gitea and Forgejo.',
  })
  apiUrl?: string;

  @Field(() => String, {
    nullable: true,
    description: 'The id or client id of a GitHub App, whose private key is the value. Left out: the value is a token.',
  })
  appId?: string;

  @Field(() => String, {
    nullable: true,
    description: 'With `appId`: the number of its installation. Left out: that of each repository.',
  })
  installationId?: string;
}

@InputType({
  description:
    'A secret that is new, gets a new value, or is described anew. Without `git`, `webhook`, `forge` and `signsCommits` it is for references.',
})
export class SecretSetInput {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The value, which cannot be read afterwards. Left out: it stays, which a change of its use does not allow.',
  })
  secretValue?: string;

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => [String], {
    nullable: true,
    description:
      'Hosts to which it may be sent, e.g. `hooks.example.com` or `*.example.com`: required where it is for references.',
  })
  hosts?: string[];

  @Field(() => [String], {
    nullable: true,
    description: 'With `hosts`: products in whose name it may be sent, e.g. `billing` or `team-a-*`. Left out: any.',
  })
  products?: string[];

  @Field(() => SecretGitInput, { nullable: true, description: 'It opens git repositories.' })
  git?: SecretGitInput;

  @Field(() => SecretWebhookInput, { nullable: true, description: 'It signs webhooks.' })
  webhook?: SecretWebhookInput;

  @Field(() => SecretForgeInput, { nullable: true, description: 'It opens pull requests and sets commit statuses.' })
  forge?: SecretForgeInput;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: it signs commits. The value is a private key of SSH or GPG, without a passphrase; it is tried before it is kept.',
  })
  signsCommits?: boolean;
}

@InputType({ description: 'Which secret to delete.' })
export class SecretDeleteInput {
  @Field(() => String, { description: 'Its name.' })
  name!: string;
}

@ObjectType({ description: 'What became of the secret.' })
export class SecretSetPayload {
  @Field(() => Secret, { nullable: true, description: 'As it is now, without its value.' })
  secret!: Secret | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'What became of the secret.' })
export class SecretDeletePayload {
  @Field(() => String, { nullable: true, description: 'The name of the secret that is gone.' })
  deletedName!: string | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@InputType({ description: 'Which secrets are sealed anew.' })
export class SecretsResealInput {
  @Field(() => String, { nullable: true, description: 'This one alone; all of them when left out.' })
  name?: string;
}

@ObjectType({ description: 'What became of the secrets that an earlier key had sealed.' })
export class SecretsResealPayload {
  @Field(() => Int, { nullable: true, description: 'How many were sealed with the current key.' })
  resealed!: number | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const SecretConnection = connectionOf('Secret', Secret as never);
