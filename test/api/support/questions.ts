// What the plans of lists and filters are looked at for: each list, each filter and each query of the log.

import { manyOf } from '../../../src/core/kinds/index.ts';

export const RELEASES = 3_000;
/** Small, so that what reads more than a page is seen in a small history. */
export const ENTRIES = 400;
/** The page, the look for where a way ends, and a little for what stands beside them. */
export const MOST = 2 * ENTRIES + 200;
/** A page of a hundred releases, their promotions and what is read of each twice. */
const PAGE = 100 * 6 * 2 + 400;

export interface Case {
  /** The field of Query that it is about. */
  field: string;
  name: string;
  /** Its arguments and what is selected of it. */
  query: string;
  /** A viewer of these products and environments; without it, whoever sees everything. */
  sees?: { products: string[]; environments?: string[] };
  /** What may be read, and by what: each table that grows is read by these indexes alone. */
  by: string[];
  most?: number;
}

const NODES = '{ nodes { id } pageInfo { hasNextPage endCursor } }';
const RELEASE =
  '{ nodes { id status version { label } counts { succeeded } promotions { status steps { status } } lastCursor } pageInfo { endCursor } }';
const CANDIDATE = '{ nodes { id status reason release { id status } } pageInfo { endCursor } }';
/** In the middle of the history. */
const LATE = `${Date.now() - (RELEASES / 2) * 60_000}/ffffffff-ffff-4fff-8fff-ffffffffffff`;
/** So many minutes before the end of the history. */
const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
const LOG = '{ edges { cursor node { sequence } } pageInfo { hasNextPage endCursor } }';
export const FEW = { products: ['product-1', 'rare'] };
const PLACE = { products: ['product-1'], environments: ['staging'] };
export const CASES: Case[] = [
  {
    field: 'releases',
    name: 'newest',
    query: `(first: 100) ${RELEASE}`,
    by: ['IDX_f19642ecab2a425967958e4392'],
    most: PAGE,
  },
  {
    field: 'releases',
    name: 'with what hosts were told of them, and their pull requests',
    query: `(first: 100) { nodes { commitStatuses { context } promotions { ... on EnvironmentPromotion { pullRequests { number } } } } }`,
    by: ['IDX_f19642ecab2a425967958e4392', 'commit_status_of_release', 'pull_request_of_promotion'],
    most: PAGE,
  },
  {
    field: 'releases',
    name: 'a late page',
    query: `(first: 100, after: "${cursor('1200')}") ${NODES}`,
    by: ['IDX_f19642ecab2a425967958e4392'],
  },
  {
    field: 'releases',
    name: 'of a product',
    query: `(first: 100, filter: { product: "product-1" }) ${RELEASE}`,
    by: ['release_of_product'],
    most: PAGE,
  },
  {
    field: 'releases',
    name: 'of a product with few',
    query: `(first: 100, filter: { product: "rare" }) ${NODES}`,
    by: ['release_of_product'],
  },
  {
    field: 'releases',
    name: 'of a product that is none',
    query: `(filter: { product: "none" }) ${NODES}`,
    by: ['release_of_product'],
  },
  {
    field: 'releases',
    name: 'of a product that ended long ago, late',
    query: `(first: 100, after: "${cursor('1005')}", filter: { product: "retired" }) ${NODES}`,
    by: ['release_of_product'],
  },
  {
    field: 'releases',
    name: 'that failed',
    query: `(first: 100, filter: { status: [FAILED] }) ${NODES}`,
    by: ['release_of_status'],
  },
  {
    field: 'releases',
    name: 'that are open',
    query: `(first: 100, filter: { status: [RUNNING, SUSPENDED, QUEUED] }) ${NODES}`,
    by: ['release_of_status'],
  },
  {
    field: 'releases',
    name: 'of a product, that failed',
    query: `(first: 100, filter: { product: "product-1", status: [FAILED] }) ${NODES}`,
    by: ['release_of_product_status'],
  },
  {
    field: 'releases',
    name: 'into an environment',
    query: `(first: 100, filter: { environment: "eu" }) ${NODES}`,
    by: ['promotion_of_environment'],
  },
  {
    field: 'releases',
    name: 'into one that has few',
    query: `(first: 100, filter: { environment: "seldom" }) ${NODES}`,
    by: ['promotion_of_environment'],
  },
  {
    field: 'releases',
    name: 'into one that is none',
    query: `(first: 100, filter: { environment: "none" }) ${NODES}`,
    by: ['promotion_of_environment'],
  },
  {
    field: 'releases',
    name: 'into one, that failed',
    query: `(first: 100, filter: { environment: "seldom", status: [FAILED] }) ${NODES}`,
    by: ['promotion_of_environment'],
  },
  {
    field: 'releases',
    name: 'of a product, into one that has few',
    query: `(first: 100, filter: { product: "product-11", environment: "seldom" }) ${NODES}`,
    by: ['release_of_product', 'promotion_of_environment'],
    most: ENTRIES * 8,
  },
  {
    field: 'releases',
    name: 'of a viewer of few products',
    query: `(first: 100) ${RELEASE}`,
    sees: FEW,
    by: ['release_of_product'],
    most: PAGE,
  },
  {
    field: 'releases',
    name: 'of a viewer, that failed',
    query: `(first: 100, filter: { status: [FAILED] }) ${NODES}`,
    sees: FEW,
    by: ['release_of_product_status'],
  },
  {
    field: 'releases',
    name: 'of a viewer, into one that has few',
    query: `(first: 100, filter: { environment: "seldom" }) ${NODES}`,
    sees: FEW,
    by: ['promotion_of_environment'],
  },
  {
    field: 'releases',
    name: 'counted, with facets',
    query: '(first: 1) { totalCount isTotalCapped facets { products { value count } } }',
    by: ['IDX_f19642ecab2a425967958e4392'],
    most: 2 * ENTRIES + 200,
  },
  {
    field: 'releases',
    name: 'of a flow',
    query: `(first: 100, filter: { flow: "to-production" }) ${NODES}`,
    by: ['release_of_flow'],
  },
  {
    field: 'releases',
    name: 'of a flow that is none',
    query: `(first: 100, filter: { flow: "none" }) ${NODES}`,
    by: ['release_of_flow'],
  },
  {
    field: 'releases',
    name: 'that take a version back',
    query: `(first: 100, filter: { kind: ROLLBACK }) ${NODES}`,
    by: ['release_of_kind'],
  },
  {
    field: 'releases',
    name: 'of a version',
    query: `(filter: { version: "v77" }) ${NODES}`,
    by: ['release_of_label'],
    most: 20,
  },
  {
    field: 'releases',
    name: 'of a commit',
    query: `(filter: { commit: "ABCDEF0" }) ${NODES}`,
    by: ['PK_release_commit'],
    most: 20,
  },
  {
    field: 'releases',
    name: 'of somebody',
    query: `(first: 100, filter: { actor: "ada" }) ${NODES}`,
    by: ['release_of_actor'],
  },
  {
    field: 'releases',
    name: 'of somebody who asked for none',
    query: `(filter: { actor: "nobody" }) ${NODES}`,
    by: ['release_of_actor'],
    most: 20,
  },
  {
    field: 'releases',
    name: 'of some days long ago',
    query: `(first: 100, filter: { since: "${ago(RELEASES - 60)}", until: "${ago(RELEASES - 100)}" }) ${NODES}`,
    by: ['IDX_f19642ecab2a425967958e4392', 'release_created'],
    most: 2 * ENTRIES,
  },
  {
    field: 'releases',
    name: 'of a product, of some days long ago',
    query: `(first: 100, filter: { product: "product-1", since: "${ago(RELEASES - 60)}", until: "${ago(RELEASES - 100)}" }) ${NODES}`,
    by: ['release_of_product', 'release_created'],
    most: 2 * ENTRIES,
  },
  {
    field: 'releases',
    name: 'with a text',
    query: `(first: 100, filter: { text: "V77" }) ${NODES}`,
    by: ['IDX_f19642ecab2a425967958e4392'],
  },
  {
    field: 'releases',
    name: 'that a person should look at',
    query: `(first: 100, filter: { needsAttention: true }) ${NODES}`,
    by: ['release_of_status', 'release_of_product', 'release_of_flow', 'PK_2c2589bc39a5403f7908492fa60'],
    most: PAGE,
  },
  {
    field: 'releases',
    name: 'of a viewer, of a flow',
    query: `(first: 100, filter: { flow: "to-production", environment: "eu", kind: FORWARD }) ${NODES}`,
    sees: FEW,
    by: ['release_of_flow', 'promotion_of_environment', 'PK_2c2589bc39a5403f7908492fa60'],
    most: ENTRIES * 8,
  },
  {
    field: 'release',
    name: 'by id',
    query:
      '(id: "$release") { commitStatuses { context } promotions { ... on EnvironmentPromotion { pullRequests { number } } } id waitingFor { __typename } rollbacks { id } flow { name } sources { application } groups { name } }',
    by: ['rollback_of_release', 'commit_status_of_release', 'pull_request_of_promotion'],
  },
  {
    field: 'release',
    name: 'that is open',
    query: '(id: "$open") { id waitingFor { __typename message } earliestNextStart promotions { steps { status } } }',
    by: [
      'release_open',
      'promotion_holds',
      'promotion_ahead',
      'environment_hold_active',
      'bad_version_active',
      'deployment_live',
      'deployment_once',
      'promotion_history',
      'promotion_cut_off',
    ],
  },
  {
    field: 'release',
    name: 'that was taken back',
    query: '(id: "$origin") { rollbacks { id origins { id } } }',
    by: ['rollback_of_release'],
  },
  { field: 'node', name: 'a release', query: '(id: "$releaseNode") { id }', by: [] },
  { field: 'releaseEventLog', name: 'from the beginning', query: `(first: 100) ${LOG}`, by: ['release_event_log'] },
  {
    field: 'releaseEventLog',
    name: 'of a product',
    query: `(first: 100, filter: { product: "product-1" }) ${LOG}`,
    by: ['release_event_of_product'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a product with few',
    query: `(first: 100, filter: { product: "rare" }) ${LOG}`,
    by: ['release_event_of_product'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a product that is none',
    query: `(first: 100, filter: { product: "none" }) ${LOG}`,
    by: ['release_event_of_product'],
  },
  {
    field: 'releaseEventLog',
    name: 'of an environment',
    query: `(first: 100, filter: { environment: "eu" }) ${LOG}`,
    by: ['release_event_of_environment'],
  },
  {
    field: 'releaseEventLog',
    name: 'of one that has few',
    query: `(first: 1, filter: { environment: "seldom" }) ${LOG}`,
    by: ['release_event_of_environment'],
  },
  {
    field: 'releaseEventLog',
    name: 'of one that is none',
    query: `(first: 1, filter: { environment: "none" }) ${LOG}`,
    by: ['release_event_of_environment'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a rare type',
    query: `(first: 1, filter: { types: [RollbackStarted] }) ${LOG}`,
    by: ['release_event_of_type'],
  },
  {
    field: 'releaseEventLog',
    name: 'of rare types of a product',
    query: `(first: 100, filter: { product: "rare", types: [PromotionFailed, ReleaseFailed] }) ${LOG}`,
    by: ['release_event_of_type'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a frequent type',
    query: `(first: 100, filter: { types: [StepSucceeded] }) ${LOG}`,
    by: ['release_event_log'],
  },
  {
    field: 'releaseEventLog',
    name: 'of both kinds of types',
    query: `(first: 100, filter: { types: [ReleaseSucceeded, RollbackStarted] }) ${LOG}`,
    by: ['release_event_log'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a product and an environment that it has not',
    query: `(first: 100, filter: { product: "product-1", environment: "none" }) ${LOG}`,
    by: ['release_event_of_product', 'release_event_log'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a release',
    query: `(first: 100, filter: { releaseId: "$release" }) ${LOG}`,
    by: ['release_event_log'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a release, a type that it has not',
    query: `(first: 100, filter: { releaseId: "$release", types: [RollbackStarted] }) ${LOG}`,
    by: ['release_event_log'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a viewer of few products',
    query: `(first: 100) ${LOG}`,
    sees: FEW,
    by: ['release_event_of_product'],
  },
  {
    field: 'releaseEventLog',
    name: 'of a viewer of one environment',
    query: `(first: 100) ${LOG}`,
    sees: PLACE,
    by: ['release_event_of_product'],
  },
  {
    field: 'deployments',
    name: 'of now',
    query: `(first: 100) { nodes { version { label } release { id } } pageInfo { endCursor } }`,
    by: ['deployment_live'],
  },
  {
    field: 'deployments',
    name: 'of products and environments',
    query: '(first: 100, selector: { products: ["product-1", "rare"], environments: ["eu"] }) { nodes { at } }',
    by: ['deployment_live'],
  },
  {
    field: 'deployments',
    name: 'of an application',
    query: '(first: 100, selector: { applications: ["billing-eu-of-retired"] }) { nodes { at } }',
    by: ['deployment_live'],
  },
  {
    field: 'deployments',
    name: 'of a viewer',
    query: '(first: 100) { nodes { at } }',
    sees: PLACE,
    by: ['deployment_live'],
  },
  {
    field: 'deploymentMatrix',
    name: 'of all',
    query: `(first: 100, compareTo: "dev") { nodes { productName cells { environmentName version { label } since health { status } release { id }
      inFlight { status release { id } } holds { reason } badVersions { reason } applications { drift { since } }
      comparison { relation reason } } } pageInfo { endCursor } }`,
    by: ['deployment_live', 'promotion_ahead', 'promotion_holds', 'environment_hold_active', 'bad_version_active'],
  },
  {
    field: 'deploymentMatrix',
    name: 'of products, environments and applications',
    query: `(first: 100, selector: { products: ["product-1"], environments: ["eu"], applications: ["billing-eu-of-product-1"] }) {
      nodes { cells { version { label } inFlight { status } holds { reason } badVersions { reason } } } }`,
    by: ['deployment_live', 'promotion_ahead', 'promotion_holds', 'environment_hold_active', 'bad_version_active'],
  },
  {
    field: 'deliveryMetrics',
    name: 'of the last 10 hours',
    query: `(product: "product-1", environment: "eu", since: "${new Date(Date.now() - 10 * 3_600_000).toISOString()}") {
      deployments leadTime { median } changeFailureRate truncated }`,
    by: ['deployment_history'],
  },
  {
    field: 'actionLog',
    name: 'of a release',
    query: `(releaseId: "$release", first: 100) { nodes { text } pageInfo { endCursor } }`,
    by: ['action_log_order'],
  },
  {
    field: 'actionLog',
    name: 'of an action, late',
    query: `(releaseId: "$release", first: 100, after: "${cursor('9')}", filter: { environment: "staging", step: "unit", attempt: 1, try: 1 }) {
      nodes { text } pageInfo { endCursor } }`,
    by: ['action_log_order'],
  },
  {
    field: 'releaseNotes',
    name: 'of a release in the middle',
    query: `(releaseId: "$release") { environmentName from { label } commits { commit } }`,
    by: ['deployment_live', 'deployment_once'],
  },
  {
    field: 'releasePreview',
    name: 'of a product',
    query: `(input: { product: "billing", version: "3" }) { preview { waitingFor { message } promotions { waitingFor { message } changes { reason } } } userErrors { message } }`,
    by: ['promotion_ahead', 'promotion_holds', 'environment_hold_active', 'bad_version_active', 'release_open'],
  },
  {
    field: 'comingReleaseNotes',
    name: 'of a product',
    query: `(input: { product: "billing", version: "3" }) { notes { environmentName from { label } } userErrors { message } }`,
    by: ['deployment_live'],
  },
  {
    field: 'deploymentHistory',
    name: 'of an environment',
    query: `(product: "product-1", environment: "eu", first: 100) { nodes { version { label } until end reason release { id } next { id } }
      pageInfo { endCursor } }`,
    by: ['deployment_live'],
  },
  {
    field: 'deploymentHistory',
    name: 'of an application, late',
    query: `(product: "product-1", environment: "eu", application: "billing-eu-of-product-1", after: "${cursor(`${Date.now() - (RELEASES / 2) * 60_000}/1000`)}") {
      nodes { version { label } until } pageInfo { endCursor } }`,
    by: ['deployment_live'],
  },
  {
    field: 'rollbacks',
    name: 'newest',
    query: `(first: 100) { nodes { id origins { id } } pageInfo { endCursor } }`,
    by: ['rollback_newest', 'rollback_of_release'],
  },
  {
    field: 'rollbacks',
    name: 'of a product',
    query: `(first: 100, product: "rare") ${NODES}`,
    by: ['rollback_newest', 'rollback_by_product'],
  },
  { field: 'rollbacks', name: 'of a viewer', query: `(first: 100) ${NODES}`, sees: FEW, by: ['rollback_newest'] },
  {
    field: 'rollback',
    name: 'by id',
    query: '(id: "$rollback") { id targets { environment } release { id } }',
    by: [],
  },
  { field: 'badVersions', name: 'newest', query: `(first: 100) ${NODES}`, by: ['bad_version_newest'] },
  {
    field: 'badVersions',
    name: 'of a product',
    query: `(first: 100, filter: { product: "rare" }) ${NODES}`,
    by: ['bad_version_newest'],
  },
  {
    field: 'badVersions',
    name: 'a digest',
    query: `(first: 100, filter: { digest: "none" }) ${NODES}`,
    by: ['bad_version_newest'],
  },
  {
    field: 'badVersions',
    name: 'that count',
    query: `(first: 100, filter: { active: true }) ${NODES}`,
    by: ['bad_version_current'],
  },
  { field: 'badVersions', name: 'of a viewer', query: `(first: 100) ${NODES}`, sees: FEW, by: ['bad_version_newest'] },
  { field: 'environmentHolds', name: 'newest', query: `(first: 100) ${NODES}`, by: ['environment_hold_newest'] },
  {
    field: 'environmentHolds',
    name: 'of a product in an environment',
    query: `(first: 100, filter: { product: "rare", environment: "eu" }) ${NODES}`,
    by: ['environment_hold_newest'],
  },
  {
    field: 'environmentHolds',
    name: 'that count',
    query: `(first: 100, filter: { active: true }) ${NODES}`,
    by: ['environment_hold_current'],
  },
  {
    field: 'environmentHolds',
    name: 'of a viewer',
    query: `(first: 100) ${NODES}`,
    sees: PLACE,
    by: ['environment_hold_newest'],
  },
  {
    field: 'approvals',
    name: 'that wait',
    query: '(first: 20) { totalCount isTotalCapped nodes { id } }',
    by: ['promotion_asked_in_order', 'promotion_holds'],
  },
  {
    field: 'approvals',
    name: 'of a product, for me',
    query: `(first: 20, filter: { product: "rare", forMe: true }) ${NODES}`,
    by: ['promotion_asked_in_order', 'promotion_holds'],
  },
  { field: 'auditLog', name: 'newest', query: '(first: 100) { nodes { action } pageInfo { endCursor } }', by: ['PK_'] },
  {
    field: 'auditLog',
    name: 'of somebody',
    query:
      '(first: 100, filter: { actor: "grace", actions: ["secretSet"], outcomes: [DONE], since: "2020-01-01T00:00:00Z", until: "2020-01-02T00:00:00Z", object: { kind: "Release", name: "7" } }) { nodes { action } }',
    by: ['audit_log_of_actor'],
  },
  { field: 'webhookDeliveries', name: 'newest', query: `(first: 100) ${NODES}`, by: ['webhook_delivery_newest'] },
  {
    field: 'webhookDeliveries',
    name: 'of a source, that failed',
    query: `(first: 100, filter: { source: "other", status: FAILED }) ${NODES}`,
    by: ['webhook_delivery_newest'],
  },
  { field: 'candidates', name: 'newest', query: `(first: 100) ${CANDIDATE}`, by: ['candidate_newest'] },
  {
    field: 'candidates',
    name: 'a late page',
    query: `(first: 100, after: "${cursor(LATE)}") ${NODES}`,
    by: ['candidate_newest'],
  },
  {
    field: 'candidates',
    name: 'of a product with few',
    query: `(first: 100, filter: { product: "rare" }) ${NODES}`,
    by: ['candidate_of_product'],
    most: 100,
  },
  {
    field: 'candidates',
    name: 'of a product, a late page of those that failed',
    query: `(first: 100, after: "${cursor(LATE)}", filter: { product: "product-1", status: [FAILED] }) ${NODES}`,
    by: ['candidate_of_product'],
  },
  {
    field: 'candidates',
    name: 'that failed',
    query: `(first: 100, filter: { status: [FAILED] }) ${NODES}`,
    by: ['candidate_newest'],
  },
  { field: 'candidates', name: 'of a viewer', query: `(first: 100) ${NODES}`, sees: FEW, by: ['candidate_newest'] },
  {
    field: 'triggers',
    name: 'all',
    query: ' { applicationName pause { reason } }',
    by: ['trigger_pause_holds'],
    most: 10,
  },
  { field: 'triggerPauses', name: 'that hold', query: ' { reason }', by: ['trigger_pause_holds'], most: 10 },
  {
    field: 'explainTrigger',
    name: 'of a push',
    query: '(repository: "$repository", ref: "main") { nothing applications { outcome } }',
    // The newest candidate of its product that knows the application.
    by: ['candidate_of_'],
    most: 10,
  },
  {
    field: 'webhookTest',
    name: 'of a push',
    query:
      '(input: { source: "github", repository: "$repository", branch: "main" }) { matches outcome userErrors { message } }',
    by: ['pull_request_open', 'candidate_of_'],
    most: 10,
  },
  {
    field: 'planRollback',
    name: 'of a version',
    query:
      '(input: { product: "product-1", environments: ["eu"], reason: "so" }) { plan { targets { environment decision } } userErrors { message } }',
    by: [
      'deployment_history',
      'deployment_live',
      'deployment_once',
      'promotion_history',
      'promotion_holds',
      'promotion_ahead',
      'promotion_cut_off',
      'environment_hold_active',
      'bad_version_active',
      'release_open',
      'release_of_version',
      'release_of_digest',
      'release_by_product',
    ],
    most: 5_000,
  },
];

/** Fields of Query that read what is defined, and nothing that grows; each is asked for all the same. */
export const DEFINED = [
  ...[
    'application',
    'environment',
    'environmentGroup',
    'product',
    'promotionFlow',
    'promotionPolicy',
    'gitSource',
    'promotionTemplate',
    'promotionWorkflow',
    'releaseWindow',
  ].flatMap((field) => [
    { field, query: '(name: "billing") { id }' },
    { field: manyOf(field), query: '(first: 100) { nodes { id } }' },
  ]),
  { field: 'applications', query: '(first: 100) { nodes { look { lookedAt } } }' },
  { field: 'gitIdentities', query: ' { email }' },
  {
    field: 'deploymentMatrixAxes',
    query:
      '(selector: { products: ["billing"], environments: ["eu"], applications: ["billing-eu"] }) { productNames productionNames }',
  },
  { field: 'explainFlowSelection', query: '(product: "billing") { flow }' },
  { field: 'apiTokens', query: '(first: 100) { nodes { id } }' },
  { field: 'roleGrants', query: '(first: 100) { nodes { id } }' },
  { field: 'sessions', query: '(first: 100) { nodes { id } }' },
  { field: 'secrets', query: '(first: 100) { nodes { name } }' },
  { field: 'findings', query: '{ __typename }' },
  { field: 'viewer', query: '{ name }' },
  { field: 'planRelease', query: '(input: { product: "billing", version: "3" }) { userErrors { message } }' },
  {
    field: 'releaseForecast',
    query:
      '(input: { product: "billing", flow: "to-production", at: "2099-01-01T00:00:00Z" }) { forecast { earliestEnd } userErrors { message } }',
  },
  {
    field: 'evaluatePolicy',
    query: '(product: "billing", environment: "eu", flow: "to-production") { settings { origin } }',
  },
  { field: 'windowState', query: '(environment: "eu") { closed }' },
  {
    field: 'windowCalendar',
    query:
      '(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", environments: ["eu"], products: ["billing"]) { rows { stretches { closed } } }',
  },
  {
    field: 'windowPreview',
    query:
      '(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", input: { name: "w", kind: DENY, timeZone: "UTC", times: { once: { from: "2026-01-01T00:00", to: "2026-01-02T00:00" } } }) { cutAt }',
  },
  { field: 'definitionCursor', query: '' },
  {
    field: 'definitionRevisions',
    query: '(kind: PromotionFlow, name: "to-production", first: 100) { nodes { revision by diff } }',
  },
  {
    field: 'promotionFlowCheck',
    query: '(draft: { saved: "to-production" }) { change userErrors { message } }',
  },
  {
    field: 'manifestsCheck',
    query:
      '(input: { text: "apiVersion: sluice.dev/v1\\nkind: Environment\\nmetadata: { name: new }\\nspec: { kind: NON_PRODUCTION }" }) { userErrors { message } }',
  },
  {
    field: 'promotionFlowEdit',
    query: '(draft: { saved: "flow" }, edits: [{ removeStep: { step: "eu" } }]) { userErrors { message } }',
  },
];

function cursor(key: string): string {
  return Buffer.from(`k:${key}`).toString('base64url');
}
