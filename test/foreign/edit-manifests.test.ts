import { expect, test } from 'vitest';
import { editManifests } from '../../src/foreign/edit-manifests.ts';
import { exportManifest, parseManifests } from '../../src/manifests/index.ts';

const FILE = `# The flows of Billing
apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata:
  name: main   # as it was always called
spec:
  onFailure: FINISH_RUNNING # written out
  triggerEnvironment: dev
  steps:
    # First where nobody is hurt.
    - environment: staging
      dependsOn: [dev]
    - environment: eu # the old world
      dependsOn:
        - staging
---
apiVersion: sluice.dev/v1
kind: Environment
metadata: {name: eu, labels: {tier: "1"}}
spec: {kind: PRODUCTION}
`;

const exported = (text: string, kind: string): string =>
  exportManifest(parseManifests(text).definitions.find(({ definition }) => definition.kind === kind)!.definition);
const flow = exported(FILE, 'PromotionFlow');

test('an edit changes its own lines, and nothing else of the file', () => {
  const after = flow.replace('environment: eu', 'environment: us').replace(/(steps:\n)/, 'timeout: 2h\n  $1');
  const edited = editManifests('flows.yaml', FILE, [{ kind: 'PromotionFlow', name: 'main', before: flow, after }]);
  const [gone, come] = [FILE.split('\n'), edited!.split('\n')];
  expect(come.filter((line) => !gone.includes(line))).toEqual([
    '  timeout: 2h',
    '    - environment: us # the old world',
  ]);
  expect(gone.filter((line) => !come.includes(line))).toEqual(['    - environment: eu # the old world']);
  expect(exported(edited!, 'PromotionFlow')).toBe(exported(after, 'PromotionFlow'));
});

test('a definition is added behind the others, and one that is removed leaves them as they are', () => {
  const added = 'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata:\n  name: us\nspec:\n  kind: PRODUCTION\n';
  const more = editManifests('a.yaml', FILE, [{ kind: 'Environment', name: 'us', before: null, after: added }])!;
  expect(more).toBe(`${FILE}---\n${added}`);
  const eu = { kind: 'Environment', name: 'eu', before: exported(FILE, 'Environment'), after: null };
  expect(editManifests('a.yaml', more, [eu])).toBe(`${FILE.slice(0, FILE.indexOf('---'))}---\n${added}`);
  const first = { kind: 'PromotionFlow', name: 'main', before: flow, after: null };
  expect(editManifests('a.yaml', FILE, [first, eu])).toBe(null);
  const left = editManifests('a.yaml', FILE, [first])!;
  expect(parseManifests(left).definitions.map(({ definition }) => definition.metadata.name)).toEqual(['eu']);
});

test('what stands in another form is written as a whole, and what cannot be told is refused', () => {
  const alias = FILE.replace('dependsOn: [dev]', 'dependsOn: &from [dev]').replace(
    'dependsOn:\n        - staging',
    'dependsOn: *from',
  );
  const before = exported(alias, 'PromotionFlow');
  const after = before.replace('environment: staging', 'environment: test');
  const edited = editManifests('a.yaml', alias, [{ kind: 'PromotionFlow', name: 'main', before, after }])!;
  expect(edited).toContain('dependsOn: *from');
  expect(() => editManifests('a.yaml', FILE, [{ kind: 'Product', name: 'x', before: flow, after: flow }])).toThrow(
    'has no Product "x"',
  );
});
