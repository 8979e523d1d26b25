import { describe, expect, test } from 'vitest';
import { refuseFileName } from '../../../src/core/file-format.ts';
import { formatOf, selectValues } from '../../../src/drivers/edit/index.ts';
import { lines, promote } from './promote.ts';

test.each([
  ['values.yaml', 'YAML'],
  ['a/b.YML', 'YAML'],
  ['package.json', 'JSON'],
  ['tsconfig.jsonc', 'JSON'],
  ['Cargo.toml', 'TOML'],
  ['.env', 'ENV'],
  ['config/.env.production', 'ENV'],
  ['api.env', 'ENV'],
  ['application.properties', 'PROPERTIES'],
])('%s is read as %s', (file, format) => {
  expect(formatOf(file)).toBe(format);
  expect(refuseFileName(file)).toBeUndefined();
});

test.each(['main.tfvars', 'values.yaml.gotmpl', 'VERSION', 'yaml', 'a.toml.bak', 'x.json5'])(
  '%s is refused by name',
  (file) => {
    expect(refuseFileName(file)).toContain(`JSON paths cannot be promoted in "${file}"`);
    expect(() => formatOf(file)).toThrow(`"${file}"`);
  },
);

describe('TOML', () => {
  const cargo = (version: string, tokio: string): string =>
    lines(
      '[package] # about',
      'name = "api"',
      `version = "${version}" # released`,
      '',
      '[dependencies]',
      `tokio = { version = '${tokio}', features = ["full"] }`,
      '',
      '[[bin]]',
      'name = "a"',
      'n = 1_000',
      '[[bin]]',
      'name = "b"',
      'n = 2',
    );
  test('texts change where they stand, in their quotes', () => {
    expect(
      promote(cargo('2.0.0', '1.9'), cargo('1.0.0', '1.8'), ['$.package.version', '$.dependencies.tokio.version'], {
        file: 'Cargo.toml',
      }),
    ).toBe(cargo('2.0.0', '1.9'));
  });
  test.each([
    [
      'a filter in tables of one name',
      'bin = [{ name = "b", n = 7 }]\n',
      "$.bin[?@.name=='b'].n",
      (text: string) => text.replace('n = 2', 'n = 7'),
    ],
    [
      'how a number is written',
      'bin = [{ name = "a", n = 0x1F }]\n',
      "$.bin[?@.name=='a'].n",
      (text: string) => text.replace('1_000', '0x1F'),
    ],
    [
      'a list in brackets',
      'dependencies = { tokio = { features = ["full", "rt"] } }\n',
      '$.dependencies.tokio.features',
      (text: string) => text.replace('["full"]', '["full", "rt"]'),
    ],
    [
      'a new key of a table',
      'package = { edition = "2021" }\n',
      '$.package.edition',
      (text: string) => text.replace('# released', '# released\nedition = "2021"'),
    ],
    [
      'a text that needs escapes',
      'package = { name = "a\\"\\u0007\\n" }\n',
      '$.package.name',
      (text: string) => text.replace('"api"', '"a\\"\\u0007\\n"'),
    ],
  ])('%s', (_name, source, path, after) => {
    expect(promote(source, cargo('1', '1'), [path], { file: 'Cargo.toml' })).toBe(after(cargo('1', '1')));
  });
  test.each([
    ['a key is taken away from a table', '[package]\nname = "x"\n', '$.package', 'nor are keys taken from them'],
    ['a table becomes a text', 'package = "x"\n', '$.package', 'cannot become another kind of value'],
    ['it is no TOML', 'a = \n', '$.a', 'line 2 is not TOML'],
  ])('it is refused when %s', (_name, source, path, message) => {
    expect(() => promote(source, cargo('1', '1'), [path], { file: 'Cargo.toml' })).toThrow(message);
  });
});

