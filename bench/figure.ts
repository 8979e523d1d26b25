/** One figure as others read it; floor and ratio are null where there is nothing to compare with. */
export interface Figure {
  name: string;
  backend: 'redis' | 'postgres' | null;
  value: number;
  unit: string;
  floor: number | null;
  /** For a rate value / floor, more is better; for a time too, and there less is better. */
  ratio: number | null;
  /** What it should be at most, of a rate at least, where somebody has said so. */
  aim?: number;
}
