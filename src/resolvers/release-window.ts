import {
  ReleaseWindow,
  ReleaseWindowConnection,
  ReleaseWindowCreateInput,
  ReleaseWindowPayload,
  ReleaseWindowUpdateInput,
} from '../schema/release-window.ts';
import { definitionResolver } from './definitions.ts';

export const RELEASE_WINDOW = {
  kind: 'ReleaseWindow' as const,
  field: 'releaseWindow',
  list: 'releaseWindows',
  noun: 'release window',
  type: ReleaseWindow,
  connection: ReleaseWindowConnection,
  createInput: ReleaseWindowCreateInput,
  updateInput: ReleaseWindowUpdateInput,
  payload: ReleaseWindowPayload,
};

export const ReleaseWindowDefinitionResolver = definitionResolver(RELEASE_WINDOW);
