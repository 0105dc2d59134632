// Owns tasks: steps that run after the turn that queued them, in the order in which they were queued
// (https://html.spec.whatwg.org/#queue-a-task). A task belongs to the request that queued it and goes with it.
// Runs on the isolate's thread.

const tasksFamily = define('tasks', {}, (use, host) => {
  const { isOn, off, on } = use('callbacks');

  /** Queues `steps`; the answer tells the task to the functions below. */
  function queueTask(steps: () => void): number {
    const id = host.timerStart(0);
    on(id, () => {
      off(id);
      steps();
    });
    return id;
  }

  /** Whether a task has neither run nor gone with its request. */
  function isQueued(task: number): boolean {
    return isOn(task);
  }

  function cancelTask(task: number): void {
    if (!isOn(task)) return;
    off(task);
    host.timerCancel(task);
  }

  return { queueTask, isQueued, cancelTask };
});
interface Families {
  tasks: FamilyOf<typeof tasksFamily>;
}
