import { KeyRound, ShieldX } from 'lucide-react';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { useClient, useQuery } from 'urql';
import { wordsOf } from '../api/client.ts';
import { CreateTokenDocument, RevokeTokenDocument, TokensDocument } from '../generated/documents.ts';
import { Ask, type Refusals } from '../parts/ask.tsx';
import { Copy } from '../parts/copy.tsx';
import { Empty } from '../parts/empty.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { Listed } from '../parts/rows.tsx';
import { Text } from '../parts/text.tsx';
import { When } from '../parts/time.tsx';
import { Until } from '../parts/until.tsx';
import { toWords } from '../parts/words.ts';
import { usePaging } from './use-paging.ts';

export function Tokens() {
  const { after, onPage } = usePaging();
  const [{ data, error }] = useQuery({ query: TokensDocument, variables: { after }, context: READ_AGAIN });
  const revoke = useOrder(RevokeTokenDocument);
  const [secret, setSecret] = useState<string>();
  return (
    <>
      <div className="toolbar">
        <NewToken onMade={setSecret} />
      </div>
      {secret !== undefined && (
        <section className="card" role="status">
          <p>The token is shown here once, and never again:</p>
          <p className="mono secret">{secret}</p>
          <div className="actions">
            <Copy label="Copy" text={secret} />
            <Button className="button" onPress={() => setSecret(undefined)}>
              I have kept it
            </Button>
          </div>
        </section>
      )}
      <Listed
        page={data?.apiTokens}
        error={error}
        what="the tokens"
        head={['Token', 'Speaks for', 'Limited to', 'Made by', 'Used', 'Ends']}
        acts
        next="Next page"
        after={after}
        onPage={onPage}
        none={
          <Empty title="There is no API token yet.">
            <p>A token speaks for a person or for a service account, such as a build.</p>
          </Empty>
        }
      >
        {(each) => (
          <tr key={each.id} className={each.revokedAt ? 'past' : undefined}>
            <th scope="row">
              {each.name}
              <small className="mono">{each.id}</small>
            </th>
            <td>
              {each.subject} <small>{toWords(each.subjectKind)}</small>
            </td>
            <td>{each.scope ? each.scope.map(({ role }) => toWords(role)).join(', ') : 'what is granted to it'}</td>
            <td>
              {each.createdBy} <When at={each.createdAt} />
            </td>
            <td>{each.lastUsedAt ? <When at={each.lastUsedAt} /> : 'never'}</td>
            <td>
              <Until
                endedAt={each.revokedAt}
                endedBy={each.revokedBy}
                word="revoked"
                until={each.expiresAt}
                never="never"
              />
            </td>
            <td>
              {!each.revokedAt && (
                <Ask
                  label="Revoke"
                  title={`Revoke ${each.name}`}
                  icon={<ShieldX size={16} aria-hidden />}
                  kind="danger"
                  onConfirm={() => revoke({ input: { id: each.id } })}
                >
                  <p>What uses it is refused from now on.</p>
                </Ask>
              )}
            </td>
          </tr>
        )}
      </Listed>
    </>
  );
}

function NewToken({ onMade }: { onMade: (secret: string) => void }) {
  const client = useClient();
  const [name, setName] = useState('');
  const [subject, setSubject] = useState('');
  const create = async (): Promise<Refusals> => {
    const input = { name: name.trim(), subject: subject.trim() };
    const { data, error } = await client.mutation(CreateTokenDocument, { input }, READ_AGAIN).toPromise();
    if (error) return [wordsOf(error)];
    if (data?.payload.secret) onMade(data.payload.secret);
    return data?.payload.userErrors.map(({ message }) => message) ?? [];
  };
  return (
    <Ask label="Make a token" icon={<KeyRound size={16} aria-hidden />} kind="primary" onConfirm={create}>
      <Text label="What it is for" value={name} onChange={setName} isRequired hint="CI of billing" />
      <Text label="Service account" value={subject} onChange={setSubject} isRequired hint="ci-billing" />
      <p className="hint">It can do what is granted to that service account. Grant it a role on the first tab.</p>
    </Ask>
  );
}
