/** One permission per verb; roles are sets of them, and grants give roles. */
export const PERMISSIONS = [
  'VIEW',
  'PROMOTE',
  'RETRY',
  'TERMINATE',
  'APPROVE',
  'BRING_APPROVALS',
  'OVERRIDE',
  'ROLLBACK',
  'HOLD',
  'MARK_BAD',
  'REPORT',
  'EDIT_DEFINITIONS',
  'MANAGE_SECRETS',
  'MANAGE_ACCESS',
  'READ_AUDIT',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Every role, as grants name them. */
export const ROLES = ['VIEWER', 'RELEASER', 'APPROVER', 'OPERATOR', 'MESSENGER', 'ADMIN'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What each role may do. An operator does not approve and an approver does not release: who wants one person to do both grants
 * both, and sees it in the list of grants. A MESSENGER speaks in the name of others: only an ADMIN without limits has that by the
 * role, and only such an ADMIN can hand it on.
 */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  VIEWER: ['VIEW'],
  RELEASER: ['VIEW', 'PROMOTE', 'RETRY', 'TERMINATE', 'REPORT'],
  APPROVER: ['VIEW', 'APPROVE'],
  OPERATOR: ['VIEW', 'PROMOTE', 'RETRY', 'TERMINATE', 'REPORT', 'OVERRIDE', 'ROLLBACK', 'HOLD', 'MARK_BAD'],
  MESSENGER: ['VIEW', 'BRING_APPROVALS'],
  ADMIN: PERMISSIONS.filter((each) => each !== 'BRING_APPROVALS'),
};
