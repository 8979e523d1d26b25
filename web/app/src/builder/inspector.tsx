import { GitFork, Plus, Trash2 } from 'lucide-react';
import { memo, useMemo, useRef } from 'react';
import { Button } from 'react-aria-components';
import type { Kind } from '../../../../src/core/kinds/names.ts';
import { flowStep, promotionFlow } from '../../../../src/core/kinds/promotion-flow.ts';
import { hooks, inlinePolicy } from '../../../../src/core/kinds/common.ts';
import { name, object, required, type TextShape } from '../../../../src/core/kinds/shape.ts';
import { Problem } from '../parts/problem.tsx';
import type { FlowEdit } from './document/index.ts';
import { Differences, Gone } from './changes.tsx';
import { focusNode } from './chart/canvas.tsx';
import { Fields, FormHelper, useFocusOnJump } from './forms/form.tsx';
import { useTyping } from './left.tsx';
import { SLOT_NAMES, useAlike } from './policies.ts';
import { ProblemsAt } from './problems.tsx';
import { Windows } from './windows.tsx';
import { type BuilderState, settingsOf, useBuilder, useBuilderStore, useDocument } from './state.ts';

interface InspectorProps {
  /** Makes a definition in a dialog over the draft; answers its name, or null when it was given up. */
  create: (kind: Kind, name?: string, spec?: Record<string, unknown>) => Promise<string | null>;
}

/** All that can be said of what is selected: a node with its connector, or the flow. */
export const Inspector = memo(function Inspector({ create }: InspectorProps) {
  const store = useBuilderStore();
  const { flow } = useDocument();
  const { node, field } = useBuilder(({ session }) => session.selection);
  const jumps = useBuilder((state) => state.jumps);
  const refusals = useBuilder((state) => state.refusals);
  const catalogue = useBuilder((state) => state.catalogue);
  const readOnly = useBuilder((state) => state.readOnly);
  const panel = useRef<HTMLElement>(null);
  useFocusOnJump(panel, jumps, field.join('.'));
  const typing = useTyping();
  if (flow === null) return null;
  const isFlow = node === null || !flow.spec.steps.some((step) => nameIn(step, node));
  const isGone = isFlow && node !== null && node !== flow.spec.triggerEnvironment;
  const namesFor = (shape: TextShape): readonly string[] | null => {
    if (shape.refers === 'PromotionWorkflow') return [...catalogue.workflows];
    if (shape.refers === 'Environment') return [...catalogue.environments.keys()];
    if (shape.refers === 'EnvironmentGroup') return [...catalogue.groups.keys()];
    if (shape.inFlow === 'GROUP') return flow.spec.steps.flatMap(({ group }) => group ?? []);
    if (shape.inFlow === 'ENVIRONMENT') return environmentsIn(flow.spec, catalogue.groups);
    return null;
  };
  const open = (kind: Kind, name: string) =>
    kind === 'PromotionWorkflow' ? () => store.getState().ask({ is: 'workflow', name }) : undefined;
  return (
    <aside
      className="inspector"
      aria-label={node === null ? 'Settings of the flow' : `Settings of ${node}`}
      ref={panel}
      onKeyDown={({ key, target }) => {
        if (key !== 'Escape' || !panel.current?.contains(target as Node)) return;
        // Blurred first: what was typed counts.
        (target as HTMLElement).blur();
        focusNode(document.body, node ?? flow.spec.triggerEnvironment);
      }}
    >
      <FormHelper value={{ namesFor, create, open, isReadOnly: readOnly !== null, ...typing }}>
        {refusals.map((each) => (
          <Problem key={each}>{each}</Problem>
        ))}
        {isGone ? (
          <Gone node={node} />
        ) : isFlow ? (
          <OfFlow node={node} />
        ) : (
          <OfStep node={node} key={node} create={create} />
        )}
        <ProblemsAt node={node} />
      </FormHelper>
    </aside>
  );
});

const nameIn = (
  step: { environment?: string; group?: string; name?: string; workflow?: string },
  node: string,
): boolean => (step.environment ?? step.group ?? step.name ?? step.workflow) === node;

