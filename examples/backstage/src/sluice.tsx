import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ClassAttributes, HTMLAttributes, RefObject } from 'react';
import { discoveryApiRef, fetchApiRef, useApi } from '@backstage/frontend-plugin-api';
import type { SluiceRelease } from '@sluice/elements/release';
import '@sluice/elements/release';
import '@sluice/elements/status';

/** On an entity: the name of its product in Sluice. */
export const ANNOTATION = 'sluice.dev/product';

/** The endpoint behind the backend's proxy, which adds the token; undefined until it is known. */
function useEndpoint(): string | undefined {
  const discovery = useApi(discoveryApiRef);
  const [endpoint, setEndpoint] = useState<string>();
  useEffect(() => {
    let gone = false;
    void discovery.getBaseUrl('proxy').then((proxy) => {
      if (!gone) setEndpoint(`${proxy}/sluice/graphql`);
    });
    return () => {
      gone = true;
    };
  }, [discovery]);
  return endpoint;
}

type Element = Pick<SluiceRelease, 'fetch' | 'endpoint'> & HTMLElement;

/** One of the elements with the `fetch` of Backstage, which knows who is signed in. */
function useElement(): { ref: RefObject<Element>; endpoint: string | undefined } {
  const ref = useRef<Element>(null);
  const endpoint = useEndpoint();
  const { fetch } = useApi(fetchApiRef);
  // Before the element asks for the first time: nothing goes out that does not say who asks.
  useLayoutEffect(() => {
    if (ref.current && endpoint !== undefined) ref.current.fetch = fetch;
  }, [fetch, endpoint]);
  return { ref, endpoint };
}

/** The newest release of a product, in one line. */
export function SluiceStatusLine({ product }: { product: string }) {
  const { ref, endpoint } = useElement();
  return endpoint === undefined ? null : <sluice-status ref={ref as never} endpoint={endpoint} product={product} />;
}

/** The newest release of a product, with the graph of its flow. */
export function SluiceReleaseView({ product }: { product: string }) {
  const { ref, endpoint } = useElement();
  return endpoint === undefined ? null : <sluice-release ref={ref as never} endpoint={endpoint} release={product} />;
}

/** What React lets a page say of one of them. */
type ElementAttributes = ClassAttributes<HTMLElement> &
  HTMLAttributes<HTMLElement> & { endpoint: string; product?: string; release?: string };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'sluice-status': ElementAttributes;
      'sluice-release': ElementAttributes;
    }
  }
}
