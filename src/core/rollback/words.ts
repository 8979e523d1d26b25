import type { VersionRef } from './rollback.ts';

/** What people call a version; by its digest where it has no name. */
export function named({ label, digest }: VersionRef): string {
  if (label !== '') return label;
  return digest === '' ? 'an unknown version' : digest.slice(0, 12);
}

/** Two versions in one sentence: with digests where the names are the same and the contents are not. */
export function distinct(one: VersionRef, other: VersionRef): [string, string] {
  if (named(one) !== named(other) || one.digest === other.digest) return [named(one), named(other)];
  return [`${named(one)} (${one.digest.slice(0, 12)})`, `${named(other)} (${other.digest.slice(0, 12)})`];
}

/** The same content. What is not known is not the same as anything. */
export function sameVersion(one: VersionRef | null | undefined, other: VersionRef | null | undefined): boolean {
  return !!one && !!other && one.digest !== '' && one.digest === other.digest;
}
