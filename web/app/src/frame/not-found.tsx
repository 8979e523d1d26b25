import { Link } from '@tanstack/react-router';
import { Empty } from '../parts/empty.tsx';

export const NotFound = () => (
  <>
    <h1 className="heading">Not found</h1>
    <Empty title="There is no page at this address.">
      <Link to="/">Go to the releases</Link>
    </Empty>
  </>
);
