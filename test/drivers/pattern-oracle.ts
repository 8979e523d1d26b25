/** What a pattern means, by a regular expression: slow, short and for tests alone. */
export function means(pattern: string, file: string): boolean {
  const parts = (pattern.endsWith('/') ? `${pattern}**` : pattern).split('/');
  const last = parts.length - 1;
  const expression = parts.map((each, index) => {
    if (each === '**') return index === last ? '.+' : '(?:[^/]+/)*';
    const literal = each.split('*').map((piece) => piece.replace(/[$()+.?[\\\]^{|}]/g, '\\$&'));
    return `${literal.join('[^/]*')}${index === last ? '' : '/'}`;
  });
  return new RegExp(`^${expression.join('')}$`, 'u').test(file);
}
