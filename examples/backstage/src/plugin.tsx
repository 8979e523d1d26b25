import type { Entity } from '@backstage/catalog-model';
import { createFrontendPlugin } from '@backstage/frontend-plugin-api';
import { EntityCardBlueprint, EntityContentBlueprint } from '@backstage/plugin-catalog-react/alpha';
import { ANNOTATION } from './sluice.tsx';

const hasProduct = ({ metadata }: Entity): boolean => Boolean(metadata.annotations?.[ANNOTATION]);

const card = EntityCardBlueprint.make({
  name: 'status',
  params: {
    filter: hasProduct,
    loader: async () => {
      const { SluiceEntityCard } = await import('./entity.tsx');
      return <SluiceEntityCard />;
    },
  },
});

const content = EntityContentBlueprint.make({
  name: 'releases',
  params: {
    path: '/releases',
    title: 'Releases',
    filter: hasProduct,
    loader: async () => {
      const { SluiceEntityContent } = await import('./entity.tsx');
      return <SluiceEntityContent />;
    },
  },
});

/** The card and the tab of entities with the annotation `sluice.dev/product`. */
export default createFrontendPlugin({ pluginId: 'sluice', extensions: [card, content] });
