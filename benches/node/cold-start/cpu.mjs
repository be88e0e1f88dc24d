// CPU time of another process, of which Linux counts nanoseconds thread by thread.

import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds that all threads of a process took, and those of its first, which runs JavaScript. */
export function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => [thread, taken(pid, thread)]);
  const all = threads.reduce((sum, [, ms]) => sum + ms, 0);
  return { all, first: threads.find(([thread]) => thread === `${pid}`)[1] };
}

function taken(pid, thread) {
  try {
    return (
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]) / 1e6
    );
  } catch (error) {
    // It ended meanwhile.
    if (error.code === "ENOENT" || error.code === "ESRCH") return 0;
    throw error;
  }
}
