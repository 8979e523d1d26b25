import graphqlEslint from '@graphql-eslint/eslint-plugin';
import { Linter } from 'eslint';
import { expect, test } from 'vitest';
import { printApiSchema } from '../../src/schema/print.ts';

/** What the public sets of rules ask for and the schema does not follow. */
interface Exception {
  rule: string;
  /** Its messages begin with it; the others of the rule count. */
  says: string;
  why: string;
}

const EXCEPTIONS: Exception[] = [
  {
    rule: 'strict-id-in-types',
    says: 'type ',
    why: 'Most types are values: payloads, refusals, settings, cells of a table. What can be asked for again has an id, and implements Node.',
  },
  {
    rule: 'relay-edge-types',
    says: 'A list type should only wrap an edge type.',
    why: 'Connections have `nodes` beside `edges`, for clients that need no cursors, and what is short and read whole is a plain list.',
  },
  {
    rule: 'relay-edge-types',
    says: "Edge type's field `node` must implement `Node` interface.",
    why:
      'Chunks of logs, revisions, deployments and entries of the audit log have a place in their list and no life of their own. Tokens, grants, ' +
      'secrets, sessions and webhook deliveries are listed for administrators alone, by their own permissions: `node` is no second way to them.',
  },
  {
    rule: 'naming-convention',
    says: 'Enum value ',
    why: 'Kinds and events are the names of types, as `__typename` has them, and settings are spelled as in manifests.',
  },
  {
    rule: 'naming-convention',
    says: 'Type "AuditObjectType" ',
    why: 'It was published under this name, and another one would break fragments on it.',
  },
];

test('the schema follows the rules for schemas, of recommended practice and of Relay, but for what is named here', () => {
  const rules: Linter.RulesRecord = {
    ...graphqlEslint.configs['flat/schema-recommended'].rules,
    ...graphqlEslint.configs['flat/schema-relay'].rules,
  };
  expect(Object.keys(rules).length).toBeGreaterThan(20);
  const text = printApiSchema();
  const config: Linter.Config = {
    files: ['**/*.graphql'],
    plugins: { '@graphql-eslint': graphqlEslint as never },
    languageOptions: {
      parser: graphqlEslint.parser,
      parserOptions: { graphQLConfig: { schema: text } },
    },
    rules,
  };
  const messages = new Linter({ cwd: '/' }).verify(text, [config], { filename: 'schema.graphql' });
  const exceptionOf = ({ ruleId, message }: Linter.LintMessage): Exception | undefined =>
    EXCEPTIONS.find(({ rule, says }) => ruleId === `@graphql-eslint/${rule}` && message.startsWith(says));
  const found = messages.filter((each) => exceptionOf(each) === undefined);
  expect(found.map(({ ruleId, line, message }) => `${ruleId} at ${line}: ${message}`)).toEqual([]);
  // An exception that nothing needs any more goes.
  expect(new Set(messages.map(exceptionOf))).toEqual(new Set(EXCEPTIONS));
}, 60_000);
