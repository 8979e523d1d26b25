export interface ReleaseSearch {
  /** The environment whose steps stand beside the graph. */
  environment?: string;
  view?: 'graph' | 'list' | 'timeline';
}

export function releaseSearch({ environment, view }: Record<string, unknown>): ReleaseSearch {
  return {
    environment: typeof environment === 'string' ? environment : undefined,
    view: view === 'list' || view === 'timeline' ? view : undefined,
  };
}
