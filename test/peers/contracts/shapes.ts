/** Short words for JSON Schema, for hosts that publish no document: their shapes are written from their pages. */
export type Shape = { [key: string]: unknown } | boolean;

export const text: Shape = { type: 'string' };
export const textOrNull: Shape = { type: ['string', 'null'] };
export const count: Shape = { type: 'integer' };
export const countOrNull: Shape = { type: ['integer', 'null'] };
export const flag: Shape = { type: 'boolean' };
export const time: Shape = { type: 'string', format: 'date-time' };
export const timeOrNull: Shape = { type: ['string', 'null'], format: 'date-time' };
export const sha: Shape = { type: 'string', pattern: '^[0-9a-f]{40}$' };
export const shaOrNull: Shape = { type: ['string', 'null'], pattern: '^[0-9a-f]{40}$' };
export const oneOf = (...values: string[]): Shape => ({ type: 'string', enum: values });
export const list = (items: Shape): Shape => ({ type: 'array', items });
export const ref = (name: string): Shape => ({ $ref: `#/$defs/${name}` });
export const orNull = (shape: Shape): Shape => ({ anyOf: [shape, { type: 'null' }] });

/** An object of these fields and no others; those that end in `?` may be missing. */
export function fields(all: Record<string, Shape>): Shape {
  const entries = Object.entries(all).map(([key, shape]) => [key.replace('?', ''), shape] as const);
  const required = Object.keys(all).filter((key) => !key.endsWith('?'));
  return { type: 'object', properties: Object.fromEntries(entries), required, additionalProperties: false };
}

/** Paging, as these hosts have it. */
export const paging = { page: count, per_page: count };
