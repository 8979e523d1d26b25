/**
 * How long a test waits for what is to come before it says that it did not, in milliseconds. A test may last longer, so that it has the
 * time to say it. Four files at once on two cores are late by seconds now and then, and that is no fault.
 */
export const PATIENCE = 45_000;
