import { expect, test } from "vitest";
import { explained, problemOfSystem } from "./problem.ts";
import { TaskError } from "./task.ts";

const error = (code: string) => Object.assign(new Error(code), { code, path: "/store/x" });

test.each([
  ["ENOSPC", "the disk is full: could not keep a finished artifact (/store/x)"],
  ["EDQUOT", "the disk is full: could not keep a finished artifact (/store/x)"],
  ["EACCES", "no permission to keep a finished artifact (/store/x)"],
  ["EROFS", "no permission to keep a finished artifact (/store/x)"],
  ["EMFILE", "too many open files: could not keep a finished artifact (/store/x)"],
])("%s is put into words, with what to do", async (code, message) => {
  const refused = explained("keep a finished artifact", () => Promise.reject(error(code)));
  await expect(refused).rejects.toBeInstanceOf(TaskError);
  await expect(refused).rejects.toMatchObject({ message, help: expect.any(String) });
});

test("what is a bug stays one", async () => {
  const bug = new RangeError("9");
  expect(problemOfSystem(bug, "x")).toBeUndefined();
  await expect(explained("x", () => Promise.reject(bug))).rejects.toBe(bug);
});
