import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { dismissCandidate, releaseCandidateNow, retryCandidate } from '../commands/trigger/control-candidate.ts';
import type { Result } from '../commands/result.ts';
import { refusal } from '../core/problems.ts';
import {
  Candidate,
  CandidateConnection,
  CandidateDismissInput,
  CandidateFilterInput,
  CandidateInput,
  CandidatePayload,
} from '../schema/candidate.ts';
import { PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { fromNodeId } from '../schema/node-id.ts';
import { UUID } from '../schema/node.ts';
import { Release } from '../schema/release.ts';
import { listCandidates, readCandidates } from '../store/candidates.ts';
import type { KeptCandidate } from '../store/candidates.ts';
import { releasing } from './access/release-rules.ts';
import { Guarded, SEES, may } from './access/rules.ts';
import type { Lookup } from './access/lookup.ts';
import { absent } from './access/named.ts';
import type { Named } from './access/named.ts';
import { ordererOf, seesPlace, visibilityOf } from './access/visible.ts';
import { checkStorable, ifStorable, refused } from './answers.ts';
import { cutSince, pageOf, writeSince } from './newest-first.ts';
import { readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

/** Where its release would promote to. */
async function candidatePlace({ input }: { input: CandidateInput }, lookup: Lookup): Promise<Named> {
  const id = bareId(input.candidateId);
  const missing = refusal('NOT_FOUND', `there is no candidate "${id}"`, ['candidateId']);
  const found = UUID.test(id) ? (await readCandidates(lookup.context.app.pool, [id])).get(id) : undefined;
  if (!found || !(await seesPlace(lookup.context, found.product, found.environment))) return absent(missing);
  const { product, flow } = found;
  return { ...(await releasing({ input: { product, flow } }, lookup)), absent: missing };
}

const bareId = (id: string): string => {
  const node = fromNodeId(id);
  return node?.type === 'Candidate' ? node.what : id;
};

@Resolver(() => Candidate)
export class CandidateResolver {
  @Guarded(SEES)
  @Query(() => CandidateConnection, {
    description: 'Candidates of releases that start by themselves, newest first, with what came of each.',
  })
  async candidates(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => CandidateFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    filter?: CandidateFilterInput,
  ): Promise<Connection<Candidate>> {
    const read = pageOf(context, page);
    checkStorable({ filter });
    const { rows, cut } = await listCandidates(readsOf(context), {
      ...read,
      filter: {
        product: filter?.product ?? undefined,
        statuses: filter?.status ?? undefined,
        visible: await visibilityOf(context),
      },
    });
    const key = ({ createdAt, id }: KeptCandidate): string => writeSince({ since: createdAt.getTime(), id });
    return toConnection(rows, page, key, (row) => new Candidate(row), cutSince(cut));
  }

  @Guarded(may('PROMOTE', candidatePlace))
  @Mutation(() => CandidatePayload, {
    description:
      'Makes a release of a candidate now, whatever it waits for: the release is MANUAL, as any that a person asks for.',
  })
  async candidateRelease(
    @Ctx() context: ApiContext,
    @Arg('input', () => CandidateInput, { description: 'Which one.' }) input: CandidateInput,
  ): Promise<CandidatePayload> {
    const orderer = await ordererOf(context);
    return answered(input, () => releaseCandidateNow(context.app, bareId(input.candidateId), context.actor, orderer));
  }

  @Guarded(may('PROMOTE', candidatePlace))
  @Mutation(() => CandidatePayload, {
    description: 'Looks once more at a candidate that was refused, dismissed or given up, until a newer one came.',
  })
  async candidateRetry(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => CandidateInput, { description: 'Which one.' }) input: CandidateInput,
  ): Promise<CandidatePayload> {
    return answered(input, () => retryCandidate(app, bareId(input.candidateId), actor));
  }

  @Guarded(may('PROMOTE', candidatePlace))
  @Mutation(() => CandidatePayload, { description: 'A candidate becomes no release by itself.' })
  async candidateDismiss(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => CandidateDismissInput, { description: 'Which one, and why.' }) input: CandidateDismissInput,
  ): Promise<CandidatePayload> {
    const { candidateId, reason } = input;
    return answered(input, () => dismissCandidate(app, { id: bareId(candidateId), reason }, actor));
  }

  @FieldResolver(() => Release, { nullable: true, description: 'The release that was made of it.' })
  async release(@Ctx() context: ApiContext, @Root() { fields }: Candidate): Promise<Release | null> {
    return fields.releaseId === null ? null : readRelease(context, fields.releaseId);
  }
}

async function answered(
  input: CandidateInput,
  command: () => Promise<Result<KeptCandidate>>,
): Promise<CandidatePayload> {
  const id = bareId(input.candidateId);
  const missing = refusal('NOT_FOUND', `there is no candidate "${id}"`, ['candidateId']);
  const result = await ifStorable(input, async () => (UUID.test(id) ? command() : { refusals: [missing] }));
  if (result.refusals) return { candidate: null, userErrors: refused(result.refusals) };
  return { candidate: new Candidate(result.value), userErrors: [] };
}

export async function readCandidate(context: ApiContext, id: string): Promise<Candidate | null> {
  const found = UUID.test(id) ? (await readCandidates(context.app.pool, [id])).get(id) : undefined;
  return found && (await seesPlace(context, found.product, found.environment)) ? new Candidate(found) : null;
}
