import { boolean, duration, list, object, optional, text } from './shape.ts';

const SECOND = 1000;

/** When a change in the trigger environment becomes a release by itself; the same fields stand in products and in flows. */
export const trigger = object(
  'AutomaticTrigger',
  'When a change in the trigger environment becomes a release by itself.',
  {
    automatic: optional(
      boolean,
      'Whether it does; true when left out, and off where the product or the flow says so.',
      {
        meant: true,
      },
    ),
    branches: optional(
      list(
        text({ most: 250, called: 'the branch', empty: 'an empty pattern matches no branch; remove it' }),
        'branches',
        { most: 100 },
      ),
      'Branches whose changes count, where `*` stands for anything; that of each application when left out.',
    ),
    coalesce: optional(
      duration(0, { short: true }),
      'Pushes that come so shortly after the first one are one release; 2 seconds when left out.',
      { meant: 2 * SECOND },
    ),
    interval: optional(
      duration(5 * SECOND, { short: true, why: 'hosts limit how often they are asked' }),
      'How often the repository is asked where no webhook tells of a push; a minute when left out. The shortest of those that share a repository counts.',
      { meant: 60 * SECOND },
    ),
    ignorePaths: optional(
      list(text({ most: 1000, called: 'the path', empty: 'an empty path matches no file; remove it' }), 'paths', {
        most: 100,
      }),
      "Files whose changes make no release, below the application's folder; `*` stands for anything. Those of the product and of the flow count together.",
    ),
  },
);
