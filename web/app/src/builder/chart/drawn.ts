/** Something that stands somewhere. */
export interface Box {
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** An edge between two of them. */
export interface DrawnEdge {
  id: string;
  from: string;
  to: string;
  /** Of the group `from` it is this one alone. */
  member?: string;
  /** In `dependsOn` of `to`; -1: it is gone. */
  at: number;
  change?: 'ADDED' | 'REMOVED';
}

/** A chart as it is placed: keys and searches look at it, and not at what happens to be drawn. */
export interface Drawn<B extends Box = Box> {
  nodes: readonly B[];
  width: number;
  height: number;
}

/** An edge is being dragged from here; of every node why it cannot end there, null: it can. */
export interface Connecting {
  from: string;
  targets: ReadonlyMap<string, string | null>;
}
