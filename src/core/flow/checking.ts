import type { Kind, PromotionFlowSpec } from '../definitions.ts';
import { promotionFlow } from '../kinds/promotion-flow.ts';
import { referencesIn, type Path } from '../kinds/walk.ts';
import type { Checks } from '../validate/rules.ts';
import { quote, type Refusals } from '../wording.ts';
import type { Members } from './graph.ts';

/** A `Map` or a `Set` will do; `keys` is only read to suggest what may have been meant. */
export interface Names {
  has(name: string): boolean;
  keys?(): Iterable<string>;
}

/** What exists besides the flow. `groups` holds the members as they are resolved now. */
export interface Known {
  environments: Names;
  groups: Members;
  workflows: Names;
}

/** What the parts of the check share. */
export interface Checking {
  spec: PromotionFlowSpec;
  known: Known;
  when: 'SAVED' | 'RELEASED';
  refusals: Checks;
  warnings: { message: string; path: Path }[];
}

/** Everything that the flow names exists, and every group has members. */
export function checkNames(checking: Checking): void {
  for (const { kind, name, path } of referencesIn(promotionFlow, checking.spec))
    CHECK_NAME[kind]?.(checking, name, path);
}

const CHECK_NAME: { [K in Kind]?: (checking: Checking, name: string, path: Path) => void } = {
  Environment({ known, refusals }, name, path) {
    if (known.environments.has(name)) return;
    const hint = known.groups.has(name)
      ? ` ${quote(name)} is a group: write "group: ${name}".`
      : refusals.hint(name, known.environments.keys?.());
    refuseUnknown(refusals, 'environment', name, hint, path);
  },

  EnvironmentGroup({ known, refusals }, name, path) {
    const members = known.groups.get(name);
    if (members === undefined) {
      const hint = known.environments.has(name)
        ? ` ${quote(name)} is an environment: write "environment: ${name}".`
        : refusals.hint(name, known.groups.keys());
      refuseUnknown(refusals, 'group', name, hint, path);
    } else if (members.length === 0) {
      refusals.add(
        'INVALID',
        `group ${quote(name)} is empty: its selector matches no environment, so there is nothing to promote`,
        path,
      );
    }
  },

  PromotionWorkflow({ known, refusals }, name, path) {
    if (!known.workflows.has(name))
      refuseUnknown(refusals, 'workflow', name, refusals.hint(name, known.workflows.keys?.()), path);
  },
};

function refuseUnknown(refusals: Refusals, what: string, name: string, hint: string, path: Path): void {
  const message = `${what} ${quote(name)} does not exist; create it or name another one.${hint}`;
  refusals.add('UNKNOWN_REFERENCE', message, path);
}
