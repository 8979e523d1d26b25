import { useNavigate } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';
import { Button, DialogTrigger, Form, Heading, Label, TextArea, TextField } from 'react-aria-components';
import { useClient, useQuery } from 'urql';
import { wordsOf } from '../api/client.ts';
import { RollBackDocument, type RollbackInput, RollbackPlanDocument } from '../generated/documents.ts';
import { type Ability, Refused, whyNot } from '../parts/ability.tsx';
import { Sheet } from '../parts/ask.tsx';
import { Loading } from '../parts/empty.tsx';
import { asIn, byName } from '../parts/in-order.ts';
import { Problem, QueryProblem } from '../parts/problem.tsx';
import { Table } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';

interface RollBackProps {
  /** What is taken back, in words. */
  title: string;
  /** A version wherever it is live, or what is live in environments. */
  what: Pick<RollbackInput, 'product' | 'version' | 'environments'>;
  can: Ability;
  /** Names of environments, as the page has them; left out: by name. */
  order?: readonly string[];
}

/** Takes something back, after its plan was shown. */
export function RollBackButton(props: RollBackProps) {
  const reason = whyNot(props.can);
  if (reason !== undefined) return <Refused label="Roll back" icon={<Undo2 size={16} aria-hidden />} reason={reason} />;
  return (
    <DialogTrigger>
      <Button className="button">
        <Undo2 size={16} aria-hidden />
        Roll back
      </Button>
      <Sheet wide>{(close) => <RollBackForm {...props} close={close} />}</Sheet>
    </DialogTrigger>
  );
}

function RollBackForm({ title, what, order, close }: RollBackProps & { close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const [refusals, setRefusals] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [{ data, error, fetching }] = useQuery({
    query: RollbackPlanDocument,
    variables: { input: { ...what, reason: 'to see the plan' } },
    requestPolicy: 'network-only',
  });
  const start = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.mutation(RollBackDocument, { input: { ...what, reason: reason.trim() } }).toPromise();
    setBusy(false);
    if (answer.error) return setRefusals([wordsOf(answer.error)]);
    const rollback = answer.data?.payload.rollback;
    if (!rollback) return setRefusals(answer.data?.payload.userErrors.map(({ message }) => message) ?? []);
    close();
    await navigate({ to: '/releases/$id', params: { id: rollback.uuid } });
  };
  const plan = data?.planRollback.plan;
  const targets = plan?.targets
    .toSorted((one, other) => byName(one.environment, other.environment))
    .sort(asIn(order ?? [], ({ environment }) => environment));
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <Heading slot="title">{title}</Heading>
      {fetching && <Loading what="the plan" />}
      <QueryProblem error={error} />
      {data?.planRollback.userErrors.map(({ message }) => (
        <Problem key={message}>{message}</Problem>
      ))}
      {targets && (
        <Table head={['Environment', 'What happens', 'From', 'To', 'Why']}>
          {targets.map((each) => (
            <tr key={each.environment}>
              <th scope="row">{each.environment}</th>
              <td>
                <Status status={each.decision} word={DECISIONS[each.decision] ?? toWords(each.decision)} />
              </td>
              <td className="mono">{each.from?.label}</td>
              <td className="mono">{each.to?.label}</td>
              <td>
                {each.reason}
                {each.window && ` ${each.window}`}
                {each.opensAt && (
                  <>
                    {' '}
                    Opens <When at={each.opensAt} />.
                  </>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      <TextField className="field" value={reason} onChange={setReason} isRequired autoFocus>
        <Label>Reason</Label>
        <TextArea rows={2} />
      </TextField>
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      <div className="actions">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button danger" type="submit" isPending={busy} isDisabled={plan == null}>
          Roll back
        </Button>
      </div>
    </Form>
  );
}

const DECISIONS: Record<string, string> = {
  INCLUDED: 'Goes back',
  PROPOSED: 'Goes back when a person agrees',
  LEFT_ALONE: 'Left alone',
  IMPOSSIBLE: 'Cannot go back',
};
