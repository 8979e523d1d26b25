import { discoveryApiRef, fetchApiRef } from '@backstage/frontend-plugin-api';
import { TestApiProvider } from '@backstage/frontend-test-utils';
import { EntityProvider } from '@backstage/plugin-catalog-react';
import { createRoot } from 'react-dom/client';
import { SluiceEntityCard, SluiceEntityContent } from '../src/entity.tsx';
import { ANNOTATION } from '../src/sluice.tsx';

const entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'billing', annotations: { [ANNOTATION]: 'billing' } },
};
const discovery = { getBaseUrl: async (plugin: string) => `${location.origin}/api/${plugin}` };
/** As Backstage does: who is signed in goes along. */
const fetchApi = {
  fetch: (input: RequestInfo | URL, init?: RequestInit) =>
    fetch(input, { ...init, headers: { ...init?.headers, 'x-backstage-user': 'ada' } }),
};

createRoot(document.querySelector('#root')!).render(
  <TestApiProvider
    apis={[
      [discoveryApiRef, discovery],
      [fetchApiRef, fetchApi],
    ]}
  >
    <EntityProvider entity={entity}>
      <SluiceEntityCard />
      <SluiceEntityContent />
    </EntityProvider>
  </TestApiProvider>,
);
