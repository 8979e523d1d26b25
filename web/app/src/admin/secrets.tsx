import { LockKeyhole, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { DeleteSecretDocument, SecretsDocument, type SecretsQuery, SetSecretDocument } from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty } from '../parts/empty.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { Listed } from '../parts/rows.tsx';
import { Text } from '../parts/text.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';
import { namesOf } from './grants.tsx';
import { usePaging } from './use-paging.ts';

type Secret = SecretsQuery['secrets']['nodes'][number];

/** Everything about secrets but their values, which nobody can read. */
export function Secrets() {
  const { after, onPage } = usePaging();
  const [{ data, error }] = useQuery({ query: SecretsDocument, variables: { after }, context: READ_AGAIN });
  const remove = useOrder(DeleteSecretDocument);
  return (
    <>
      <div className="toolbar">
        <NewSecret />
      </div>
      <Listed
        page={data?.secrets}
        error={error}
        what="the secrets"
        head={['Secret', 'For', 'Where it may go', 'Revision', 'Set by', 'Set']}
        acts
        next="Next page"
        after={after}
        onPage={onPage}
        none={
          <Empty title="There is no secret yet.">
            <p>
              Logins of repositories and signatures of webhooks are set with <code>sluice secret set</code>.
            </p>
          </Empty>
        }
      >
        {(each) => (
          <tr key={each.name}>
            <th scope="row">
              {each.name}
              <small>{each.description}</small>
            </th>
            <td>{toWords(each.use)}</td>
            <td className="now">{sayWhere(each)}</td>
            <td className="numbers">{each.revision}</td>
            <td>{each.updatedBy ?? 'somebody'}</td>
            <td>
              <When at={each.updatedAt} />
            </td>
            <td>
              <div className="actions">
                <NewValue name={each.name} />
                <Ask
                  label="Delete"
                  title={`Delete ${each.name}`}
                  icon={<Trash2 size={16} aria-hidden />}
                  kind="danger"
                  onConfirm={() => remove({ input: { name: each.name } })}
                >
                  <p>What uses it fails until it is set again.</p>
                </Ask>
              </div>
            </td>
          </tr>
        )}
      </Listed>
    </>
  );
}

function sayWhere({ hosts, products, gitUrl, webhookSource, forge }: Secret): string {
  if (gitUrl) return gitUrl;
  if (forge) return `${toWords(forge.type)}, ${forge.url}`;
  if (webhookSource) return `webhooks of ${webhookSource}`;
  return [hosts?.join(', ') || 'nowhere', ...(products?.length ? [`for ${products.join(', ')}`] : [])].join(' ');
}

function NewSecret() {
  const set = useOrder(SetSecretDocument);
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [hosts, setHosts] = useState('');
  return (
    <Ask
      label="Set a secret"
      icon={<LockKeyhole size={16} aria-hidden />}
      kind="primary"
      onConfirm={async () => {
        const refusals = await set({ input: { name: name.trim(), secretValue: value, hosts: namesOf(hosts) ?? [] } });
        if (refusals.length === 0) setValue('');
        return refusals;
      }}
    >
      <Text label="Name" value={name} onChange={setName} isRequired hint="slack-token" />
      <Text label="Value" value={value} onChange={setValue} isRequired type="password" />
      <Text
        label="Hosts to which it may be sent"
        value={hosts}
        onChange={setHosts}
        isRequired
        hint="hooks.example.com"
      />
      <p className="hint">For calls and messages of workflows. It cannot be read afterwards.</p>
    </Ask>
  );
}

function NewValue({ name }: { name: string }) {
  const set = useOrder(SetSecretDocument);
  const [value, setValue] = useState('');
  return (
    <Ask
      label="New value"
      title={`A new value for ${name}`}
      onConfirm={async () => {
        const refusals = await set({ input: { name, secretValue: value } });
        if (refusals.length === 0) setValue('');
        return refusals;
      }}
    >
      <Text label="Value" value={value} onChange={setValue} isRequired type="password" />
      <p className="hint">What it is for stays as it is.</p>
    </Ask>
  );
}
