export const AUDIT_OUTCOMES = ['DONE', 'REFUSED', 'FORBIDDEN', 'FAILED'] as const;
/** REFUSED: the command itself said no. FORBIDDEN: the caller may not. FAILED: something broke; what it changed is not known. */
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** A thing that a command changed, as people name it. */
export interface AuditObject {
  /** `Product`, `Release`, `Token`, … */
  kind: string;
  name: string;
}
