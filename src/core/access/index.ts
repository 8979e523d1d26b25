export * from './audit.ts';
export * from './grants.ts';
export * from './identity.ts';
export * from './masking.ts';
export * from './permissions.ts';
export * from './visibility.ts';
