import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What one credential of a forge may still ask for, in all processes together: src/core/forge-budget.ts says how it is counted. */
@Entity('forge_budget')
export class ForgeBudgetRow {
  /** The secret's name; of a GitHub App with the installation behind it. */
  @PrimaryColumn({ type: 'text' })
  credential!: string;

  @Column({ name: 'points_at', type: 'timestamptz' })
  pointsAt!: Date;

  @Column({ name: 'writes_at', type: 'timestamptz' })
  writesAt!: Date;

  @Column({ name: 'content_at', type: 'timestamptz' })
  contentAt!: Date;

  /** The host said to wait until then, and why. */
  @Column({ name: 'blocked_until', type: 'timestamptz' })
  blockedUntil!: Date;

  @Column({ name: 'blocked_why', type: 'text', nullable: true })
  blockedWhy!: string | null;

  @Column({ name: 'scarce_until', type: 'timestamptz' })
  scarceUntil!: Date;

  @Column({ type: 'integer' })
  strikes!: number;

  /** Call → the moment at which it is over for certain, in milliseconds since the epoch. */
  @Column({ type: 'jsonb' })
  leases!: Record<string, number>;
}
