/** What can be defined, in an order in which nothing is named before it is there. */
export const KINDS = [
  'Environment',
  'EnvironmentGroup',
  'PromotionTemplate',
  'PromotionWorkflow',
  'PromotionPolicy',
  'PromotionFlow',
  'Product',
  'Application',
  'ReleaseWindow',
  'GitSource',
] as const;

export type Kind = (typeof KINDS)[number];
