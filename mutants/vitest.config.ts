import { defineConfig } from 'vitest/config';

// The core's own tests, without the servers that other tests need.
export default defineConfig({ test: { include: ['test/core/**/*.test.ts'], testTimeout: 60_000 } });
