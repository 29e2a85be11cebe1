// Workers that do one task after the other: starting a process takes longer than most of what datasets ask for.
import type { Exit, FromWorker, Spawn, Task, WorkerHandle } from "./protocol.ts";

interface Member {
  readonly handle: WorkerHandle;
  listen: (message: FromWorker) => void;
}

export class Pool {
  readonly #spawn: Spawn;
  readonly #idle: Member[] = [];

  constructor(spawn: Spawn) {
    this.#spawn = spawn;
  }

  /** As a process of its own, as far as the caller can tell: it has ended when its task is done. */
  readonly spawn: Spawn = ({ log, onMessage }) => {
    const member = this.#idle.pop() ?? this.#hire(log);
    let over = false;
    let end: (exit: Exit) => void = () => {};
    const exited = new Promise<Exit>((resolve) => {
      end = resolve;
    });
    const leave = (exit: Exit): void => {
      over = true;
      end(exit);
    };
    member.listen = (message) => {
      onMessage(message);
      if (message.type !== "done" && message.type !== "failed") return;
      member.listen = () => {};
      this.#idle.push(member);
      leave({ code: 0 });
    };
    member.handle.exited.then((exit) => {
      if (over) return;
      leave(exit);
    });
    return {
      ...(member.handle.pid === undefined ? {} : { pid: member.handle.pid }),
      exited,
      tail: () => member.handle.tail(),
      send(message) {
        if (over) return;
        member.handle.send(message.type === "task" ? { ...message, stays: true, log } : message);
      },
      kill() {
        if (!over) member.handle.kill();
      },
    };
  };

  #hire(log: string): Member {
    const member: Member = {
      listen: () => {},
      handle: this.#spawn({ log, onMessage: (message) => member.listen(message) }),
    };
    member.handle.exited.then(() => {
      const at = this.#idle.indexOf(member);
      if (at !== -1) this.#idle.splice(at, 1);
    });
    return member;
  }

  /** Nothing writes any more: those that are left only wait. */
  close(): void {
    for (const { handle } of this.#idle.splice(0)) handle.kill();
  }
}

/** Rows to rows keeps nothing in memory from one task to the next. Everything else has a process of its own. */
export function isShareable(task: Pick<Task, "kind">): boolean {
  return task.kind === "dataset";
}
