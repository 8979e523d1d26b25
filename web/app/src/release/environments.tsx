import { Button } from 'react-aria-components';
import type { PromotionCardFragment } from '../generated/documents.ts';
import { Status } from '../parts/status.tsx';
import { Took, When } from '../parts/time.tsx';
import { toWords, without } from '../parts/words.ts';
import type { ReleaseRead } from './use-release.ts';

interface EnvironmentsProps {
  release: ReleaseRead;
  selected: string | undefined;
  onSelect: (name: string) => void;
}

/** The same as the graph, as a list. */
export function Environments({ release, selected, onSelect }: EnvironmentsProps) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Environment</th>
          <th scope="col">Status</th>
          <th scope="col">Group</th>
          <th scope="col">Started</th>
          <th scope="col">Took</th>
          <th scope="col">Commit</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        {release.promotions.map((each) => (
          <tr key={each.id} className={each.name === selected ? 'selected' : undefined}>
            <th scope="row">
              <Button className="link-button" onPress={() => onSelect(each.name)}>
                {each.name}
              </Button>
            </th>
            <td>
              <Status status={each.status} word={wordOf(each)} />
            </td>
            <td>{each.group?.name}</td>
            <td>{each.startedAt && <When at={each.startedAt} />}</td>
            <td>{each.startedAt && <Took from={each.startedAt} until={each.endedAt ?? null} />}</td>
            <td className="mono">{commitsOf(each)}</td>
            <td className="now">{sayNow(each)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** `Running: health`: where in its life it is, while it runs. */
export const wordOf = ({ status, phase }: Pick<PromotionCardFragment, 'status' | 'phase'>): string =>
  status === 'RUNNING' && phase ? `${toWords(status)}: ${toWords(phase).toLowerCase()}` : toWords(status);

export const sayNow = ({ name, problem, skip, waitingFor }: PromotionCardFragment): string =>
  problem?.message ??
  (skip ? `Skipped by ${skip.by ?? 'somebody'}: ${skip.reason}` : without(name, waitingFor[0]?.message ?? ''));

export const commitsOf = ({ applications }: Pick<PromotionCardFragment, 'applications'>): string =>
  [...new Set(applications.flatMap(({ commit }) => (commit ? [commit.slice(0, 7)] : [])))].join(', ');
