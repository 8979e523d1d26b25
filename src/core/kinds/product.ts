import { description, DESCRIPTION, selector } from './common.ts';
import { defaulted, integer, list, map, object, optional, ref, required, text, words } from './shape.ts';
import { trigger } from './trigger.ts';

const FILE = "The file, in the application's folder.";
const file = text({ rule: 'file', called: 'the file' });
const filePattern = text({ rule: 'filePattern', called: 'the pattern' });
const jsonPath = text({ rule: 'jsonPath', most: 1000, called: 'the JSON path' });
const promotedPath = text({ rule: 'promotedPath', most: 1000, called: 'the JSON path' });

/** Where a version's label is read: a file of the application's folder, and a JSON path in it where it is not the whole text. */
export const versionSource = object('VersionSource', "Where a version's label is read.", {
  file: required(file, FILE),
  jsonPath: optional(
    jsonPath,
    'The JSON path of the value, e.g. `$.appVersion`. When left out, the text of the file is the version: one line.',
  ),
});

const promotedFile = object('PromotedFile', 'A file, or the files of a pattern, and what of them is promoted.', {
  jsonPaths: optional(
    list(promotedPath, 'JSON paths', {
      empty: 'name at least one JSON path, for example $.image.tag, or leave jsonPaths out for the whole file',
    }),
    'The JSON paths of the values that are promoted. When left out, the whole file is.',
  ),
  except: optional(
    list(filePattern, 'patterns', { most: 100, empty: 'name a file or a pattern, or leave except out' }),
    'The files that the pattern leaves out, by name or by pattern.',
  ),
});

export const onMissing = words('OnMissing', 'What becomes of an entry or a file that stands in the source alone.', {
  REFUSE: 'The promotion is refused, and names it.',
  SKIP: 'It is left out; `ActionCommitted` says so.',
  ADD: 'An entry is added to the target; of a file the promotion is refused.',
});

export const whenAbsent = words(
  'WhenAbsent',
  'What becomes of a pattern or a JSON path that selects nothing in the source while others do.',
  { WARN: 'The release says so in its warnings.', REFUSE: 'No release is created.' },
);

export const whenGone = words(
  'WhenGone',
  'What becomes of a file of the target that is promoted whole and that the source does not have.',
  { KEEP: 'It stays.', DELETE: 'It is removed.' },
);

const whichApplications = {
  applicationSourceSelector: optional(selector, 'The applications that it is for.'),
  priority: optional(
    integer(-1_000_000, 1_000_000),
    'Of several that match, one with a larger number goes on top: its files and settings replace those of the others.',
  ),
};

const content = {
  versionSource: optional(versionSource, "Where the version's label is read; else the short commit is."),
  promotion: optional(
    map('file', promotedFile, 'files'),
    'What is promoted, by file or by pattern: `*` is any text without a slash, `**` any folders, `config/` a whole folder. Without it everything is.',
  ),
  onMissing: optional(
    onMissing,
    'What becomes of an entry that `[*]` or `..` selected, or of a file with JSON paths, that the source alone has. REFUSE when left out.',
    { meant: 'REFUSE' },
  ),
  whenAbsent: optional(
    whenAbsent,
    'What becomes of a pattern or a JSON path that selects nothing in the source while others do. WARN when left out.',
    { meant: 'WARN' },
  ),
  whenGone: optional(
    whenGone,
    'What becomes of a file of the target that is promoted whole and that the source does not have. KEEP when left out.',
    { meant: 'KEEP' },
  ),
};

/** Which files, and which JSON paths in them, are promoted; without it the whole application folder is. */
export const promotionTemplate = object(
  'PromotionTemplate',
  'Which files and JSON paths of an application are promoted, and where its version is read.',
  { ...whichApplications, ...content },
);

const inManifests = <F extends object>(field: F): F => ({ ...field, api: 'NONE' });
const templateOfProduct = object('PromotionTemplateContent', 'A promotion template that stands in a product.', {
  applicationSourceSelector: inManifests(whichApplications.applicationSourceSelector),
  priority: inManifests(whichApplications.priority),
  ...content,
});

const gitTriggerSelector = object('GitTriggerSelector', 'A condition on the commit that triggers a release.', {
  key: required(
    words('GitTriggerKey', 'What of a commit is looked at.', {
      commitMessage: 'Its full message.',
      gitRevision: 'The branch, tag or commit that it arrived on.',
    }),
    'What of the commit is looked at.',
  ),
  operator: required(
    words('GitTriggerOperator', 'How a commit is compared.', {
      In: 'One of the values matches.',
      NotIn: 'None of the values matches.',
    }),
    'How it is compared.',
  ),
  values: required(
    list(text({ most: 1000, called: 'the value', empty: 'an empty value matches no change; remove it' }), 'values', {
      empty: 'a selector needs at least one value',
    }),
    'What it is compared with; `*` stands for anything.',
  ),
});

const productFlow = object(
  'ProductFlow',
  'An entry of the flows that a product names; the first one that matches is taken.',
  {
    name: required(ref('PromotionFlow', 'the flow'), 'The name of the flow.'),
    gitTriggerSelectors: optional(
      list(gitTriggerSelector, 'selectors', { most: 100 }),
      'All must match; without any it always matches.',
    ),
  },
);

export const concurrency = words(
  'ConcurrencyPolicy',
  'What happens when a product is released while a release of it is under way.',
  {
    QUEUE: 'Releases wait and run one after the other.',
    TERMINATE: 'A release that reaches an environment where an older one is at work ends the older one.',
    SUPERSEDE: 'Waiting releases are skipped by a newer one; the running one finishes.',
    PIPELINE: 'Releases overlap and never overtake: each environment takes them in order.',
  },
);

export const product = object('Product', 'What is released, e.g. Billing.', {
  description: optional(description, DESCRIPTION),
  promotionTemplateRef: optional(
    ref('PromotionTemplate', 'the template'),
    'The name of the promotion template of its applications.',
  ),
  promotionTemplate: optional(templateOfProduct, 'A promotion template of its own.'),
  promotionFlows: defaulted(
    list(productFlow, 'flows'),
    [],
    'The flows that its releases travel, the first one that matches.',
  ),
  concurrency: defaulted(concurrency, 'QUEUE', 'What happens when it is released while a release is under way.'),
  queueLimit: defaulted(
    integer(1, 10_000),
    50,
    'How many releases may wait for their turn; older waiting ones are terminated first.',
    { aboutInput: 'How many releases may wait for their turn.' },
  ),
  trigger: optional(trigger, "When a change makes a release of it by itself; each field goes before the flow's."),
});
