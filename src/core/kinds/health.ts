import { asked, headers, healthStatus } from './common.ts';
import { choice, duration, integer, list, nothing, object, optional, required, text } from './shape.ts';

const short = { short: true };

/** When DEGRADED counts for a source that is asked. */
const tolerance = {
  grace: optional(duration(0, short), 'What is seen within this time after the change decides nothing.'),
  failureThreshold: optional(
    integer(1, 1_000),
    'How many looks in a row must find it DEGRADED before that counts; 3 for `http` and `argocd` when left out, 1 for `simulate`.',
  ),
};

const http = object(
  'HttpHealthSource',
  'An address that is asked: 2xx is HEALTHY, anything else DEGRADED, no answer UNKNOWN.',
  {
    url: required(text({ rule: 'httpUrl' }), 'The address.'),
    headers,
    ...asked,
    ...tolerance,
  },
);

const ARGO_CD = 'The Argo CD application that `sync` names.';

const argocd = object('ArgoCdHealthSource', ARGO_CD, {
  ...asked,
  ...tolerance,
});

const simulate = object('SimulateHealthSource', 'A given sequence. For demonstrations and tests.', {
  sequence: optional(
    list(healthStatus, 'statuses', { empty: 'the sequence needs at least one status' }),
    'One after the other; the last one stays.',
  ),
  interval: optional(duration(1, short), 'How long each of them lasts.'),
  degraded: optional(list(text(), 'versions'), 'What people call the versions that are DEGRADED once they are there.'),
  ...tolerance,
});

export const health = choice({
  name: 'ApplicationHealthSource',
  about: 'Where the health of an application is known from.',
  aboutInput: 'Where the health of an application is known from: exactly one of the fields.',
  aboutType: 'Which source; ARGOCD, HTTP and SIMULATE have a field of their own.',
  enum: { name: 'HealthSourceType', about: 'Where the health of an application is known from.' },
  choices: {
    none: {
      about: '`true`: nowhere; it counts as healthy as soon as its change is made.',
      word: 'Nowhere: it counts as healthy as soon as its change is made.',
      shape: nothing,
    },
    simulate: {
      about: 'A given sequence.',
      word: 'A given sequence. For demonstrations and tests.',
      shape: simulate,
    },
    http: { about: 'An address that is asked.', shape: http },
    argocd: { about: ARGO_CD, shape: argocd },
    /** It is reported through the API (`healthReport`); until then PROGRESSING. */
    report: {
      about: '`true`: `healthReport` tells.',
      word: 'An outside system or a person reports it with `healthReport`.',
      shape: nothing,
    },
  },
});
