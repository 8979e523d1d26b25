import { readParameters as readIn } from '../../core/action-parameters.ts';
import type { ACTIONS } from '../../core/kinds/actions.ts';
import type { Infer, ObjectShape } from '../../core/kinds/shape.ts';
import { PermanentError } from '../driver.ts';

/** Of an action of this type, as they are once every `${NAME}` in them is replaced. */
export type ParametersOf<T extends keyof typeof ACTIONS> = Infer<(typeof ACTIONS)[T]>;

/**
 * Parameters as they are once every `${NAME}` in them is replaced, which makes texts of numbers: `failures: ${N}`.
 * @throws PermanentError naming the first parameter that cannot be used; values are not repeated, they may be secret.
 */
export function readParameters<S extends ObjectShape>(shape: S, parameters: unknown): Infer<S> {
  return readIn(shape, parameters, (message, path) => {
    throw new PermanentError(`parameter "${path.join('.') || 'parameters'}": ${message}`);
  });
}
