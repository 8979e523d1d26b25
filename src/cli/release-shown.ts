/** A release as the CLI shows it: one flat shape, whatever the nesting of the API. */
export interface ReleaseShown {
  id: string;
  /** The bare id, as in logs and commit messages. */
  uuid: string;
  /** FORWARD or ROLLBACK. */
  kind: string;
  product: string;
  version: string;
  /** The commit of the trigger environment that it was pinned from. */
  commit: string | null;
  flow: string;
  status: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  problem: string | null;
  /** What the release as a whole waits for: its turn, a group's health. */
  waitingFor: string[];
  /** In flow order. */
  promotions: PromotionShown[];
}

export interface PromotionShown {
  name: string;
  /** The group whose members stand together, if any. */
  group: string | null;
  status: string;
  attempt: number;
  phase: string | null;
  startedAt: string | null;
  endedAt: string | null;
  waitingFor: string[];
  problem: string | null;
  /** The commit that it made in its environment. */
  commit: string | null;
}
