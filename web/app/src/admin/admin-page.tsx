import { useNavigate, useSearch } from '@tanstack/react-router';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { useMay } from '../frame/viewer.ts';
import type { Permission } from '../generated/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { Audit } from './audit.tsx';
import { Findings } from './findings.tsx';
import { Grants } from './grants.tsx';
import type { AdminTab } from './search.ts';
import { Secrets } from './secrets.tsx';
import { Tokens } from './tokens.tsx';

const TABS: { id: AdminTab; name: string; permission: Permission; View: () => React.ReactNode }[] = [
  { id: 'grants', name: 'Grants', permission: 'MANAGE_ACCESS', View: Grants },
  { id: 'tokens', name: 'API tokens', permission: 'MANAGE_ACCESS', View: Tokens },
  { id: 'secrets', name: 'Secrets', permission: 'MANAGE_SECRETS', View: Secrets },
  { id: 'audit', name: 'Audit log', permission: 'READ_AUDIT', View: Audit },
  { id: 'findings', name: 'Findings', permission: 'MANAGE_ACCESS', View: Findings },
];

/** Who may do what, with which secrets, and what was done. */
export function AdminPage() {
  const { tab } = useSearch({ from: '/admin' });
  const navigate = useNavigate({ from: '/admin' });
  const may = useMay(false);
  const tabs = TABS.filter(({ permission }) => may(permission));
  const shown = tabs.find(({ id }) => id === tab) ?? tabs[0];
  return (
    <>
      <PageHeading title="Administration" />
      {shown === undefined ? (
        <Empty title="You administer nothing here.">
          <p>A grant of ADMIN shows who may do what, secrets and the audit log.</p>
        </Empty>
      ) : (
        <Tabs
          className="tabs"
          selectedKey={shown.id}
          onSelectionChange={(key) => void navigate({ search: { tab: tabs.find(({ id }) => id === key)?.id } })}
        >
          <TabList aria-label="Administration">
            {tabs.map(({ id, name }) => (
              <Tab key={id} id={id}>
                {name}
              </Tab>
            ))}
          </TabList>
          {tabs.map(({ id, View }) => (
            <TabPanel key={id} id={id}>
              <View />
            </TabPanel>
          ))}
        </Tabs>
      )}
    </>
  );
}
