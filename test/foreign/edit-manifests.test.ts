import { describe, expect, test } from 'vitest';
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

describe('comments that a person wrote around an edit', () => {
  const after = flow.replace('environment: eu', 'environment: us');
  const propose = (file: string, written: string, to: string = after): string =>
    editManifests('flows.yaml', file, [{ kind: 'PromotionFlow', name: 'main', before: flow, after: to, written }])!;
  const come = (file: string, edited: string): string[] => {
    const before = file.split('\n');
    return edited.split('\n').filter((line) => !before.includes(line));
  };

  test('come to the file with it: above and behind the parts that they are about, and at its end', () => {
    const written = `# For everybody\n${after.replace('- environment: us', '# First the east.\n    # Then all of it.\n    - environment: us # as of May')}# The end\n`;
    const edited = propose(FILE.replace(' # the old world', ''), written);
    expect(come(FILE, edited)).toEqual([
      '# For everybody',
      '    # First the east.',
      '    # Then all of it.',
      '    - environment: us # as of May',
      '# The end',
    ]);
    expect(exported(edited, 'PromotionFlow')).toBe(after);
    expect(exported(edited, 'Environment')).toBe(exported(FILE, 'Environment'));
    // Proposed once more, nothing comes again.
    expect(propose(edited, written)).toBe(edited);
  });

  test('find their part in another style, and stand above it where there is no room behind', () => {
    const flowing = FILE.replace(
      /spec:\n[^]*?---/,
      'spec: { triggerEnvironment: dev, onFailure: FINISH_RUNNING, steps: [{ environment: staging, dependsOn: [dev] },\n  { environment: eu, dependsOn: [staging] }] }\n---',
    );
    const written = flow.replace('- environment: eu', '- environment: eu # the old world');
    expect(come(flowing, propose(flowing, written, flow))).toEqual([
      '  { environment: eu, dependsOn: [staging] }] } # the old world',
    ]);
    const taken = propose(FILE, written.replace('# the old world', '# the other one'), flow);
    expect(come(FILE, taken)).toEqual(['    # the other one']);
    expect(exported(taken, 'PromotionFlow')).toBe(flow);
  });

  test('stand each on its own where several parts are one line', () => {
    const both = FILE.replace('dependsOn:\n        - staging', 'dependsOn: [dev, staging]');
    const before = exported(both, 'PromotionFlow');
    const written = `${before.replace(/- dev\n( +)- staging/, '- dev # one\n$1- staging # two')}# The end\n`;
    expect(written).toContain('# two');
    const edit = { kind: 'PromotionFlow', name: 'main', before, after: before, written };
    const alone = both.slice(0, both.indexOf('---')).trimEnd();
    expect(come(alone, editManifests('flows.yaml', alone, [edit])!)).toEqual([
      '      # two',
      '      dependsOn: [dev, staging] # one',
      '# The end',
    ]);
  });

  test('are those of a new definition, too, and none of a value that only looks like one', () => {
    const written = `# New\n${flow.replace('name: main', 'name: other')}`;
    const edit = {
      kind: 'PromotionFlow',
      name: 'other',
      before: null,
      after: flow.replace('name: main', 'name: other'),
    };
    expect(editManifests('flows.yaml', FILE, [{ ...edit, written }])).toBe(`${FILE}---\n${written}`);
    const looks = flow.replace('  steps:', "  description: 'a # b'\n  steps:");
    expect(come(FILE, propose(FILE, looks, looks))).toEqual(['  description: "a # b"']);
  });
});
