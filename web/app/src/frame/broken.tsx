import type { ErrorComponentProps } from '@tanstack/react-router';
import { Button } from 'react-aria-components';
import { Empty } from '../parts/empty.tsx';
import { Problem } from '../parts/problem.tsx';

/** Instead of a page that has failed, such as one whose files are those of another version of the server; what stands around it goes on. */
export const Broken = ({ error }: ErrorComponentProps) => (
  <>
    <h1 className="heading">This page has failed</h1>
    <Problem>{error instanceof Error ? error.message : String(error)}</Problem>
    <Empty title="Nothing that runs on the server is touched by that.">
      <Button className="button primary" onPress={() => window.location.reload()}>
        Load it again
      </Button>
    </Empty>
  </>
);