function environmentsIn(
  spec: { triggerEnvironment: string; steps: readonly { environment?: string; group?: string }[] },
  groups: ReadonlyMap<string, readonly string[]>,
): string[] {
  const of = spec.steps.flatMap(({ environment, group }) => environment ?? groups.get(group ?? '') ?? []);
  return [...new Set([spec.triggerEnvironment, ...of])];
}

type Settings = Record<string, unknown>;
const METADATA = object('', '', { name: required(name('the flow'), 'What products and people call it.') });

/** The change of one field; below `policy` and `hooks` each setting is changed by itself. */
const changeOf = (node: string | null, settings: object): FlowEdit =>
  node === null ? { type: 'changeFlow', settings } : { type: 'changeStep', step: node, settings };

function OfStep({ node, create }: { node: string; create: InspectorProps['create'] }) {
  const document = useDocument();
  const edit = useBuilder((state) => state.edit);
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  const settings = settingsOf(document, node);
  const isGroup = settings['group'] !== undefined;
  const environments = useMemo(() => (isGroup ? (groups.get(node) ?? []) : [node]), [isGroup, groups, node]);
  const set = (key: string, value: unknown): void => void edit(changeOf(node, { [key]: value ?? null }));
  const setIn = (part: string) => (key: string, value: unknown) =>
    void edit(changeOf(node, { [part]: { [key]: value ?? null } }));
  const isWorkflow = settings['workflow'] !== undefined;
  return (
    <>
      <Title node={node} what={isGroup ? 'Group' : isWorkflow ? 'Workflow' : 'Environment'} />
      <Differences node={node} />
      {isWorkflow && <Fields shape={flowStep} value={settings} only={['workflow']} onChange={set} />}
      {!isWorkflow && (
        <>
          <h3>Connector</h3>
          <Fields
            shape={inlinePolicy}
            value={(settings['policy'] as Settings | undefined) ?? {}}
            path={['policy']}
            onChange={setIn('policy')}
          />
          <ByPolicies environments={environments} />
          <NewPolicy create={create} name={`${node}-policy`} environments={environments} />
        </>
      )}
      {isGroup && <Gate group={node} />}
      <h3>Before it counts</h3>
      <Fields
        shape={flowStep}
        value={settings}
        only={['approval', 'soak', 'timeout', 'dependsOnPolicy']}
        onChange={set}
      />
      {settings['environment'] !== undefined && (
        <Windows
          environment={node}
          onNew={() =>
            create('ReleaseWindow', `${node}-window`, {
              kind: 'ALLOW',
              timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
              cron: '0 9 * * MON-FRI',
              duration: 8 * 60 * 60 * 1000,
              selector: { environments: { names: [node] }, products: {} },
            })
          }
        />
      )}
      <h3>Hooks</h3>
      <Fields
        shape={hooks}
        value={(settings['hooks'] as Settings | undefined) ?? {}}
        path={['hooks']}
        onChange={setIn('hooks')}
      />
    </>
  );
}

function OfFlow({ node }: { node: string | null }) {
  const { flow } = useDocument();
  const edit = useBuilder((state) => state.edit);
  const isNew = useBuilder(({ session }) => session.base.revision === null);
  const spec = flow!.spec as unknown as Settings;
  const set = (key: string, value: unknown): void => void edit(changeOf(null, { [key]: value ?? null }));
  const setHook = (key: string, value: unknown): void => void edit(changeOf(null, { hooks: { [key]: value ?? null } }));
  if (node !== null) {
    return (
      <>
        <Title node={node} what="Trigger environment" />
        <h3>When a version arrives</h3>
        <Fields shape={promotionFlow} value={spec} only={['triggerWorkflow', 'trigger']} onChange={set} />
      </>
    );
  }
  return (
    <>
      <h2 tabIndex={-1}>{flow!.name}</h2>
      {isNew && (
        <Fields
          shape={METADATA}
          value={{ name: flow!.name }}
          path={['metadata']}
          onChange={(_, to) => typeof to === 'string' && edit({ type: 'renameFlow', to })}
        />
      )}
      <Fields
        shape={promotionFlow}
        value={spec}
        only={['description', 'version', 'timeout', 'maxAge', 'onFailure', 'productSelector']}
        onChange={set}
      />
      <h3>Hooks of a release</h3>
      <Fields shape={hooks} value={(spec['hooks'] as Settings | undefined) ?? {}} path={['hooks']} onChange={setHook} />
      <h3>Going back</h3>
      <Fields shape={promotionFlow} value={spec} only={['rollbackPolicies']} onChange={set} />
    </>
  );
}