describe('.env', () => {
  const file = '.env';
  test.each([
    ['a word', 'A=2', 'A=1 # c\nB=x\n', 'A=2 # c\nB=x\n'],
    ['quotes stay', 'A="2"', 'export A="1"\r\nB=x\r\n', 'export A="2"\r\nB=x\r\n'],
    ['blanks need quotes', 'A="a b"', 'A=1\n', "A='a b'\n"],
    ['what expands stands in single quotes', "A='$x'", 'A="1"\n', "A='$x'\n"],
    ['an empty value', 'A=x', 'A=\n', 'A=x\n'],
    ['a new name', 'A=x', '# c\nB=1', '# c\nB=1\nA=x\n'],
    ['a text over many lines is read', 'A=x\nC="a\nb"', 'A=1\n', 'A=x\n'],
    ['a number of another kind of file', 'A=1.10', 'A=1.9\n', 'A=1.10\n'],
  ])('%s', (_name, source, target, after) => {
    expect(promote(source, target, ['$.A'], { file })).toBe(after);
  });
  test('what readers take differently is refused', () => {
    expect(() => promote('A="a\\nb"', 'A=1', ['$.A'], { file })).toThrow('file ".env"');
    expect(() => promote('A="a\\\\"', 'A=1', ['$.A'], { file })).toThrow('cannot be written so that every reader');
    expect(() => selectValues(file, 'A=1\nnonsense\n', ['$.A'])).toThrow('file ".env": line 2 is not NAME=value');
    expect(() => selectValues(file, 'A=1\nA=2\n', ['$.A'])).toThrow('line 2: "A" stands twice in the file');
  });
});

describe('.properties', () => {
  const file = 'application.properties';
  test.each([
    [
      'the signs between name and value stay',
      "$['app.version']",
      'app.version=2',
      '# c\napp.version : 1\nb = x\n',
      '# c\napp.version : 2\nb = x\n',
    ],
    ['a value over two lines', '$.a', 'a=new', 'a = one\\\n    two\nb=1\n', 'a = new\nb=1\n'],
    ['escapes', '$.a', 'a=\\u00e4\\n\\\\', 'a=1\n', 'a=\\u00e4\\n\\\\\n'],
    ['a new name looks like the others', '$.c', 'c=3', 'a : 1\n', 'a : 1\nc : 3\n'],
    ['a sign behind a blank', '$.a', 'a=\\=x', 'a 1\n', 'a \\=x\n'],
    ['a name alone', '$.a', 'a=1', 'a\nb=1\n', 'a=1\nb=1\n'],
    ['carriage returns', '$.a', 'a=2', 'a=1\r\nb=1\r\n', 'a=2\r\nb=1\r\n'],
  ])('%s', (_name, path, source, target, after) => {
    expect(promote(source, target, [path], { file })).toBe(after);
  });
});

