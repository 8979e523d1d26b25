import { environmentSelector, selector } from '../core/kinds/common.ts';
import { inputFor, typeFor } from './shape-types.ts';

export const SelectorType = typeFor(selector);
export const SelectorInput = inputFor(selector);
export const EnvironmentSelectorType = typeFor(environmentSelector);
export const EnvironmentSelectorInput = inputFor(environmentSelector);
