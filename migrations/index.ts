import { OneEntryPerCommand1764900000000 } from './1764900000000-one-entry-per-command.ts';
import { GroupsOfTokens1764900000001 } from './1764900000001-groups-of-tokens.ts';
import { RoomForUpdates1765000000000 } from './1765000000000-room-for-updates.ts';
import { MakersOfTokens1765150000000 } from './1765150000000-makers-of-tokens.ts';
import { Initial1764000000000 } from './1764000000000-initial.ts';
import { Approvals1764400000000 } from './1764400000000-approvals.ts';
import { ApprovalLinks1764400000001 } from './1764400000001-approval-links.ts';
import { ApprovalLinkCredential1764400000002 } from './1764400000002-approval-link-credential.ts';
import { Identity1764500000000 } from './1764500000000-identity.ts';
import { ReleaseWindows1764100000000 } from './1764100000000-release-windows.ts';
import { Rollbacks1764300000000 } from './1764300000000-rollbacks.ts';
import { WindowOverrides1764250000001 } from './1764250000001-window-overrides.ts';
import { HoldsAndBadVersions1764250000000 } from './1764250000000-holds-and-bad-versions.ts';
import { UnhealthyReports1764700000000 } from './1764700000000-unhealthy-reports.ts';
import { Drift1764800000000 } from './1764800000000-drift.ts';
import { CutOffPromotions1764800000001 } from './1764800000001-cut-off-promotions.ts';
import { WebhookDeliveries1764600000001 } from './1764600000001-webhook-deliveries.ts';
import { Secrets1764600000000 } from './1764600000000-secrets.ts';

import { BadLooks1765110000001 } from './1765110000001-bad-looks.ts';
import { HostsOfSecrets1765110000000 } from './1765110000000-hosts-of-secrets.ts';
import { KeysOfCallers1765140000000 } from './1765140000000-keys-of-callers.ts';
import { ContentByDigest1765220000000 } from './1765220000000-content-by-digest.ts';
import { ListsByIndex1765140000001 } from './1765140000001-lists-by-index.ts';
import { PacedOutbox1765200000000 } from './1765200000000-paced-outbox.ts';
import { RoomInDeployments1765360000000 } from './1765360000000-room-in-deployments.ts';
import { UnreadIndex1765380000000 } from './1765380000000-unread-index.ts';
import { ListsOfWhatIsOpen1765360000001 } from './1765360000001-lists-of-what-is-open.ts';
import { NewsByIndex1765370000000 } from './1765370000000-news-by-index.ts';
import { PullRequests1765320000000 } from './1765320000000-pull-requests.ts';
import { Sync1765210000000 } from './1765210000000-sync.ts';
import { News1765300000000 } from './1765300000000-news.ts';
import { MissedDeliveries1765300000001 } from './1765300000001-missed-deliveries.ts';
import { RefusedStatuses1765380000000 } from './1765380000000-refused-statuses.ts';
import { EventsInRows1765400000000 } from './1765400000000-events-in-rows.ts';
import { PromotionPolicies1765420000000 } from './1765420000000-promotion-policies.ts';
import { RefusedByIndex1765410000000 } from './1765410000000-refused-by-index.ts';
import { LastEventAt1765430000000 } from './1765430000000-last-event-at.ts';
import { BegunCommands1765440000000 } from './1765440000000-begun-commands.ts';
import { ActionLogs1765450000000 } from './1765450000000-action-logs.ts';
import { LinksForSteps1765461200000 } from './1765461200000-links-for-steps.ts';
import { HooksApart1765461200001 } from './1765461200001-hooks-apart.ts';
import { SearchedReleases1765462000000 } from './1765462000000-searched-releases.ts';
import { ChangesOfDefinitions1765462000001 } from './1765462000001-changes-of-definitions.ts';
import { WebSessions1765480000000 } from './1765480000000-web-sessions.ts';
import { TextsOfDefinitions1765490000000 } from './1765490000000-texts-of-definitions.ts';
import { SessionsAtTheProvider1765500000000 } from './1765500000000-sessions-at-the-provider.ts';
import { GitSources1765470000000 } from './1765470000000-git-sources.ts';
import { ForgeBudget1765340000000 } from './1765340000000-forge-budget.ts';
import { Triggers1765310000000 } from './1765310000000-triggers.ts';
import { CommitStatuses1765330000000 } from './1765330000000-commit-statuses.ts';
import { MergeGroups1765330000001 } from './1765330000001-merge-groups.ts';

/** In the order in which they run; a released one is never changed. */
export const migrations = [
  Initial1764000000000,
  ReleaseWindows1764100000000,
  HoldsAndBadVersions1764250000000,
  WindowOverrides1764250000001,
  Rollbacks1764300000000,
  Approvals1764400000000,
  ApprovalLinks1764400000001,
  ApprovalLinkCredential1764400000002,
  Identity1764500000000,
  Secrets1764600000000,
  WebhookDeliveries1764600000001,
  UnhealthyReports1764700000000,
  Drift1764800000000,
  CutOffPromotions1764800000001,
  OneEntryPerCommand1764900000000,
  GroupsOfTokens1764900000001,
  RoomForUpdates1765000000000,
  HostsOfSecrets1765110000000,
  BadLooks1765110000001,
  KeysOfCallers1765140000000,
  MakersOfTokens1765150000000,
  ListsByIndex1765140000001,
  ContentByDigest1765220000000,
  PacedOutbox1765200000000,
  Sync1765210000000,
  News1765300000000,
  Triggers1765310000000,
  CommitStatuses1765330000000,
  MergeGroups1765330000001,
  PullRequests1765320000000,
  ForgeBudget1765340000000,
  RoomInDeployments1765360000000,
  ListsOfWhatIsOpen1765360000001,
  NewsByIndex1765370000000,
  UnreadIndex1765380000000,
  MissedDeliveries1765300000001,
  RefusedStatuses1765380000000,
  EventsInRows1765400000000,
  RefusedByIndex1765410000000,
  PromotionPolicies1765420000000,
  LastEventAt1765430000000,
  BegunCommands1765440000000,
  ActionLogs1765450000000,
  LinksForSteps1765461200000,
  HooksApart1765461200001,
  SearchedReleases1765462000000,
  ChangesOfDefinitions1765462000001,
  GitSources1765470000000,
  WebSessions1765480000000,
  TextsOfDefinitions1765490000000,
  SessionsAtTheProvider1765500000000,
];
