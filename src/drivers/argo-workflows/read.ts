/**
 * What decides of a workflow of Argo, read from the server's answers by a reader process: they are foreign text, of some megabytes where a
 * workflow has thousands of nodes. Texts are cut, lists are bounded, and a part of another shape counts as absent.
 */
export interface ArgoWorkflow {
  name: string;
  /** Kubernetes gives no other one of its name the same. */
  uid: string;
  /** The value of the label that Sluice submits it with; empty where it has none. */
  key: string;
  /** Empty before the controller has seen it, then Pending, Running, Succeeded, Failed or Error. */
  phase: string;
  message: string;
  /** Nodes that are through, of all that are known: `2/5`. */
  progress: string;
  /** Its own output parameters, by name; those that have no value are left out. */
  outputs: Record<string, string>;
  /** The node at which it waits until a person resumes it. */
  suspended?: ArgoNode;
  /** Nodes that failed for a reason of their own, in the order in which they ended. */
  failed: ArgoNode[];
}

/** A node of a workflow, as people know it. */
export interface ArgoNode {
  name: string;
  message: string;
}

/** The label that says for which action a workflow was submitted. */
export const KEY_LABEL = 'sluice.dev/key';

/** Characters of a message and of a value; more outputs, and longer values, than an action keeps are named by the one who keeps them. */
const LONGEST = { text: 500, value: 32 * 1024 };
const MOST = { outputs: 200, failed: 5 };

type Part = Record<string, unknown>;

/** Of the answer to `GET …/workflows/NAMESPACE/NAME`, of a submission and of an archived workflow. */
export function readWorkflow(answer: unknown): ArgoWorkflow {
  const root = partOf(answer);
  const metadata = partOf(root['metadata']);
  const status = partOf(root['status']);
  const nodes = Object.values(partOf(status['nodes'])).map(partOf);
  const suspended = nodes.find(({ type, phase }) => type === 'Suspend' && phase === 'Running');
  return {
    name: textOf(metadata['name']),
    uid: textOf(metadata['uid']),
    key: textOf(partOf(metadata['labels'])[KEY_LABEL]),
    phase: textOf(status['phase']),
    message: textOf(status['message']),
    progress: textOf(status['progress']),
    outputs: outputsOf(partOf(status['outputs'])['parameters']),
    ...(suspended
      ? { suspended: nodeOf(suspended) }
      : partOf(root['spec'])['suspend'] === true && { suspended: { name: '', message: '' } }),
    failed: nodes
      .filter(hasFailed)
      .toSorted((a, b) => (textOf(a['finishedAt']) < textOf(b['finishedAt']) ? -1 : 1))
      .slice(0, MOST.failed)
      .map(nodeOf),
  };
}

/** Steps, groups and retries fail because of what is in them: only what does work says why. */
function hasFailed({ type, phase }: Part): boolean {
  return (
    (phase === 'Failed' || phase === 'Error') &&
    !['Steps', 'StepGroup', 'DAG', 'TaskGroup', 'Retry'].includes(textOf(type))
  );
}

const nodeOf = ({ displayName, name, message }: Part): ArgoNode => ({
  name: textOf(displayName) || textOf(name),
  message: textOf(message),
});

function outputsOf(parameters: unknown): Record<string, string> {
  const named = (Array.isArray(parameters) ? parameters : []).slice(0, MOST.outputs).map(partOf);
  return Object.fromEntries(
    named.flatMap(({ name, value }) =>
      typeof name === 'string' && ['string', 'number', 'boolean'].includes(typeof value)
        ? [[name, String(value).slice(0, LONGEST.value)]]
        : [],
    ),
  );
}

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);
const partOf = (value: unknown): Part => (isPart(value) ? value : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, LONGEST.text) : '');
