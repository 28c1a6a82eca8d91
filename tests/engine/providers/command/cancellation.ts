/** Whether the user wants the operation to end: no next attempt to connect is waited for then. A command that runs goes on. */
export const cancellation = new AbortController();
