import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SecretUse } from '../core/secrets.ts';

/** A secret, sealed with AES-256-GCM. Nothing but a worker at work opens it. */
@Entity('secret')
export class SecretRow {
  @PrimaryColumn({ type: 'text' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ type: 'jsonb' })
  use!: SecretUse;

  /** Which key sealed it. */
  @Column({ name: 'key_id', type: 'text' })
  keyId!: string;

  /** 12 bytes, new with each sealing. */
  @Column({ type: 'bytea' })
  nonce!: Buffer;

  /** The encrypted value, and behind it the 16 bytes of its tag. */
  @Column({ type: 'bytea' })
  sealed!: Buffer;

  @Column({ type: 'integer' })
  revision!: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;

  @Column({ name: 'updated_by', type: 'text', nullable: true })
  updatedBy!: string | null;
}
