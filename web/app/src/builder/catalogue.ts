import { useCallback, useEffect, useState } from 'react';
import { type Client, useClient } from 'urql';
import { readAll } from '../api/read-all.ts';
import { EnvironmentNamesDocument, GroupNamesDocument, WorkflowNamesDocument } from '../generated/documents.ts';

/** What exists besides the flow, as the rules of the core ask for it. */
export interface Catalogue {
  environments: ReadonlyMap<string, { isProduction: boolean }>;
  /** Name → members. */
  groups: ReadonlyMap<string, readonly string[]>;
  gates: ReadonlyMap<string, string>;
  workflows: ReadonlySet<string>;
}

async function readCatalogue(client: Client): Promise<Catalogue> {
  const [environments, groups, workflows] = await Promise.all([
    readAll(client, EnvironmentNamesDocument),
    readAll(client, GroupNamesDocument),
    readAll(client, WorkflowNamesDocument),
  ]);
  return {
    environments: new Map(environments.map(({ name, kind }) => [name, { isProduction: kind === 'PRODUCTION' }])),
    groups: new Map(groups.map(({ name, members }) => [name, members.map((each) => each.name)])),
    gates: new Map(groups.map(({ name, gate }) => [name, inWords(gate)])),
    workflows: new Set(workflows.map(({ name }) => name)),
  };
}

function inWords({ policy, count, percent }: { policy: string; count?: number | null; percent?: number | null }) {
  if (policy === 'ALL') return 'all of them';
  if (policy === 'ANY') return 'any of them';
  return `at least ${percent == null ? (count ?? 1) : `${percent} %`}`;
}

/** What exists, all of it, and how to read it again. */
export function useCatalogue(): {
  catalogue?: Catalogue;
  problem?: string;
  readAgain: () => Promise<Catalogue | undefined>;
} {
  const client = useClient();
  const [state, setState] = useState<{ catalogue?: Catalogue; problem?: string }>({});
  const readAgain = useCallback(async () => {
    try {
      const catalogue = await readCatalogue(client);
      setState({ catalogue });
      return catalogue;
    } catch (error) {
      setState((before) => ({ ...before, problem: (error as Error).message }));
      return undefined;
    }
  }, [client]);
  useEffect(() => void readAgain(), [readAgain]);
  return { ...state, readAgain };
}
