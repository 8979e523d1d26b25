import {
  Environment,
  EnvironmentConnection,
  EnvironmentCreateInput,
  EnvironmentPayload,
  EnvironmentUpdateInput,
} from '../schema/environment.ts';
import { definitionResolver } from './definitions.ts';

export const ENVIRONMENT = {
  kind: 'Environment' as const,
  field: 'environment',
  list: 'environments',
  noun: 'environment',
  type: Environment,
  connection: EnvironmentConnection,
  createInput: EnvironmentCreateInput,
  updateInput: EnvironmentUpdateInput,
  payload: EnvironmentPayload,
};

export const EnvironmentDefinitionResolver = definitionResolver(ENVIRONMENT);
