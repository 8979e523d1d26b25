import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import {
  Autocomplete,
  Button,
  Dialog,
  Header,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  Modal,
  ModalOverlay,
  SearchField,
} from 'react-aria-components';
import { useQuery } from 'urql';
import { FindDocument, type FindQuery } from '../generated/documents.ts';
import { toWords } from '../parts/words.ts';

/** One thing that was found, and how to go there. */
interface Hit {
  id: string;
  name: string;
  about?: string;
  go: () => void;
}

interface FindProps {
  pages: readonly { to: string; name: string }[];
}

/** Finds what one knows the name of, from everywhere: Ctrl-K, or the button. */
export function Find({ pages }: FindProps) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setOpen(true);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <Button className="button find-button" onPress={() => setOpen(true)} aria-keyshortcuts="Control+K">
        <Search size={16} aria-hidden />
        <span className="find-word">Find</span>
        <kbd>Ctrl K</kbd>
      </Button>
      <ModalOverlay className="overlay find-overlay" isDismissable isOpen={isOpen} onOpenChange={setOpen}>
        <Modal className="modal">
          <Dialog className="find" aria-label="Find">
            <Palette pages={pages} close={() => setOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

const PAUSE_MS = 150;
const COMMIT = /^[0-9a-f]{7,40}$/;

function Palette({ pages, close }: FindProps & { close: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const isCommit = COMMIT.test(asked.toLowerCase());
  const [{ data, fetching }] = useQuery({
    query: FindDocument,
    // Any commit but a real one finds nothing.
    variables: { text: asked, commit: isCommit ? asked.toLowerCase() : NO_COMMIT },
    pause: asked === '',
  });
  const found = asked === '' ? [] : sectionsOf(data, navigate);
  const named = pages.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()));
  const sections = [
    ...found,
    {
      name: 'Pages',
      hits: named.map(({ to, name }): Hit => ({ id: `page ${to}`, name, go: () => void navigate({ to }) })),
    },
  ].filter(({ hits }) => hits.length > 0);
  const hits = new Map(sections.flatMap((each) => each.hits).map((each) => [each.id, each]));
  return (
    <Autocomplete inputValue={text} onInputChange={setText}>
      <SearchField autoFocus className="field" aria-label="Product, environment, flow, release or commit">
        <Label className="hidden">Product, environment, flow, release or commit</Label>
        <Input placeholder="Product, environment, flow, release or commit" />
      </SearchField>
      <ListBox
        className="options found"
        aria-label="Found"
        items={sections}
        renderEmptyState={() => <p className="hint">{fetching ? 'Searching …' : `Nothing is called “${asked}”.`}</p>}
        onAction={(key) => {
          close();
          hits.get(String(key))?.go();
        }}
      >
        {(section) => (
          <ListBoxSection id={section.name}>
            <Header className="found-kind">{section.name}</Header>
            {section.hits.map((each) => (
              <ListBoxItem key={each.id} id={each.id} textValue={each.name}>
                {each.name} {each.about && <small>{each.about}</small>}
              </ListBoxItem>
            ))}
          </ListBoxSection>
        )}
      </ListBox>
    </Autocomplete>
  );
}

const NO_COMMIT = '0'.repeat(40);

function sectionsOf(
  data: FindQuery | undefined,
  navigate: ReturnType<typeof useNavigate>,
): { name: string; hits: Hit[] }[] {
  if (!data) return [];
  const releases = new Map([...data.releases.nodes, ...data.byCommit.nodes].map((each) => [each.uuid, each]));
  return [
    {
      name: 'Releases',
      hits: [...releases.values()].map(({ uuid, shortId, version, status }) => ({
        id: `release ${uuid}`,
        name: `${shortId} ${version.label}`,
        about: toWords(status),
        go: () => void navigate({ to: '/releases/$id', params: { id: uuid } }),
      })),
    },
    {
      name: 'Environments',
      hits: data.environments.nodes.map(({ name }) => ({
        id: `environment ${name}`,
        name,
        go: () => void navigate({ to: '/environments/$name', params: { name } }),
      })),
    },
    {
      name: 'Products',
      hits: data.products.nodes.map(({ name }) => ({
        id: `product ${name}`,
        name,
        about: 'its releases',
        go: () => void navigate({ to: '/', search: { product: name } }),
      })),
    },
    {
      name: 'Flows',
      hits: data.promotionFlows.nodes.map(({ name }) => ({
        id: `flow ${name}`,
        name,
        about: 'in the Flow Builder',
        go: () => void navigate({ to: '/flows/$name', params: { name } }),
      })),
    },
  ];
}
