import { Button } from 'react-aria-components';
import type { ReasonFragment } from '../generated/documents.ts';
import { Table } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { Took, When } from '../parts/time.tsx';
import { toWords, without } from '../parts/words.ts';
import { reasonsByPromotion } from './paint.ts';
import type { PromotionRead, ReleaseRead } from './use-release.ts';

interface EnvironmentsProps {
  release: ReleaseRead;
  selected: string | undefined;
  onSelect: (name: string) => void;
}

/** The same as the graph, as a list. */
export function Environments({ release, selected, onSelect }: EnvironmentsProps) {
  const reasons = reasonsByPromotion(release);
  return (
    <Table head={['Environment', 'Status', 'Group', 'Started', 'Took', 'Commit', 'Now']}>
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
          <td>{each.planned.group}</td>
          <td>{each.startedAt && <When at={each.startedAt} />}</td>
          <td>{each.startedAt && <Took from={each.startedAt} until={each.endedAt ?? null} />}</td>
          <td className="mono">{commitsOf(each)}</td>
          <td className="now">{sayNow(each, reasons.get(each.name))}</td>
        </tr>
      ))}
    </Table>
  );
}

/** `Running: health`: where in its life it is, while it runs. */
export const wordOf = ({ status, phase }: Pick<PromotionRead, 'status' | 'phase'>): string =>
  status === 'RUNNING' && phase ? `${toWords(status)}: ${toWords(phase).toLowerCase()}` : toWords(status);

const sayNow = ({ name, problem, skip }: PromotionRead, reasons: readonly ReasonFragment[] | undefined): string =>
  problem?.message ??
  (skip ? `Skipped by ${skip.by ?? 'somebody'}: ${skip.reason}` : without(name, reasons?.[0]?.message ?? ''));

export const commitsOf = ({ applications }: Pick<PromotionRead, 'applications'>): string =>
  [...new Set(applications.flatMap(({ commit }) => (commit ? [commit.slice(0, 7)] : [])))].join(', ');
