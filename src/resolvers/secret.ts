import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { deleteSecret } from '../commands/delete-secret.ts';
import { resealSecrets } from '../commands/reseal-secrets.ts';
import { setSecret } from '../commands/set-secret.ts';
import { EVERYTHING } from '../core/access/index.ts';
import type { ForgeKind, ForgeUse } from '../core/forges.ts';
import { refusal } from '../core/problems.ts';
import type { SecretUse } from '../core/secrets.ts';
import { askedOf, PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import {
  Secret,
  SecretConnection,
  SecretDeleteInput,
  SecretDeletePayload,
  type SecretForgeInput,
  SecretSetInput,
  SecretSetPayload,
  SecretsResealInput,
  SecretsResealPayload,
  type SecretWebhookInput,
} from '../schema/secret.ts';
import { listSecrets } from '../store/secrets.ts';
import { Guarded, may } from './access/rules.ts';
import { checkStorable, refused, unstorable } from './answers.ts';

const MANAGES = may('MANAGE_SECRETS', () => [EVERYTHING]);

@Resolver()
export class SecretResolver {
  @Guarded(MANAGES)
  @Query(() => SecretConnection, { description: 'Secrets, by name; never their values.' })
  async secrets(@Ctx() { app }: ApiContext, @Args(() => PageArgs) page: PageArgs): Promise<Connection<Secret>> {
    const { limit, key, backwards } = askedOf(page);
    const rows = await listSecrets(app.pool, { limit, key, backwards });
    return toConnection(
      rows,
      page,
      ({ name }) => name,
      (row) => new Secret(row),
    );
  }

  @Guarded(MANAGES)
  @Mutation(() => SecretSetPayload, { description: 'Creates a secret, or gives it a new value.' })
  async secretSet(
    @Ctx() { app, actor, identity }: ApiContext,
    @Arg('input', () => SecretSetInput, { description: 'The secret.' }) input: SecretSetInput,
  ): Promise<SecretSetPayload> {
    const { name, secretValue, description, hosts, products, git, webhook, forge, signsCommits } = input;
    const wrong = unstorable(input);
    if ([hosts, git, webhook, forge, signsCommits].filter(Boolean).length > 1)
      wrong.push(refusal('INVALID', 'a secret has one use: give one of hosts, git, webhook, forge and signsCommits'));
    if (products && (git || webhook || forge || signsCommits))
      wrong.push(refusal('INVALID', 'products go with hosts; those of a webhook are a part of it', ['products']));
    if (wrong.length > 0) return { secret: null, userErrors: refused(wrong) };
    const use: SecretUse = git
      ? { kind: 'GIT', url: git.url, username: git.username ?? null }
      : webhook
        ? webhookUse(webhook)
        : forge
          ? forgeUse(forge)
          : signsCommits
            ? { kind: 'SIGNING' }
            : { kind: 'REFERENCE', hosts: hosts ?? [], ...(products?.length ? { products } : {}) };
    const given = { name, value: secretValue ?? null, description: description ?? null, use };
    const { value, refusals } = await setSecret(app, given, actor, identity);
    return { secret: value ? new Secret(value) : null, userErrors: refused(refusals ?? []) };
  }

  @Guarded(MANAGES)
  @Mutation(() => SecretDeletePayload, {
    description: 'Deletes a secret for good; what refers to it fails from then on.',
  })
  async secretDelete(
    @Ctx() { app }: ApiContext,
    @Arg('input', () => SecretDeleteInput, { description: 'Which one.' }) input: SecretDeleteInput,
  ): Promise<SecretDeletePayload> {
    checkStorable({ input });
    const { value, refusals } = await deleteSecret(app, input.name);
    return { deletedName: value ?? null, userErrors: refused(refusals ?? []) };
  }

  @Guarded(MANAGES)
  @Mutation(() => SecretsResealPayload, {
    description: 'Seals secrets with the current key. When all are, the previous key is not needed any more.',
  })
  async secretsReseal(
    @Ctx() { app }: ApiContext,
    @Arg('input', () => SecretsResealInput, { description: 'Which ones.' }) input: SecretsResealInput,
  ): Promise<SecretsResealPayload> {
    checkStorable({ input });
    const { value, refusals } = await resealSecrets(app, input.name ?? null);
    return { resealed: value ?? null, userErrors: refused(refusals ?? []) };
  }
}

/** Fields that are left out stay out: a use is compared as a whole. */
function forgeUse({ type, url, apiUrl, appId, installationId }: SecretForgeInput): ForgeUse {
  const installation = installationId == null ? {} : { installation: installationId };
  return {
    kind: 'FORGE',
    forge: type.toLowerCase() as ForgeKind,
    url,
    ...(apiUrl == null ? {} : { apiUrl }),
    ...(appId == null && installationId == null ? {} : { app: { id: appId ?? '', ...installation } }),
  };
}

function webhookUse(input: SecretWebhookInput): SecretUse {
  const { source, products, decidesAs, scheme, repositories, header } = input;
  return {
    kind: 'WEBHOOK',
    source,
    products: products ?? [],
    ...(decidesAs != null && { decidesAs }),
    ...(scheme != null && { scheme }),
    ...(repositories?.length && { repositories }),
    ...(header != null && { header }),
  };
}
