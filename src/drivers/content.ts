import { createHash } from 'node:crypto';
import { canonical } from './canonical.ts';
import type { PinnedContent } from './driver.ts';
import { PermanentError } from './driver.ts';

/** A promotion carries configuration, not artefacts: beyond this it points at the wrong folder. */
export const LIMITS = {
  fileBytes: 1024 * 1024,
  totalBytes: 8 * 1024 * 1024,
  files: 2_000,
  /** That are looked at for the files of a pattern. */
  listed: 100_000,
  /** Of a file of which values are promoted: the file itself stays where it is. */
  editedFileBytes: 10 * 1024 * 1024,
  editedTotalBytes: 40 * 1024 * 1024,
};

/** Of the text in UTF-8, in hex. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The digest of a version: sha-256 over the canonical form of its files. */
export const contentDigest = (files: PinnedContent['files']): string => sha256(canonical(files));

/** Content travels through a database between pin and write; what is written must be what was pinned. */
export function verifyDigest(content: PinnedContent): void {
  const digest = contentDigest(content.files);
  if (digest === content.digest) return;
  throw new PermanentError(
    `the content of version ${content.label} has digest ${digest}, but ${content.digest} was pinned: not written`,
  );
}
