import type { Parts } from '../../parts.ts';
import type { StoredDefinition } from '../../core/definitions.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';

/** The applications from which a product's releases start in this environment. */
export interface Sources {
  product: string;
  environment: string;
  /** The field of the input that a source which cannot be read is about. */
  about: 'product' | 'commit';
}

/**
 * Asks all of them at once, for at most a minute, outside any transaction. Answers by the name of the application.
 * @throws RefusedError naming the source that could not be read
 */
export async function askSources<T>(
  { clock }: Parts,
  definitions: DefinitionSnapshot,
  { product, environment, about }: Sources,
  ask: (source: StoredDefinition<'Application'>, signal: AbortSignal) => Promise<T>,
): Promise<Record<string, T>> {
  const sources = definitions.applicationsOf(product).filter(({ spec }) => spec.environment === environment);
  const signal = clock.limit('pin', LIMIT);
  const answers = sources.map(async (source) => {
    const { name } = source.metadata;
    try {
      return [name, await ask(source, signal)] as const;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const reason = signal.aborted ? `it took longer than ${LIMIT / 1_000} s` : said;
      const message = `the source of application "${name}" in "${environment}" cannot be read: ${reason}`;
      throw new RefusedError([refusal('SOURCE_UNREACHABLE', message, [about])], { cause: error });
    }
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** In milliseconds. */
const LIMIT = 60_000;