function Title({ node, what }: { node: string; what: string }) {
  const store = useBuilderStore();
  const { flow } = useDocument();
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const isTrigger = flow!.spec.triggerEnvironment === node;
  const step = flow!.spec.steps.find((each) => nameIn(each, node));
  const ask = (dialog: NonNullable<BuilderState['dialog']>) => store.getState().ask(dialog);
  return (
    <>
      <p className="inspector-kind">{what}</p>
      <h2 tabIndex={-1}>{node}</h2>
      {!isReadOnly && (
        <div className="actions node-actions">
          <Button className="button small" onPress={() => ask({ is: 'add', node, place: 'after' })}>
            <Plus size={14} aria-hidden />
            Add after
          </Button>
          {!isTrigger && (
            <>
              <Button className="button small" onPress={() => ask({ is: 'add', node, place: 'before' })}>
                <Plus size={14} aria-hidden />
                Add before
              </Button>
              <Button className="button small" onPress={() => ask({ is: 'depends-on', node })} data-field="dependsOn">
                <GitFork size={14} aria-hidden />
                Depends on ({step?.dependsOn.length ?? 0})
              </Button>
            </>
          )}
          <Button className="button small" onPress={() => ask({ is: 'rename', node })}>
            Replace or rename
          </Button>
          {!isTrigger && (
            <Button className="button small danger" onPress={() => ask({ is: 'remove', node })}>
              <Trash2 size={14} aria-hidden />
              Remove
            </Button>
          )}
        </div>
      )}
    </>
  );
}

/** What is not set here comes from promotion policies, which hold for other flows as well. */
function NewPolicy({ create, name, environments }: InspectorProps & { name: string; environments: readonly string[] }) {
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const selector = { product: {}, targetEnvironment: { names: environments } };
  return (
    <>
      <p className="hint">What is not set here is set by the promotion policies: Try it shows by which.</p>
      {!isReadOnly && (
        <Button
          className="button small"
          onPress={() => void create('PromotionPolicy', name, { priority: 100, selector, policy: {}, locked: [] })}
        >
          <Plus size={14} aria-hidden />
          New promotion policy
        </Button>
      )}
    </>
  );
}

/** What promotion policies set for the product whose policies the chart shows: of a group for each member, those together that are alike. */
function ByPolicies({ environments }: { environments: readonly string[] }) {
  const product = useBuilder((state) => state.product);
  const found = useAlike(environments);
  if (product === null || found.length === 0) return null;
  return (
    <section className="by-policies" aria-label={`Policies of ${product}`}>
      <h3>By the policies of {product}</h3>
      <dl>
        {found.map(({ environments: names, settings, refusal }) => (
          <div key={names[0]}>
            <dt>{names.join(', ')}</dt>
            {SLOT_NAMES.map(([key, label]) => {
              const set = settings.get(key);
              return set && <dd key={key}>{`${label}: ${set.value}, from ${set.from}`}</dd>;
            })}
            {settings.size === 0 && <dd>nothing is set</dd>}
            {refusal !== undefined && <dd className="refusal">{refusal}</dd>}
          </div>
        ))}
      </dl>
    </section>
  );
}

/** What a group says for all flows: it is changed there, over the draft. */
function Gate({ group }: { group: string }) {
  const gate = useBuilder(({ catalogue }) => catalogue.gates.get(group));
  const ask = useBuilder((state) => state.ask);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  if (gate === undefined) return null;
  return (
    <>
      <h3>Gate</h3>
      <p className="hint">It counts as done when {gate} are healthy. The group says so, in every flow.</p>
      {!isReadOnly && (
        <Button className="button small" onPress={() => ask({ is: 'group', name: group })}>
          Members, gate, soak and limits
        </Button>
      )}
    </>
  );
}
