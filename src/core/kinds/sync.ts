import { asked, headers } from './common.ts';
import {
  boolean,
  choice,
  defaulted,
  duration,
  integer,
  list,
  nothing,
  object,
  optional,
  required,
  text,
  words,
} from './shape.ts';

const short = { short: true };
/** The same for every source. */
export const limit = optional(
  duration(1, short),
  'How long it may take until the target runs a change; 15 minutes when left out.',
  { meant: 15 * 60 * 1000 },
);
const HTTP = 'An address that answers which commit or version runs.';
const ARGO_CD = 'An application of Argo CD that watches the folder.';
const REPORT = 'An outside system or a person reports it with `deploymentReport`.';
const SIMULATE = 'A target that runs a change after a given time. For demonstrations and tests.';

const http = object('HttpSyncSource', HTTP, {
  url: required(text({ rule: 'httpUrl' }), 'The address.'),
  jsonPath: optional(
    text({ rule: 'jsonPath', most: 1000, called: 'the JSON path' }),
    'Where in the answer the commit or the version stands; the whole answer, as text, when left out.',
  ),
  headers,
  ...asked,
  limit,
});

const simulate = object('SimulateSyncSource', SIMULATE, {
  after: optional(duration(0, short), 'How long after its change the target runs it; at once when left out.'),
  never: optional(list(text(), 'versions'), 'What people call the versions that the target never runs.'),
  limit,
});

const argocd = object('ArgoCdSyncSource', ARGO_CD, {
  server: required(text({ rule: 'httpUrl' }), 'The address of Argo CD, as people open it.'),
  application: required(
    text({
      most: 253,
      called: 'the Argo CD application',
      empty: 'name the Argo CD application that watches the folder',
    }),
    'The name of the Argo CD application.',
  ),
  project: defaulted(
    text({ most: 253, called: 'the project', empty: 'name the project, which is `default` where nobody chose one' }),
    'default',
    'The Argo CD project that it is in.',
  ),
  namespace: optional(
    text({ most: 253, called: 'the namespace' }),
    'The namespace of the Argo CD application, where Argo CD keeps applications in several.',
  ),
  token: required(
    text({ most: 1000, called: 'the token' }),
    'The token of an account or a project role, as `${secrets.NAME}`.',
    { secretsFor: 'server' },
  ),
  sync: defaulted(
    words('ArgoCdSync', 'Who begins the sync of a change.', {
      AUTO: 'Argo CD, by its auto-sync; it is told to look at once.',
      REQUEST: 'Sluice, once for each change. Where auto-sync is on, Argo CD is only told to look.',
    }),
    'AUTO',
    'Who begins the sync of a change.',
  ),
  prune: defaulted(boolean, false, 'Whether a sync that Sluice asks for deletes resources that are in git no longer.'),
  requireSynced: defaulted(
    boolean,
    true,
    'Whether the application has to be Synced. False where it is OutOfSync for good, because of fields that differ on purpose: then the revision that was synced last counts.',
  ),
  source: optional(
    integer(0, 99),
    'Which of several sources is the folder, counted from 0; found by repository and path when left out.',
  ),
  ...asked,
  limit,
});

/** What answers names the change's commit or its version. */
export const sync = choice({
  name: 'ApplicationSyncSource',
  about: 'Who is asked whether the target of an application runs a change.',
  aboutInput: 'Who is asked whether the target of an application runs a change: exactly one of the fields.',
  aboutType: 'Which source; all but NONE have a field of their own.',
  enum: { name: 'SyncSourceType', about: 'Who is asked whether a target runs a change.' },
  choices: {
    none: {
      about: '`true`: no source; a healthy application is taken for the changed one.',
      word: 'No source: a healthy application is taken for the changed one.',
      shape: nothing,
    },
    http: { about: HTTP, shape: http },
    argocd: { about: ARGO_CD, shape: argocd },
    report: { about: REPORT, shape: object('ReportSyncSource', REPORT, { limit }) },
    simulate: { about: SIMULATE, word: 'After a given time. For demonstrations and tests.', shape: simulate },
  },
});
