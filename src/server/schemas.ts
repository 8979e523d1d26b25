import cors from 'cors';
import express, { type RequestHandler } from 'express';

/**
 * `/schemas/KIND.json` for editors, `/schemas/crds/PLURAL.yaml` for Kubernetes, and `/schemas` with the paths of all. They are what
 * this server takes, and no secret: without a token, and for pages of any origin. Made when the first one is asked for.
 */
export function schemaFiles(): RequestHandler {
  const router = express.Router();
  let made: Promise<Map<string, string>> | undefined;
  const files = (): Promise<Map<string, string>> => (made ??= makeFiles());
  router.use(cors({ origin: '*', methods: ['GET'] }));
  router.get('/', async (_request, response) => void response.json([...(await files()).keys()]));
  router.get(/.+/, async ({ path, baseUrl }, response, next) => {
    const text = (await files()).get(baseUrl + path);
    if (text === undefined) return next();
    const type = path.endsWith('.json') ? 'application/schema+json' : 'application/yaml';
    response.set('cache-control', 'public, max-age=300').type(type).send(text);
  });
  return router;
}

/** Read where they are asked for: a server starts without the texts. */
async function makeFiles(): Promise<Map<string, string>> {
  const { customResources, schemas } = await import('../manifests/generated.ts');
  return new Map([...schemas(), ...customResources()].map(([file, text]) => [`/${file}`, text]));
}
