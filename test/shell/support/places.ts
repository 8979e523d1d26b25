/** Places that no world has to reach: `FILE` of src, or `FILE: FUNCTION, FUNCTION`. */
export interface Excuse {
  why: string;
  /** The tests and drills that reach them instead. */
  shownBy: readonly string[];
  places: readonly string[];
}

/** What no world has a place for. A function that asks PostgreSQL stands here or among `REACHED`: must-reach.test.ts sees to it. */
export const EXCUSED: readonly Excuse[] = [
  {
    why: 'asked by the API alone, to show something: moves nothing',
    shownBy: ['test/api/plans.test.ts', 'test/api/budget.test.ts', 'test/api/deployment-matrix.test.ts'],
    places: [
      'store/approval-reads',
      'store/audit-log',
      'store/delivery-metrics',
      'store/deployment-history',
      'store/deployment-matrix',
      'store/deployment-reads',
      'store/rollback-reads',
      'store/bad-versions: readBadVersions, findVersions',
      'store/reads: setForReading',
      'store/walk: walk',
      'store/release-reads: readCounts, readPlaces, releaseOfNumber',
      'store/contents: readVersions',
      'store/load-releases: loadPromotions, positionsWith',
      'store/outbox: openErrands',
      'store/commit-statuses: statusesOf',
      'store/news: readLooks',
      'store/triggers: gitIdentities',
    ],
  },
  {
    why: 'pages and the live tail of a log: a reader that misses something asks again from where it was',
    shownBy: ['test/api/action-logs.test.ts', 'test/api/subscriptions.test.ts', 'test/api/definitions.test.ts'],
    places: [
      'store/action-logs: readChunks, readChunksBack, lastChunk',
      'store/definition-log: listSaves, savesAfter, lastSave',
      'store/event-log',
    ],
  },
  {
    why: 'who somebody is: tokens, browser sessions, links and secrets move no release',
    shownBy: [
      'test/access/tokens.test.ts',
      'test/access/web-sessions.test.ts',
      'test/access/session-keeper.test.ts',
      'test/api/approval-links.test.ts',
    ],
    places: [
      'commands/access/create-token',
      'store/access',
      'store/approval-links',
      'store/secrets',
      'store/web-sessions',
    ],
  },
  {
    why: 'the real queues; the world has a stand-in, which tells the same story',
    shownBy: ['test/shell/queue-contract.test.ts', 'test/engine/lean-queue.test.ts', 'test/engine/queue-time.test.ts'],
    places: ['jobs/lean-postgres-queue', 'jobs/postgres-time', 'jobs/queue'],
  },
  {
    why: 'what the real drivers keep: the ring stands where their interface is',
    shownBy: ['test/store/forge-budget.test.ts', 'test/engine/commands.test.ts', 'chaos/action-kill-points.ts'],
    places: ['store/begun-commands', 'store/forge-budget'],
  },
  {
    why: 'people mark versions, name the users of addresses, and store secrets, in the tests of the API',
    shownBy: [
      'test/api/rollbacks.test.ts',
      'test/engine/push-to-release.test.ts',
      'test/store/refused-statuses.test.ts',
    ],
    places: [
      'store/bad-versions: markVersionBad, unmarkVersions',
      'store/triggers: setGitIdentity, deleteGitIdentity',
      'store/commit-statuses: retryRefused',
    ],
  },
  {
    why: 'messages of hosts are hints: without any of them the looks find the same, and no world has a sender of webhooks',
    shownBy: [
      'test/api/receiver.test.ts',
      'test/engine/news.test.ts',
      'test/engine/repository-watch.test.ts',
      'test/engine/missed-deliveries.test.ts',
    ],
    places: [
      'store/deliveries: keepDelivery, claimDelivery, recordDelivery, replayDelivery, lockDelivery, readDelivery',
      'store/deliveries: forgetOldDeliveries, insertNews, noteOutcome, lastNewsAt, keptIds',
      'store/news: claimMissed, recordMissed',
    ],
  },
  {
    why: 'a merge queue asks too seldom in a world, and a repository that cannot be compared with what was proposed more seldom still',
    shownBy: ['test/engine/merge-statuses.test.ts', 'test/core/merge-gates.test.ts'],
    places: ['store/merge-groups: requestsFor, keepMergeGroup', 'store/merge-requests: judgeLater'],
  },
  {
    why: 'asked by messages about repositories in which something was proposed, and no world has a sender of webhooks',
    shownBy: ['test/engine/merge-statuses.test.ts', 'chaos/proposals/kill-points.ts'],
    places: ['store/pull-requests: requestedRepositories'],
  },
  {
    why: 'definitions of a world are saved by people, none comes from a git source',
    shownBy: ['test/api/git-sources.test.ts', 'test/engine/odd-sync.test.ts'],
    places: [
      'store/git-sources: moveStanding, lockStanding, definitionClock, saveSynced, forgetSource',
      'store/news: lookSoon',
    ],
  },
  {
    why: 'what was found live in targets: their stand-ins tell nothing of that',
    shownBy: ['test/engine/drift-watch.test.ts'],
    places: ['store/live-checks: saveChecks'],
  },
  {
    why: 'windows of a world have no runway',
    shownBy: ['test/engine/windows.test.ts'],
    places: ['store/load-facts: loadRunway'],
  },
  {
    why: 'once an hour, or once at a start after an upgrade',
    shownBy: ['test/store/once.test.ts', 'test/api/action-logs.test.ts', 'test/drivers/git-proof.test.ts'],
    places: ['store/unfinished: forgetOldKeys, releasesOfUnsignedCommits', 'store/action-logs: forgetOldLogs'],
  },
  {
    why: 'one state of a trigger environment is a candidate again only where two tell of it in the same moment',
    shownBy: ['test/engine/push-to-release.test.ts'],
    places: ['store/candidates: candidateByKey'],
  },
  {
    why: 'asked before a person takes up again a candidate that is over: it reads, and worlds have few of those',
    shownBy: ['test/api/triggers.test.ts'],
    places: ['store/candidates: newerCandidate'],
  },
  {
    why: 'asked by probes and metrics',
    shownBy: ['test/api/readiness.test.ts'],
    places: ['store/unfinished: lateness'],
  },
  {
    why: 'a rollback that is retried after it has told',
    shownBy: ['test/engine/rollback/retried.test.ts'],
    places: ['store/rollbacks: unsettleRollback'],
  },
];

