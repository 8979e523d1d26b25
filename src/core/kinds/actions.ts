import { approval as approvalPolicy } from './approval.ts';
import {
  any,
  boolean,
  defaulted,
  duration,
  integer,
  list,
  map,
  object,
  optional,
  required,
  text,
  words,
  type ObjectShape,
} from './shape.ts';

const outputs = 'What later actions get as parameters, by name';
/** Such parts of a request may hold `${secrets.NAME}`. */
const sent = { secretsFor: 'url' };
const SECRET = '`${secrets.NAME}` is the value of a secret.';

const simulate = object('SimulateParameters', 'Only takes its time. For demonstrations and tests.', {
  duration: optional(duration(0, { short: true }), 'How long it takes; no time when left out.'),
  fail: optional(
    words('SimulatedActionFailure', 'What a simulated failure looks like.', {
      FAILED: 'It is final.',
      TRANSIENT: 'It is tried again.',
    }),
    'How it fails; it succeeds when left out.',
  ),
  failures: optional(integer(-1, 1_000_000), 'How many tries fail; always when left out, or -1.'),
  outputs: optional(map('free', text(), 'outputs'), `${outputs}.`),
});

const http = object('HttpParameters', 'Sends a request.', {
  url: required(text({ rule: 'httpUrl' }), `The address. ${SECRET}`, sent),
  method: optional(text({ rule: 'method' }), 'GET when left out, or POST where there is a body.'),
  headers: optional(map('free', text(), 'headers'), `Headers to send. ${SECRET}`, sent),
  body: optional(any, `A text is sent as it is, anything else as JSON. ${SECRET}`, sent),
  expectStatus: optional(
    list(integer(100, 599), 'statuses', { single: true }),
    'The status, or a list of those, that counts as success; any 2xx when left out.',
  ),
  outputs: optional(
    map('free', text({ rule: 'jsonPath' }), 'outputs'),
    `${outputs}; each is read from the JSON of the answer, at this JSON path.`,
  ),
});

const wait = object('WaitParameters', 'Lets time pass.', {
  duration: required(duration(0, { short: true }), 'How long, from the moment at which it starts.'),
});

const { rules, forbidInitiator, expiry, onExpiry } = approvalPolicy.fields;
const approval = object('ApprovalParameters', 'Asks people, and goes on when enough of them agree.', {
  question: optional(text({ most: 2_000 }), 'What they are asked, in words.'),
  rules: defaulted(rules.shape, [], rules.about, { leftOut: '' }),
  forbidInitiator,
  expiry: defaulted(expiry.shape, expiry.fallback!, 'How long they may take, from the moment at which it starts.'),
  onExpiry,
});

const notify = object(
  'NotifyParameters',
  'Posts a message to an incoming webhook of Slack, or of what takes its form.',
  {
    url: required(
      text({ rule: 'httpUrl' }),
      'The address of the webhook: `${secrets.NAME}`, for whoever knows it can post.',
      sent,
    ),
    text: required(
      text({ most: 40_000, empty: 'a message needs a text' }),
      'The message, in the markup of Slack. What `${NAME}` puts in is no markup.',
    ),
    channel: optional(
      text({ most: 200 }),
      'Where it goes, for webhooks that let it be chosen, as those of Mattermost do.',
    ),
    username: optional(text({ most: 200 }), 'Whose name it bears, for webhooks that let it be chosen.'),
    required: defaulted(boolean, false, 'Whether the action fails where the message cannot be sent.'),
  },
);

const limit = (least: number) => integer(least, 1_000_000);
const analysis = object('AnalysisParameters', 'Measures, once or again and again, and judges by what it measured.', {
  url: required(
    text({ rule: 'httpUrl' }),
    `An address that answers JSON; with \`query\` that of a Prometheus server. ${SECRET}`,
    sent,
  ),
  headers: optional(map('free', text(), 'headers'), `Headers to send. ${SECRET}`, sent),
  path: optional(
    text({ rule: 'jsonPath' }),
    'Where in the JSON the value stands, as a JSON path; all of it when left out.',
  ),
  query: optional(
    text({ most: 10_000, empty: 'a query needs a text' }),
    'In PromQL. Each series that it answers is judged; all must be successes.',
  ),
  success: optional(
    text({ rule: 'condition', most: 500 }),
    'When a measurement is a success: a comparison, such as `>= 0.95` or `== ok`. What is no failure is one when left out.',
  ),
  failure: optional(
    text({ rule: 'condition', most: 500 }),
    'When a measurement has failed. What is no success has when left out; where both are given and neither holds, it is inconclusive.',
  ),
  initialDelay: optional(duration(0, { short: true }), 'Before the first measurement.'),
  interval: optional(
    duration(1, { short: true }),
    'Between two measurements. There is one when left out, tried again after 10 s where it could not be made.',
  ),
  count: optional(
    limit(1),
    'How many measurements are made, those that could not be made left out. Without it `consecutiveSuccessLimit` or a failure ends it.',
  ),
  failureLimit: defaulted(limit(-1), 0, 'How many may fail; one more and it has failed. -1: any number.'),
  inconclusiveLimit: defaulted(limit(0), 0, 'How many may be inconclusive; one more and a person is asked.'),
  consecutiveErrorLimit: defaulted(
    limit(0),
    4,
    'How many in a row may be impossible to make; one more and it fails without a judgement.',
  ),
  consecutiveSuccessLimit: defaulted(
    limit(0),
    0,
    'How many successes in a row are needed, and enough. 0: their order does not matter.',
  ),
  whenInconclusive: optional(
    approvalPolicy,
    'Who decides where it is inconclusive; one person who may approve when left out.',
  ),
});

