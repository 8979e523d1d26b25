// Cuts the operations of GitHub that Sluice calls, and the webhooks that it reads, out of GitHub's published documents: shapes only,
// without the descriptive texts. Run by hand when an operation comes in or the documents have a new version:
//
//   npm install --prefix FOLDER --ignore-scripts @octokit/openapi@23.0.2 @octokit/openapi-webhooks@12.1.0 \
//     @octokit/webhooks-examples@7.6.1
//   node test/peers/contracts/cut.mjs FOLDER
//
// The packages are no dependencies: the first has 385 MB on disk.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = '/repos/{owner}/{repo}';
const OPERATIONS = [
  'GET /user',
  'GET /rate_limit',
  `GET ${REPOSITORY}`,
  `GET ${REPOSITORY}/installation`,
  'GET /app/installations/{installation_id}',
  'POST /app/installations/{installation_id}/access_tokens',
  'GET /app/hook/deliveries',
  'POST /app/hook/deliveries/{delivery_id}/attempts',
  `GET ${REPOSITORY}/branches/{branch}`,
  `GET ${REPOSITORY}/branches/{branch}/protection`,
  `GET ${REPOSITORY}/rules/branches/{branch}`,
  `GET ${REPOSITORY}/rulesets/{ruleset_id}`,
  `GET ${REPOSITORY}/git/ref/{ref}`,
  `DELETE ${REPOSITORY}/git/refs/{ref}`,
  `GET ${REPOSITORY}/pulls`,
  `POST ${REPOSITORY}/pulls`,
  `GET ${REPOSITORY}/pulls/{pull_number}`,
  `PATCH ${REPOSITORY}/pulls/{pull_number}`,
  `GET ${REPOSITORY}/pulls/{pull_number}/merge`,
  `PUT ${REPOSITORY}/pulls/{pull_number}/merge`,
  `PUT ${REPOSITORY}/pulls/{pull_number}/merge-async`,
  `GET ${REPOSITORY}/pulls/{pull_number}/merge-async/{uuid}`,
  `POST ${REPOSITORY}/pulls/{pull_number}/requested_reviewers`,
  `GET ${REPOSITORY}/issues/{issue_number}`,
  `GET ${REPOSITORY}/issues/{issue_number}/labels`,
  `POST ${REPOSITORY}/issues/{issue_number}/labels`,
  `PUT ${REPOSITORY}/issues/{issue_number}/labels`,
  `GET ${REPOSITORY}/issues/{issue_number}/comments`,
  `POST ${REPOSITORY}/issues/{issue_number}/comments`,
  `PATCH ${REPOSITORY}/issues/comments/{comment_id}`,
  `POST ${REPOSITORY}/statuses/{sha}`,
  `GET ${REPOSITORY}/commits/{ref}/status`,
  `GET ${REPOSITORY}/commits/{ref}/statuses`,
  `GET ${REPOSITORY}/hooks`,
  `GET ${REPOSITORY}/hooks/{hook_id}/deliveries`,
  `GET ${REPOSITORY}/hooks/{hook_id}/deliveries/{delivery_id}`,
  `POST ${REPOSITORY}/hooks/{hook_id}/deliveries/{delivery_id}/attempts`,
];
const WEBHOOKS = [
  'ping',
  'push',
  'create',
  'delete',
  'status',
  'pull-request-opened',
  'pull-request-closed',
  'pull-request-reopened',
  'pull-request-edited',
  'pull-request-synchronize',
  'pull-request-enqueued',
  'pull-request-dequeued',
  'merge-group-checks-requested',
  'merge-group-destroyed',
];

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node test/peers/contracts/cut.mjs FOLDER');
const documentOf = (name) =>
  JSON.parse(readFileSync(join(folder, 'node_modules/@octokit', name, 'generated/api.github.com.json'), 'utf8'));

/** OpenAPI 3.0 says `nullable`; JSON Schema has a type for it. */
function withNull(schema) {
  const { nullable, ...rest } = schema;
  if (nullable !== true) return rest;
  if (rest.enum && !rest.enum.includes(null)) rest.enum = [...rest.enum, null];
  if (typeof rest.type === 'string') return { ...rest, type: [rest.type, 'null'] };
  return rest.allOf || rest.anyOf || rest.oneOf || rest.$ref ? { anyOf: [rest, { type: 'null' }] } : rest;
}

