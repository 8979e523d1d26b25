import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { tabsFor } from './examples.ts';

// Beside this page, wherever that is: /graphiql/ asks /graphql, /sluice/graphiql/ behind a proxy asks /sluice/graphql.
const endpoint = new URL('../graphql', window.location.href);
endpoint.search = '';
endpoint.hash = '';
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';

/** What the header editor holds: `{"Authorization": "Bearer …"}` where the server asks who is calling. */
let headers: Record<string, unknown> = {};

const fetch = createGraphiQLFetcher({
  url: endpoint.href,
  // The session of the web app counts here, too, on requests with this header.
  headers: { 'x-sluice-csrf': '1' },
  // A socket is opened by the first subscription, and again after a restart of the server. It cannot send headers.
  wsClient: createClient({
    url: socket.href,
    lazy: true,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    connectionParams: () => headers,
  }),
});

const fetcher: typeof fetch = (params, options) => {
  headers = options?.headers ?? {};
  return fetch(params, options);
};

const root = document.getElementById('root')!;
root.className = '';
createRoot(root).render(
  <GraphiQL fetcher={fetcher} defaultEditorToolsVisibility="variables" {...tabsFor(window.location.search)}>
    <GraphiQL.Logo>
      <span className="sluice-logo">Sluice</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
