// The datasets of the small world by name.
import { worldTasks } from "./held-out.ts";
import { sceneTasks } from "./scenes.ts";
import type { TaskFamily } from "./task.ts";
import { wordTasks } from "./words.ts";

export const families: Readonly<Record<string, TaskFamily>> = { ...sceneTasks, ...wordTasks, ...worldTasks };

export const familyNames = Object.keys(families);
