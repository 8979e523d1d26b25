import { Handle, type NodeProps, Position } from '@xyflow/react';
import {
  Boxes,
  Cog,
  Flag,
  GitFork,
  type LucideIcon,
  Plus,
  Server,
  ShieldCheck,
  Timer,
  Trash2,
  UserCheck,
  Webhook,
  Workflow,
} from 'lucide-react';
import { memo, type ReactNode, useMemo, useRef, useState } from 'react';
import { formatDuration } from '../../../../../src/core/duration.ts';
import { Mark, useChanges } from '../changes.tsx';
import type { FlowStepSpec, PromotionFlowSpec } from '../document/index.ts';
import { type Alike, SLOT_NAMES, useAlike } from '../policies.ts';
import { useProblemsAt } from '../problems.tsx';
import { nameOf, stepOf, useBuilder } from '../state.ts';
import { type CardNode, type Placed } from './place.ts';

const ICONS: Record<string, LucideIcon> = { trigger: Flag, environment: Server, group: Boxes, workflow: Workflow };

const STAYS_MS = 400;
/** Fingers do not hover. */
const NO_HOVER = matchMedia('(hover: none)').matches;

/** A node with the slots of the connector that leads to it. */
export const NodeCard = memo(function NodeCard({ data: { placed } }: NodeProps<CardNode>) {
  const { name, kind } = placed;
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const changes = useChanges<PromotionFlowSpec>();
  const change = changes?.nodes.get(name)?.change;
  const isGone = change === 'REMOVED';
  const now = useBuilder(({ session }) => stepOf(session.document, name));
  const step = isGone ? changes?.saved.steps.find((each) => nameOf(each) === name) : now;
  const reason = useBuilder(({ preview }) => preview.connecting?.targets.get(name));
  const goes = useBuilder(({ preview }) => preview.removed?.includes(name) ?? false);
  const hasProduct = useBuilder(({ product }) => product !== null);
  const isSelected = useBuilder(({ session }) => session.selection.node === name);
  // Of hundreds of cards one has them: what is not drawn is panned for nothing.
  const [isNear, near] = useNear();
  const hasTools = (isNear || isSelected || NO_HOVER) && !isReadOnly;
  const state = goes || isGone ? 'goes' : reason === null ? 'lit' : reason === undefined ? '' : 'dim';
  return (
    <div className={`node ${kind} ${state}`} title={reason ?? undefined} {...near}>
      {kind === 'trigger' ? (
        <TriggerSlot name={name} />
      ) : (
        kind !== 'workflow' &&
        (hasProduct ? (
          <MergedSlots name={name} policy={step?.policy} isGroup={kind === 'group'} />
        ) : (
          <Slots name={name} policy={step?.policy} />
        ))
      )}
      <Handle type="target" position={Position.Left} isConnectableStart={false} />
      <Face placed={placed} step={step} />
      {placed.hidden !== null && <MembersToggle name={name} hidden={placed.hidden} />}
      {change && <Mark change={change} />}
      {hasTools && !isGone && <Tools name={name} isTrigger={kind === 'trigger'} count={step?.dependsOn.length ?? 0} />}
      <Handle type="source" position={Position.Right} isConnectable={!isReadOnly && !isGone} />
    </div>
  );
});

/** Whether the pointer is there, or was a moment ago: on its way to a button at the edge it leaves the card. */
function useNear() {
  const [isNear, setNear] = useState(false);
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined);
  const near = {
    onPointerEnter() {
      clearTimeout(leaving.current);
      setNear(true);
    },
    onPointerLeave() {
      leaving.current = setTimeout(() => setNear(false), STAYS_MS);
    },
  };
  return [isNear, near] as const;
}

