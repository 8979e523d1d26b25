export const VIEWS = ['graph', 'list', 'gantt', 'notes', 'timeline'] as const;

export interface ReleaseSearch {
  /** The environment whose steps stand beside the graph. */
  environment?: string;
  /** undefined: the graph where there is room for it. */
  view?: (typeof VIEWS)[number];
}

export function releaseSearch({ environment, view }: Record<string, unknown>): ReleaseSearch {
  return {
    environment: typeof environment === 'string' ? environment : undefined,
    view: VIEWS.find((each) => each === view),
  };
}
