import type { Visibility } from '../core/access/index.ts';
import type { Maker } from '../core/caller.ts';

/** More of the caller who gives an order than the name that is written down. */
export interface Orderer {
  /** The people who stand behind what comes of it. */
  makers?: readonly Maker[];
  /** Refusals and outcomes name environments that are seen, and no others; null: all. */
  visible?: Visibility | null;
}