function Face({ placed: { name, kind, members }, step }: { placed: Placed; step: FlowStepSpec | undefined }) {
  const isSelected = useBuilder(({ session }) => session.selection.node === name);
  const isReachable = useBuilder(
    ({ session: { selection, document } }) => (selection.node ?? document.flow?.spec.triggerEnvironment) === name,
  );
  const select = useBuilder((state) => state.select);
  const isProduction = useBuilder(({ catalogue }) => catalogue.environments.get(name)?.isProduction ?? false);
  const gate = useBuilder(({ catalogue }) => catalogue.gates.get(name));
  const problems = useProblemsAt(name);
  const worst = problems.some(({ severity }) => severity === 'ERROR') ? 'ERROR' : problems[0]?.severity;
  const Icon = ICONS[kind]!;
  return (
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
        <strong title={name}>{name}</strong>
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
  );
}

/** Opens or closes a group of many members; a key does it without a pointer. */
function MembersToggle({ name, hidden }: { name: string; hidden: number }) {
  const toggle = useBuilder((state) => state.toggleMembers);
  return (
    <button
      type="button"
      className="members-toggle far-hidden"
      tabIndex={-1}
      aria-expanded={hidden === 0}
      aria-label={`All members of ${name}`}
      onClick={() => toggle(name)}
    >
      {hidden === 0 ? 'show fewer' : `and ${hidden} more`}
    </button>
  );
}

