import { choice, duration, list, map, nothing, object, optional, required, text } from './shape.ts';

const short = { short: true };
/** The same for every source. */
export const limit = optional(
  duration(1, short),
  'How long it may take until the target runs a change; 15 minutes when left out.',
  { meant: 15 * 60 * 1000 },
);
const HTTP = 'An address that answers which commit or version runs.';
const REPORT = 'An outside system or a person reports it with `deploymentReport`.';
const SIMULATE = 'A target that runs a change after a given time. For demonstrations and tests.';

const http = object('HttpSyncSource', HTTP, {
  url: required(text({ rule: 'httpUrl' }), 'The address.'),
  jsonPath: optional(
    text({ rule: 'jsonPath', most: 1000, called: 'the JSON path' }),
    'Where in the answer the commit or the version stands; the whole answer, as text, when left out.',
  ),
  headers: optional(
    map('header', text({ rule: 'header' }), 'headers', 50),
    'Headers that are sent; `${secrets.NAME}` is the value of a secret.',
    { aboutInput: 'Headers to send; `${secrets.NAME}` is the value of a secret.', secretsFor: 'url' },
  ),
  interval: optional(duration(1, short), 'How often it is asked.'),
  timeout: optional(duration(1, short), 'How long it may take to answer.'),
  limit,
});

const simulate = object('SimulateSyncSource', SIMULATE, {
  after: optional(duration(0, short), 'How long after its change the target runs it; at once when left out.'),
  never: optional(list(text(), 'versions'), 'What people call the versions that the target never runs.'),
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
    report: { about: REPORT, shape: object('ReportSyncSource', REPORT, { limit }) },
    simulate: { about: SIMULATE, word: 'After a given time. For demonstrations and tests.', shape: simulate },
  },
});
