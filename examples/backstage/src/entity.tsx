import { useEntity } from '@backstage/plugin-catalog-react';
import { ANNOTATION, SluiceReleaseView, SluiceStatusLine } from './sluice.tsx';

function useProduct(): string {
  return useEntity().entity.metadata.annotations?.[ANNOTATION] ?? '';
}

/** The card of an entity. */
export function SluiceEntityCard() {
  return <SluiceStatusLine product={useProduct()} />;
}

/** The tab of an entity. */
export function SluiceEntityContent() {
  return <SluiceReleaseView product={useProduct()} />;
}
