import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import type { DocumentNode } from 'graphql';

// The floor of the API, in a process of its own: the same schema and the same libraries, with constants behind them. No database, no
// access, no limits, no log.

/** The schema as it is printed, and the answer to each query that comes, by its text. */
export interface Constants {
  typeDefs: string;
  answers: Record<string, object>;
}

process.once('message', (constants: Constants) => void serve(constants));
process.once('disconnect', () => process.exit(0));

async function serve({ typeDefs, answers }: Constants): Promise<void> {
  const apollo = new ApolloServer({
    typeDefs,
    rootValue: (document: DocumentNode) => answers[document.loc!.source.body] ?? {},
    stopOnTerminationSignals: false,
  });
  await apollo.start();
  const app = express();
  app.use('/graphql', express.json(), expressMiddleware(apollo));
  const server = createServer(app).listen(0, '127.0.0.1', () => {
    process.send?.((server.address() as AddressInfo).port);
  });
}
