import { ShieldMinus, ShieldPlus } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import {
  CreateGrantDocument,
  DeleteGrantDocument,
  GrantsDocument,
  type GrantsQuery,
  type Role,
  type SubjectKind,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Choose } from '../parts/choose.tsx';
import { Empty } from '../parts/empty.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { Listed } from '../parts/rows.tsx';
import { Text } from '../parts/text.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';
import { usePaging } from './use-paging.ts';

type Grant = GrantsQuery['roleGrants']['nodes'][number];

export const ROLES: Role[] = ['VIEWER', 'APPROVER', 'RELEASER', 'OPERATOR', 'MESSENGER', 'ADMIN'];
export const SUBJECTS: SubjectKind[] = ['USER', 'GROUP', 'SERVICE_ACCOUNT'];

export function Grants() {
  const { after, onPage } = usePaging();
  const [{ data, error }] = useQuery({ query: GrantsDocument, variables: { after }, context: READ_AGAIN });
  const remove = useOrder(DeleteGrantDocument);
  return (
    <>
      <div className="toolbar">
        <NewGrant />
      </div>
      <Listed
        page={data?.roleGrants}
        error={error}
        what="the grants"
        head={['Who', 'Role', 'Products', 'Environments', 'Granted by', 'Granted']}
        acts
        next="Next page"
        after={after}
        onPage={onPage}
        none={
          <Empty title="Nobody was granted a role yet.">
            <p>The admin token can do everything. Grant roles to people and groups of the identity provider.</p>
          </Empty>
        }
      >
        {(each) => (
          <tr key={each.id}>
            <th scope="row">
              {each.subject}
              <small>{toWords(each.subjectKind)}</small>
            </th>
            <td>{toWords(each.role)}</td>
            <td>{sayWhere(each.products)}</td>
            <td>{sayWhere(each.environments)}</td>
            <td>{each.createdBy ?? 'somebody'}</td>
            <td>
              <When at={each.createdAt} />
            </td>
            <td>
              <Ask
                label="Take away"
                title={`Take ${toWords(each.role)} away from ${each.subject}`}
                icon={<ShieldMinus size={16} aria-hidden />}
                kind="danger"
                onConfirm={() => remove({ input: { id: each.id } })}
              >
                <p>It counts from the next request on.</p>
              </Ask>
            </td>
          </tr>
        )}
      </Listed>
    </>
  );
}

function NewGrant() {
  const create = useOrder(CreateGrantDocument);
  const [subject, setSubject] = useState('');
  const [subjectKind, setKind] = useState<SubjectKind>('USER');
  const [role, setRole] = useState<Role>('RELEASER');
  const [products, setProducts] = useState('');
  const [environments, setEnvironments] = useState('');
  return (
    <Ask
      label="Grant a role"
      icon={<ShieldPlus size={16} aria-hidden />}
      kind="primary"
      onConfirm={() =>
        create({
          input: {
            subject: subject.trim(),
            subjectKind,
            role,
            products: { names: namesOf(products) },
            environments: { names: namesOf(environments) },
          },
        })
      }
    >
      <Text
        label="Who"
        value={subject}
        onChange={setSubject}
        isRequired
        hint="ana@example.com, or the name of a group"
      />
      <Choose
        label="Kind"
        value={subjectKind}
        choices={SUBJECTS.map((id) => ({ id, name: toWords(id) }))}
        onChange={(id) => setKind(SUBJECTS.find((each) => each === id) ?? 'USER')}
      />
      <Choose
        label="Role"
        value={role}
        choices={ROLES.map((id) => ({ id, name: toWords(id) }))}
        onChange={(id) => setRole(ROLES.find((each) => each === id) ?? 'VIEWER')}
      />
      <Text label="Products" value={products} onChange={setProducts} hint="billing, search-*; empty: all" />
      <Text label="Environments" value={environments} onChange={setEnvironments} hint="us-*, eu; empty: all" />
    </Ask>
  );
}

/** `a, b-*` as names of a selector; undefined: all. */
export function namesOf(text: string): string[] | undefined {
  const names = text.split(/[\s,]+/).filter((each) => each !== '');
  return names.length > 0 ? names : undefined;
}

function sayWhere({ names, matchLabels, ...rest }: Grant['products'] | Grant['environments']): string {
  const kinds = 'kinds' in rest ? (rest.kinds ?? []) : [];
  const parts = [
    ...(names ? [names.join(', ')] : []),
    ...(kinds.length > 0 ? [kinds.map(toWords).join(', ')] : []),
    ...(matchLabels ?? []).map(({ key, value }) => `${key}=${value}`),
  ];
  return parts.join('; ') || 'all';
}
