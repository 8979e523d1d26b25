import type { ComponentProps } from 'react';
import type { GraphiQL } from 'graphiql';
// Files of their own, so that a test can hold each against schema.graphql.
import firstQuery from './examples/1-first-query.graphql?raw';
import triggerRelease from './examples/2-trigger-release.graphql?raw';
import watchRelease from './examples/3-watch-release.graphql?raw';
import oneRelease from './examples/one-release.graphql?raw';
import oneReleaseLive from './examples/one-release-live.graphql?raw';

type TabDefinition = NonNullable<ComponentProps<typeof GraphiQL>['defaultTabs']>[number];

/** What a first visitor finds: the sample's operations, each ready to run. Later visits find their own tabs. */
const exampleTabs: TabDefinition[] = [
  { query: firstQuery },
  { query: triggerRelease, variables: JSON.stringify({ input: { product: 'billing' } }, null, 2) },
  { query: watchRelease, variables: JSON.stringify({ after: '' }, null, 2) },
];

/** `?release=ID`, as the quickstart prints it, opens one release in a tab of its own. */
export function tabsFor(search: string): {
  defaultTabs: TabDefinition[];
  initialQuery?: string;
  initialVariables?: string;
} {
  const release = new URLSearchParams(search).get('release');
  if (!release) return { defaultTabs: exampleTabs };
  const query = oneRelease;
  const variables = JSON.stringify({ release }, null, 2);
  // The first visit shows the default tabs; later ones open a tab for the initial query, unless it is open already.
  return {
    defaultTabs: [{ query, variables }, { query: oneReleaseLive, variables }, ...exampleTabs],
    initialQuery: query,
    initialVariables: variables,
  };
}