// Files of the shapes of real ones, in which one kind of place after another is promoted.
describe('files as people keep them', () => {
  const chart = (image: string, extra: string[] = []): string =>
    lines(
      '# Default values for the stack.',
      '# -- Labels for all resources',
      'commonLabels: {}',
      '# scmhash: abc123',
      '',
      '## Operator',
      '##',
      'operator:',
      '  enabled: true',
      '  # -- image of the operator',
      '  image:',
      '    registry: quay.io',
      '    repository: acme/operator',
      "    # if not set, appVersion is used: 'x' {y}",
      `    tag: "${image}"`,
      '    sha: ""',
      '  resources: {}',
      '  # limits:',
      '  #   cpu: 200m',
      '  tolerations: []',
      'grafana:',
      '  sidecar:',
      '    datasources:',
      '      image: {registry: docker.io, tag: 1.10}',
      '  config: |-',
      '    {{- range .Values.x }}',
      '    a = {{ . | quote }}',
      '    {{- end }}',
      ...extra,
    );
  test('values.yaml of a large chart', () => {
    const paths = ['$.operator.image.tag', '$..tag', '$.grafana.config', '$.operator.resources'];
    expect(promote(chart('v0.71.0'), chart('v0.70.0'), paths)).toBe(chart('v0.71.0'));
    const limits = chart('v0.70.0').replace('  resources: {}', '  resources: {limits: {cpu: 200m}}');
    expect(promote(limits, chart('v0.70.0'), ['$.operator.resources'])).toBe(limits);
  });
  test('kustomization.yaml, with a list that stands flush', () => {
    const file = (tag: string): string =>
      lines(
        'apiVersion: kustomize.config.k8s.io/v1beta1',
        'kind: Kustomization',
        'resources:',
        '- ../../base # shared',
        'images:',
        '- name: reg.test/api',
        `  newTag: ${tag}`,
        '- name: reg.test/web',
        '  newName: reg.test/mirror/web',
        '  digest: sha256:00',
        'replicas:',
        '- {name: api, count: 3}',
      );
    const source = file('v9').replace('count: 3', 'count: 5').replace('- ../../base', '- ../../base\n- ../extra');
    expect(
      promote(source, file('v8'), [
        "$.images[?@.name=='reg.test/api'].newTag",
        "$.replicas[?@.name=='api'].count",
        '$.resources',
      ]),
    ).toBe(file('v9').replace('count: 3', 'count: 5').replace('# shared', '# shared\n- ../extra'));
  });
  test('docker-compose.yml with merges and lists of texts', () => {
    const file = (image: string): string =>
      lines(
        'x-defaults: &defaults',
        '  restart: always',
        '  environment: &env',
        '    TZ: UTC',
        'services:',
        '  api:',
        '    <<: *defaults',
        `    image: "reg.test/api:${image}"`,
        '    ports:',
        '      - "8080:80" # http',
        '    command: ["run", "--port=80"]',
        '    environment:',
        '      <<: *env',
        "      DEBUG: 'no'",
      );
    expect(
      promote(file('2'), file('1'), ['$.services.api.image', '$.services.*.image', '$.services.api.command']),
    ).toBe(file('2'));
    expect(
      promote(file('1').replace('- "8080:80" # http', '- "8080:80"\n      - 9090:90'), file('1'), [
        '$.services.api.ports',
      ]),
    ).toBe(file('1').replace('# http', '# http\n      - "9090:90"'));
  });
  test('package.json', () => {
    const file = (version: string, dependency: string): string =>
      `${JSON.stringify({ name: '@acme/api', version, scripts: { test: 'x && y' }, dependencies: { '@acme/core': dependency, left: '^1.0.0' }, files: [] }, null, 2)}\n`;
    expect(
      promote(file('2.0.0', '^2.0.0'), file('1.0.0', '^1.0.0'), ['$.version', "$.dependencies['@acme/core']"], {
        file: 'package.json',
      }),
    ).toBe(file('2.0.0', '^2.0.0'));
  });
  test('appsettings.json with a byte order mark, comments and carriage returns', () => {
    const file = (level: string): string =>
      `\uFEFF{\r\n  // for all\r\n  "Logging": {\r\n    "LogLevel": { "Default": "${level}", "Microsoft.AspNetCore": "Warning" },\r\n  },\r\n  "AllowedHosts": "*"\r\n}\r\n`;
    expect(
      promote(
        file('Error'),
        file('Debug'),
        ['$.Logging.LogLevel.Default', "$.Logging.LogLevel['Microsoft.AspNetCore']"],
        { file: 'appsettings.json' },
      ),
    ).toBe(file('Error'));
  });
  test('a manifest of many documents', () => {
    const file = (image: string): string =>
      lines(
        'apiVersion: v1',
        'kind: Namespace',
        'metadata: {name: shop}',
        '---',
        'apiVersion: apps/v1',
        'kind: Deployment',
        'metadata:',
        '  name: api',
        'spec:',
        '  template:',
        '    spec:',
        '      containers:',
        '      - name: istio-proxy',
        '        image: istio:1',
        '      - name: app',
        `        image: ${image}`,
        '        args:',
        '        - --x=1',
        '---',
        '---',
        'kind: Service',
        'metadata: {name: api}',
      );
    expect(
      promote(file('reg.test/app:2'), file('reg.test/app:1'), [
        "Deployment/api $.spec.template.spec.containers[?@.name=='app'].image",
      ]),
    ).toBe(file('reg.test/app:2'));
  });
});

test('large files are read in time', () => {
  const services = (tag: string): string =>
    Array.from(
      { length: 2_000 },
      (_, i) => `svc${i}:\n  # about it\n  image:\n    repository: reg.test/x${i}\n    tag: ${tag}\n  enabled: true\n`,
    ).join('');
  const paths = Array.from({ length: 100 }, (_, i) => `$.svc${i}.image.tag`);
  const start = performance.now();
  const after = promote(services('v2'), services('v1'), paths);
  expect(after.match(/tag: v2/g)).toHaveLength(100);
  const keys = Array.from({ length: 100_000 }, (_, i) => `k${i}: v\n`).join('');
  expect(selectValues('v.yaml', keys, ['$.k5']).absent).toEqual([]);
  console.info(
    `100 values in ${services('v1').length} bytes and 100,000 keys: ${Math.round(performance.now() - start)} ms`,
  );
  expect(performance.now() - start).toBeLessThan(60_000);
}, 90_000);

test.each([
  ['v.yaml', '['.repeat(1 << 20)],
  ['v.yaml', '- '.repeat(1 << 18)],
  ['v.json', '['.repeat(1 << 20)],
  ['v.yaml', `${Array.from({ length: 300 }, (_, i) => ' '.repeat(i)).join('a:\n')}a: 1\n`],
])('what is nested too deeply is refused at once: %s', (file, text) => {
  expect(() => selectValues(file, text, ['$.a'])).toThrow(`file "${file}": is nested more than 200 levels deep`);
});