const command = object('CommandParameters', 'Runs a program of the worker, of those that its settings allow.', {
  program: required(
    text({ most: 4_096, empty: 'name a program' }),
    'Its path, exactly as `SLUICE_COMMANDS` of the worker lists it.',
  ),
  args: defaulted(list(text({ most: 32_000 }), 'arguments'), [], 'Its arguments, as they are: no shell reads them.', {
    leftOut: '',
  }),
  input: optional(text({ most: 65_536 }), 'What it reads from its standard input.'),
  idempotent: defaulted(
    boolean,
    true,
    'Whether it may be run once more where a worker died over it. False: it is begun once, and has failed where its end was not seen.',
  ),
  outputs: optional(
    map('free', text({ rule: 'jsonPath' }), 'outputs'),
    `${outputs}; each is read from the JSON that the program writes, at this JSON path.`,
  ),
});

const argoWorkflow = object('ArgoWorkflowParameters', 'Runs a workflow of Argo Workflows, and follows it to its end.', {
  server: required(text({ rule: 'httpUrl' }), 'The address of the Argo server.'),
  token: optional(
    text({ most: 1_000, called: 'the token' }),
    'The token of a service account, as `${secrets.NAME}`; none where the server asks for none.',
    { secretsFor: 'server' },
  ),
  namespace: required(
    text({ most: 63, called: 'the namespace', empty: 'name the namespace in which the workflow runs' }),
    'The namespace in which the workflow runs.',
  ),
  template: required(
    text({ most: 253, called: 'the template', empty: 'name the workflow template that is submitted' }),
    'The name of the workflow template.',
  ),
  clusterScope: defaulted(boolean, false, 'Whether it is a ClusterWorkflowTemplate, and none of the namespace.'),
  entrypoint: optional(text({ most: 253 }), 'Where it begins; as the template says when left out.'),
  serviceAccount: optional(text({ most: 253 }), 'What its pods run as; as the template says when left out.'),
  parameters: optional(
    map('free', text({ most: 65_536 }), 'parameters'),
    'Its input parameters, by name. They stand in the workflow for all to read, so no secret can be among them.',
  ),
  interval: defaulted(duration(1_000, { short: true }), 5_000, 'Between two looks at it.'),
  outputs: optional(
    map('free', text({ most: 253 }), 'outputs'),
    `${outputs}; each is an output parameter of the workflow, by the name that it has there.`,
  ),
  ui: optional(text({ rule: 'httpUrl' }), 'Where people reach its pages; `server` when left out.'),
});

/** The types of actions, with the parameters that each takes. Texts may hold `${NAME}`, so each is judged again when it runs. */
export const ACTIONS = {
  simulate,
  http,
  wait,
  approval,
  notify,
  analysis,
  command,
  argoWorkflow,
} satisfies Record<string, ObjectShape>;

export type ActionType = keyof typeof ACTIONS;

/** How the engine deals with an action of a type. */
interface Manner {
  /** How long one look at it may take where the action has no `timeout`, in milliseconds; as long as any step when absent. */
  look?: number;
  /** It waits between looks, without a worker: its `timeout` counts from its start to its end. Of any other type, it is that of one try. */
  waits?: true;
  /** What it begins goes on by itself. When it ends without success, an errand ends what it may have begun (`core/end-action.ts`). */
  outlives?: true;
}

/** Every type of action has one. */
export const MANNERS: { readonly [T in ActionType]: Manner } = {
  simulate: {},
  http: { look: 60_000 },
  wait: { waits: true },
  approval: { waits: true },
  notify: { look: 30_000 },
  analysis: { waits: true },
  command: {},
  argoWorkflow: { waits: true, outlives: true },
};
