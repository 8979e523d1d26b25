/** Remembers what was found. A cache that holds `most` begins anew: what is asked again is found again. */
export function keep<K, V>(cache: Map<K, V>, key: K, value: V, most: number): V {
  if (cache.size >= most) cache.clear();
  cache.set(key, value);
  return value;
}
