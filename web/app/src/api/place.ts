/**
 * The address that the app is mounted at, with a slash at its end: the page asks `graphql` below it, whatever prefix a proxy has put in
 * front. Built, this file is in `assets/`.
 */
export const ROOT = import.meta.env.DEV
  ? new URL('/', window.location.href)
  : new URL(/* @vite-ignore */ '../', import.meta.url);

/** @param path below the root, without a slash in front */
export const addressOf = (path: string): string => new URL(path, ROOT).href;
