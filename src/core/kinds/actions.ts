import {
  any,
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

/** The types of actions, with the parameters that each takes. Texts may hold `${NAME}`, so each is judged again when it runs. */
export const ACTIONS = { simulate, http } satisfies Record<string, ObjectShape>;
