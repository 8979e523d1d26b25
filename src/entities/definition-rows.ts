import { Column, CreateDateColumn, Entity, Index, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import type { Kind, Labels, Specs } from '../core/definitions.ts';

/** What every kind of definition has in its table; `revision` counts the saves and guards against two editors. */
export abstract class DefinitionRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Index({ unique: true })
  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'jsonb' })
  labels!: Labels;

  @Column({ type: 'jsonb' })
  annotations!: Labels;

  @Column({ type: 'jsonb' })
  spec!: Specs[Kind];

  @Column({ type: 'integer' })
  revision!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}

@Entity('product')
export class ProductRow extends DefinitionRow {}

@Entity('environment')
export class EnvironmentRow extends DefinitionRow {}

@Entity('environment_group')
export class EnvironmentGroupRow extends DefinitionRow {}

@Entity('promotion_flow')
export class PromotionFlowRow extends DefinitionRow {}

@Entity('promotion_workflow')
export class PromotionWorkflowRow extends DefinitionRow {}

@Entity('promotion_policy')
export class PromotionPolicyRow extends DefinitionRow {}

@Entity('promotion_template')
export class PromotionTemplateRow extends DefinitionRow {}

@Entity('release_window')
export class ReleaseWindowRow extends DefinitionRow {}

@Entity('git_source')
export class GitSourceRow extends DefinitionRow {}

/** `product` and `environment` stand beside the spec that holds them too, for their index. */
@Entity('application')
@Index(['product', 'environment'])
export class ApplicationRow extends DefinitionRow {
  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  environment!: string;
}

/** Every saved revision of every definition: a release shows the one that it runs, an audit shows them all. */
@Entity('definition_revision')
@Index('definition_revision_in_order', ['change'], { unique: true })
export class DefinitionRevisionRow {
  @PrimaryColumn({ type: 'text' })
  kind!: Kind;

  @PrimaryColumn({ type: 'text' })
  name!: string;

  @PrimaryColumn({ type: 'integer' })
  revision!: number;

  @Column({ type: 'jsonb' })
  labels!: Labels;

  @Column({ type: 'jsonb' })
  annotations!: Labels;

  /** Null where the revision is the deletion. */
  @Column({ type: 'jsonb', nullable: true })
  spec!: Specs[Kind] | null;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  /** The text that it was written as; null: it was not saved as text. Queries name it to get it. */
  @Column({ type: 'text', nullable: true, select: false })
  text!: string | null;

  /** The place of this save among all, in the order of their commits; null: an earlier version of Sluice has saved it. */
  @Column({ type: 'bigint', nullable: true })
  change!: string | null;
}

/** One row: counts the saves of all definitions, so that a process knows in one small read whether what it holds is current. */
@Entity('definition_clock')
export class DefinitionClockRow {
  @PrimaryColumn({ type: 'integer' })
  id!: number;

  @Column({ type: 'bigint' })
  revision!: string;
}

export const DEFINITION_ROWS = {
  Product: ProductRow,
  Application: ApplicationRow,
  Environment: EnvironmentRow,
  EnvironmentGroup: EnvironmentGroupRow,
  PromotionFlow: PromotionFlowRow,
  PromotionWorkflow: PromotionWorkflowRow,
  PromotionPolicy: PromotionPolicyRow,
  PromotionTemplate: PromotionTemplateRow,
  ReleaseWindow: ReleaseWindowRow,
  GitSource: GitSourceRow,
} as const;
