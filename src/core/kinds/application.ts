import { description, DESCRIPTION } from './common.ts';
import { driver } from './drivers.ts';
import { health } from './health.ts';
import { sync } from './sync.ts';
import { defaulted, name, object, optional, ref, required, text } from './shape.ts';

export const application = object('Application', "A product's deployable in one environment.", {
  description: optional(description, DESCRIPTION),
  product: required(ref('Product', 'the product'), 'The name of the product that it belongs to.', { api: 'INPUT' }),
  environment: required(ref('Environment', 'the environment'), 'The name of the environment that it is deployed to.', {
    api: 'INPUT',
  }),
  component: optional(
    name('the component'),
    "Pairs it with the trigger environment's application of that component, where it has several.",
  ),
  driver: required(driver, 'How it is changed.'),
  health: defaulted(health, { type: 'none' }, 'Where its health is known from.', { leftOut: '`none`' }),
  sync: optional(sync, 'The source that says whether its target runs a change; null: there is none.', {
    aboutInput: 'The source that says whether its target runs a change, asked before its health. None when left out.',
  }),
  namespace: optional(name('the namespace'), 'Given to workflows as APP_NAMESPACE.'),
  runtime: optional(text({ most: 253, called: 'the runtime' }), 'Given to workflows as RUNTIME.'),
});