/**
 * Whatever else asks PostgreSQL, in the same words: each is reached by a long run, and one that is not makes the run fail. A new function
 * is written down here once a world asks it.
 */
export const REACHED: readonly string[] = [
  'commands/idempotency',
  'commands/judge-merge',
  'commands/release-engine',
  'commands/start-rollback',
  'commands/tell-commit',
  'jobs/effects',
  'store/action-logs: appendChunks',
  'store/bad-versions: activeBadVersions',
  'store/candidates: claimDue, wakeCandidates, insertCandidate, lockNewest, supersede, stepCandidate, readCandidates',
  'store/commit-statuses: claimDueStatuses, followedReleases, followAgain, wantStatuses, statusApplied, statusFailed, endStatuses',
  'store/contents: readFiles, readListings, referToContents',
  'store/definition-reads: readTexts',
  'store/definition-snapshot: revisionOn, holdDefinitions',
  'store/definitions: keepRevision, lockDefinitions, settleDefinitions, lastRevisions, readAllDefinitions',
  'store/deliveries: dueDeliveries',
  'store/deployment-reports: saveDeploymentReport, newestDeploymentReport',
  'store/environment-holds: holdEnvironment, liftHolds, activeHolds, readHolds',
  'store/git-sources: readStandings, readStanding',
  'store/health-reports: newestHealthReport, saveHealthReport',
  'store/insert-release: insertReleases',
  'store/known-contents: knownContents, recordedIn, arrivingIn',
  'store/listener: #listen, #ping',
  'store/live-checks: claimDueChecks',
  'store/load-facts: loadFacts, loadLive',
  'store/load-releases: loadFrozen, loadStates',
  'store/merge-groups: mergeGroupsOf',
  'store/merge-requests: dueForJudgement, requestsOf, lockRequests, judged',
  'store/news: saveWatched, dueRepositories, retryStopped, stuckHints, pullRequestHints',
  'store/news: claimPullRequests, recordPullRequests, forgetHints',
  'store/news: addHints, watchedNames, claimRepositories, hintsOf, renewClaims, recordLook, pauseHost',
  'store/observations: beginObservation, claimDueObservations, observationsIn, lookAgain, endObservation',
  'store/outbox: isAnyDue, claimDue, deleteRows, keepFailure',
  'store/pull-requests: beginPullRequest, sawPullRequest, pullRequestsOf, openPullRequests',
  'store/pull-requests: awaitedPlaces, abandonedPullRequests, outdatedPullRequests',
  'store/release-reads: readSummaries',
  'store/rollback-question: readPlan, readHistory, readMarks, readOpen, readAutomatic',
  'store/rollbacks: insertRollback, rollbackExists, rollbackAtWork, bringersOf, liveIn, commitsOf, settleRollback, unsettledRollbacks',
  'store/save-decisions: saveDecisions',
  'store/time: timeOfDay',
  'store/triggers: keepCursors, readCursors, lockCursors, moveCursors, knownEpochs, noteLook, knownReleases',
  'store/triggers: activePauses, pausesInForce, lockTriggers, insertPause, endPauses, gitIdentity',
  'store/unfinished: dueSoon, openReleases, releasesAhead, releasesIn, queuedReleases, overfullQueues, nextInLine',
];