const KEPT = ['type', 'format', 'enum', 'const', 'required', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength'];
const LISTS = ['allOf', 'anyOf', 'oneOf'];

/** @param found hears the names of the schemas that this one refers to */
function shapeOf(schema, found) {
  if (schema === true || schema === false) return schema;
  if (schema.$ref) {
    const name = schema.$ref.replace('#/components/schemas/', '');
    found(name);
    return { $ref: `#/$defs/${name}` };
  }
  const cut = {};
  for (const key of [...KEPT, 'minItems', 'maxItems', 'uniqueItems', 'nullable'])
    if (schema[key] !== undefined) cut[key] = schema[key];
  for (const key of LISTS) if (schema[key]) cut[key] = schema[key].map((each) => shapeOf(each, found));
  if (schema.items) cut.items = shapeOf(schema.items, found);
  if (schema.additionalProperties !== undefined) cut.additionalProperties = shapeOf(schema.additionalProperties, found);
  if (schema.properties)
    cut.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, each]) => [name, shapeOf(each, found)]),
    );
  return withNull(cut);
}

/** All schemas that `start` refers to, and those that these refer to. */
function definitions(document, start) {
  const $defs = {};
  const open = [...start];
  for (let name = open.pop(); name !== undefined; name = open.pop())
    if (!$defs[name]) $defs[name] = shapeOf(document.components.schemas[name], (each) => open.push(each));
  return Object.fromEntries(Object.entries($defs).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function resolve(document, part) {
  if (!part.$ref) return part;
  return part.$ref
    .slice(2)
    .split('/')
    .reduce((at, key) => at[key], document);
}

function write(name, content) {
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(content)}\n`);
}

const about = (document, name) => ({
  source: `npm ${name}`,
  version: document.info.version,
  licence: 'MIT, Copyright (c) 2020 Octokit contributors',
});

const rest = documentOf('openapi');
const referred = new Set();
const json = (content) => {
  const schema = content?.['application/json']?.schema;
  return schema ? shapeOf(schema, (name) => referred.add(name)) : null;
};
const operations = Object.fromEntries(
  OPERATIONS.map((key) => {
    const [method, path] = key.split(' ');
    const operation = rest.paths[path]?.[method.toLowerCase()];
    if (!operation) throw new Error(`there is no operation ${key}`);
    const parameters = [...(rest.paths[path].parameters ?? []), ...(operation.parameters ?? [])]
      .map((each) => resolve(rest, each))
      .filter((each) => each.in === 'query')
      .map((each) => [each.name, shapeOf(each.schema, (name) => referred.add(name))]);
    const body = operation.requestBody ? resolve(rest, operation.requestBody) : undefined;
    const responses = Object.entries(operation.responses).map(([status, each]) => [
      status,
      json(resolve(rest, each).content),
    ]);
    return [
      key,
      {
        query: Object.fromEntries(parameters),
        ...(body && { body: json(body.content), bodyRequired: body.required !== false }),
        responses: Object.fromEntries(responses),
      },
    ];
  }),
);
// The document does not have it, and a repository that was renamed answers with an address there.
operations['GET /repositories/{id}'] = operations[`GET ${REPOSITORY}`];
write('github.json', { ...about(rest, '@octokit/openapi'), operations, $defs: definitions(rest, referred) });

const hooks = documentOf('openapi-webhooks');
const heard = new Set();
const events = Object.fromEntries(
  WEBHOOKS.map((name) => {
    const { schema } = resolve(hooks, hooks.webhooks[name].post.requestBody).content['application/json'];
    return [name, shapeOf(schema, (each) => heard.add(each))];
  }),
);
write('github-webhooks.json', {
  ...about(hooks, '@octokit/openapi-webhooks'),
  events,
  $defs: definitions(hooks, heard),
});

/** Payloads that GitHub has sent, as they were recorded: name → the number of the example. */
const EXAMPLES = {
  ping: [0],
  push: [0, 1, 4],
  create: [0],
  delete: [0],
  status: [0],
  pull_request: [0, 3],
  merge_group: [0],
};
const recorded = JSON.parse(
  readFileSync(join(folder, 'node_modules/@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'),
);
const examples = Object.entries(EXAMPLES).flatMap(([event, numbers]) => {
  const found = recorded.find(({ name }) => name === event);
  return numbers.map((number) => ({ event, payload: found.examples[number] }));
});
write('github-examples.json', {
  source: 'npm @octokit/webhooks-examples',
  version: '7.6.1',
  licence: 'MIT, by Gregor Martynus and contributors',
  examples,
});