/** What can be done with a node, where the pointer is; the same keys do it without one. */
function Tools({ name, isTrigger, count }: { name: string; isTrigger: boolean; count: number }) {
  const ask = useBuilder((state) => state.ask);
  const jump = useBuilder((state) => state.jump);
  return (
    <>
      {!isTrigger && (
        <>
          <button
            type="button"
            className="plus before"
            tabIndex={-1}
            aria-label={`Add before ${name}`}
            onClick={() => ask({ is: 'add', node: name, place: 'before' })}
          >
            <Plus size={14} aria-hidden />
          </button>
          <span className="node-tools">
            <button
              type="button"
              tabIndex={-1}
              aria-label={`${name} depends on ${count}`}
              title="Depends on"
              onClick={() => ask({ is: 'depends-on', node: name })}
            >
              <GitFork size={13} aria-hidden />
              {count}
            </button>
            <button
              type="button"
              tabIndex={-1}
              aria-label={`Hooks of ${name}`}
              title="Hooks"
              onClick={() => jump({ node: name, field: ['hooks', 'onStart'] })}
            >
              <Webhook size={13} aria-hidden />
            </button>
            <button
              type="button"
              tabIndex={-1}
              aria-label={`Remove ${name} from the flow`}
              title="Remove"
              onClick={() => ask({ is: 'remove', node: name })}
            >
              <Trash2 size={13} aria-hidden />
            </button>
          </span>
        </>
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
  );
}

function aboutKind(kind: string, step: FlowStepSpec | undefined): string {
  if (kind === 'trigger') return 'versions arrive here';
  if (kind === 'workflow') return `runs ${step?.workflow}`;
  return step?.policy?.action === undefined ? 'action by policy' : step.policy.action;
}

/** The workflow that runs before anything else, when a version arrives. */
function TriggerSlot({ name }: { name: string }) {
  const jump = useBuilder((state) => state.jump);
  const workflow = useBuilder(({ session }) => session.document.flow?.spec.triggerWorkflow);
  const words = workflow === undefined ? 'not set' : workflow;
  return (
    <span className="slots">
      <button
        type="button"
        tabIndex={-1}
        className={workflow === undefined ? 'slot' : 'slot filled'}
        title={`Trigger workflow: ${words}`}
        aria-label={`Trigger workflow of ${name}: ${words}`}
        onClick={() => jump({ node: name, field: ['triggerWorkflow'] })}
      >
        {slotText('triggerWorkflow', workflow)}
      </button>
    </span>
  );
}

interface SlotsProps {
  name: string;
  policy: FlowStepSpec['policy'];
  merged?: readonly Alike[];
}

/** What is not set by the flow is shown as policies set it for the chosen product: of a group for each of its members. */
function MergedSlots({ isGroup, ...slots }: SlotsProps & { isGroup: boolean }) {
  const { name } = slots;
  const members = useBuilder(({ catalogue }) => (isGroup ? catalogue.groups.get(name) : undefined));
  const environments = useMemo(() => (isGroup ? (members ?? []) : [name]), [isGroup, members, name]);
  return <Slots {...slots} merged={useAlike(environments)} />;
}

/** Before, for and after the change: three places of the connector. */
function Slots({ name, policy, merged = [] }: SlotsProps) {
  const jump = useBuilder((state) => state.jump);
  const refusals = merged.flatMap(({ refusal }) => refusal ?? []).join(' ');
  return (
    <span className={refusals === '' ? 'slots' : 'slots refused'} title={refusals}>
      {SLOT_NAMES.map(([key, label]) => {
        const own = policy?.[key];
        const given = own === undefined ? givenTo(key, merged) : [];
        const value = own ?? given[0]?.value;
        const words = own ?? (given.length === 0 ? 'not set here' : inWords(given));
        return (
          <button
            key={key}
            type="button"
            tabIndex={-1}
            className={value === undefined ? 'slot' : own === undefined ? 'slot merged' : 'slot filled'}
            title={`${label} of ${name}: ${words}${refusals === '' ? '' : `. ${refusals}`}`}
            aria-label={`${label} of ${name}: ${words}`}
            onClick={() => jump({ node: name, field: ['policy', key] })}
          >
            {given.length > 1 ? <span aria-hidden>≠</span> : slotText(key, value)}
          </button>
        );
      })}
    </span>
  );
}

/** One setting as policies say it, and for whom. */
interface Given {
  value: string | undefined;
  from: string;
  environments: readonly string[];
}

/** Nothing when no policy sets it anywhere; one when it is the same everywhere. */
function givenTo(key: string, merged: readonly Alike[]): Given[] {
  const all = new Map<string, Given>();
  for (const { settings, environments } of merged) {
    const { value, from = '' } = settings.get(key) ?? {};
    const before = all.get(`${value} ${from}`)?.environments ?? [];
    all.set(`${value} ${from}`, { value, from, environments: [...before, ...environments] });
  }
  const given = [...all.values()];
  return given.every(({ value }) => value === undefined) ? [] : given;
}

function inWords(given: readonly Given[]): string {
  const said = ({ value, from }: Given): string => (value === undefined ? 'not set' : `${value}, from ${from}`);
  if (given.length === 1) return said(given[0]!);
  return given.map((each) => `${said(each)} in ${each.environments.join(', ')}`).join('; ');
}

const ACTIONS: Record<string, string> = { commit: 'C', pr: 'PR', none: '∅' };

function slotText(key: string, value: string | undefined): ReactNode {
  if (value === undefined) return <span aria-hidden>·</span>;
  return key === 'action' ? ACTIONS[value] : <Cog size={12} aria-hidden />;
}

function Badges({ step }: { step: FlowStepSpec }) {
  const hooks = Object.entries(step.hooks ?? {}).filter(([, each]) => each !== undefined);
  return (
    <>
      {step.approval && <Badge icon={UserCheck} text="approval" />}
      {step.soak !== undefined && <Badge icon={ShieldCheck} text={`soak ${formatDuration(step.soak)}`} />}
      {step.timeout !== undefined && <Badge icon={Timer} text={`at most ${formatDuration(step.timeout)}`} />}
      {hooks.length > 0 && (
        <Badge
          icon={Webhook}
          text={`${hooks.length} hooks`}
          title={hooks.map(([when, workflow]) => `${when}: ${workflow}`).join('\n')}
        />
      )}
    </>
  );
}

function Badge({ icon: Icon, text, title = text }: { icon: LucideIcon; text: string; title?: string }) {
  return (
    <span className="badge-text" title={title}>
      <Icon size={12} aria-hidden />
      {text}
    </span>
  );
}
