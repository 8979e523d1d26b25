import { Handle, type NodeProps, Position } from '@xyflow/react';
import {
  Boxes,
  Cog,
  Flag,
  type LucideIcon,
  Plus,
  Server,
  ShieldCheck,
  Timer,
  UserCheck,
  Webhook,
  Workflow,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { formatDuration } from '../../../../../src/core/duration.ts';
import type { FlowStepSpec } from '../document/index.ts';
import { useProblems } from '../problems.tsx';
import { nameOf, useBuilder } from '../state.ts';
import type { CardNode } from './place.ts';

const ICONS: Record<string, LucideIcon> = { trigger: Flag, environment: Server, group: Boxes, workflow: Workflow };

/** A node with the slots of the connector that leads to it. */
export function NodeCard({ data: { placed } }: NodeProps<CardNode>) {
  const { name, kind, members } = placed;
  const isSelected = useBuilder(({ session }) => session.selection.node === name);
  const isReachable = useBuilder(
    ({ session: { selection, document } }) => (selection.node ?? document.flow?.spec.triggerEnvironment) === name,
  );
  const select = useBuilder((state) => state.select);
  const ask = useBuilder((state) => state.ask);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const step = useBuilder(({ session }) => session.document.flow?.spec.steps.find((each) => nameOf(each) === name));
  const isProduction = useBuilder(({ catalogue }) => catalogue.environments.get(name)?.isProduction ?? false);
  const gate = useBuilder(({ catalogue }) => catalogue.gates.get(name));
  const reason = useBuilder(({ preview }) => preview.connecting?.targets.get(name));
  const goes = useBuilder(({ preview }) => preview.removed?.includes(name) ?? false);
  const problems = useProblems().filter(({ at }) => at.node === name);
  const Icon = ICONS[kind]!;
  const worst = problems.some(({ severity }) => severity === 'ERROR') ? 'ERROR' : problems[0]?.severity;
  const state = goes ? 'goes' : reason === null ? 'lit' : reason === undefined ? '' : 'dim';
  return (
    <div className={`node ${kind} ${state}`} title={reason ?? undefined}>
      {kind !== 'trigger' && <Slots name={name} policy={step?.policy} />}
      <Handle type="target" position={Position.Left} isConnectableStart={false} />
      <button
        type="button"
        className={`node-card ${worst ? `has-${worst.toLowerCase()}` : ''}`}
        data-node={name}
        aria-pressed={isSelected}
        tabIndex={isReachable ? 0 : -1}
        onClick={() => select(name)}
      >
        <span className="card-head">
          <Icon size={16} aria-label={kind} />
          <strong>{name}</strong>
          {isProduction && <span className="chip">prod</span>}
          {worst && <span className={`mark ${worst.toLowerCase()}`}>{problems.length}</span>}
        </span>
        <small className="far-hidden">
          {kind === 'group' ? `waits for ${gate ?? 'its members'}` : aboutKind(kind, step)}
        </small>
        {members.map((member) => (
          <span key={member} className="member far-hidden">
            {member}
          </span>
        ))}
        <span className="badges far-hidden">{step && <Badges step={step} />}</span>
      </button>
      {!isReadOnly && (
        <>
          {kind !== 'trigger' && (
            <button
              type="button"
              className="plus before"
              tabIndex={-1}
              aria-label={`Add before ${name}`}
              onClick={() => ask({ is: 'add', node: name, place: 'before' })}
            >
              <Plus size={14} aria-hidden />
            </button>
          )}
          <button
            type="button"
            className="plus after"
            tabIndex={-1}
            aria-label={`Add after ${name}`}
            onClick={() => ask({ is: 'add', node: name, place: 'after' })}
          >
            <Plus size={14} aria-hidden />
          </button>
        </>
      )}
      <Handle type="source" position={Position.Right} isConnectable={!isReadOnly} />
    </div>
  );
}

function aboutKind(kind: string, step: FlowStepSpec | undefined): string {
  if (kind === 'trigger') return 'versions arrive here';
  if (kind === 'workflow') return `runs ${step?.workflow}`;
  return step?.policy?.action === undefined ? 'action by policy' : step.policy.action;
}

const SLOT_NAMES = [
  ['preAction', 'Pre-action'],
  ['action', 'Action'],
  ['postAction', 'Post-action'],
] as const;

/** Before, for and after the change: three places of the connector. */
function Slots({ name, policy }: { name: string; policy: FlowStepSpec['policy'] }) {
  const jump = useBuilder((state) => state.jump);
  return (
    <span className="slots">
      {SLOT_NAMES.map(([key, label]) => {
        const value = policy?.[key];
        return (
          <button
            key={key}
            type="button"
            tabIndex={-1}
            className={value === undefined ? 'slot' : 'slot filled'}
            title={`${label} of ${name}: ${value ?? 'not set here'}`}
            aria-label={`${label} of ${name}: ${value ?? 'not set'}`}
            onClick={() => jump({ node: name, field: ['policy', key] })}
          >
            {slotText(key, value)}
          </button>
        );
      })}
    </span>
  );
}

const ACTIONS: Record<string, string> = { commit: 'C', pr: 'PR', none: '∅' };

function slotText(key: string, value: string | undefined): ReactNode {
  if (value === undefined) return <span aria-hidden>·</span>;
  return key === 'action' ? ACTIONS[value] : <Cog size={12} aria-hidden />;
}

function Badges({ step }: { step: FlowStepSpec }) {
  const hooks = Object.values(step.hooks ?? {}).filter((each) => each !== undefined);
  return (
    <>
      {step.approval && <Badge icon={UserCheck} text="approval" />}
      {step.soak !== undefined && <Badge icon={ShieldCheck} text={`soak ${formatDuration(step.soak)}`} />}
      {step.timeout !== undefined && <Badge icon={Timer} text={`at most ${formatDuration(step.timeout)}`} />}
      {hooks.length > 0 && <Badge icon={Webhook} text={`${hooks.length} hooks`} />}
    </>
  );
}

function Badge({ icon: Icon, text }: { icon: LucideIcon; text: string }) {
  return (
    <span className="badge-text" title={text}>
      <Icon size={12} aria-hidden />
      {text}
    </span>
  );
}
