// Works on many items at once and gives the results in their order.

/**
 * At most `width` items are under way or finished and not yet taken. When one fails, no more are begun, those under way
 * are waited for, so that what they come to is kept, and the failure is thrown.
 */
export async function* inOrder<A, B>(
  items: AsyncIterable<A> | Iterable<A>,
  width: number,
  work: (item: A, index: number) => Promise<B>,
): AsyncGenerator<B> {
  const under: Promise<B>[] = [];
  let failed: { readonly error: unknown } | undefined;
  let index = 0;
  try {
    for await (const item of items) {
      if (failed) break;
      const result = work(item, index++);
      result.catch((error: unknown) => {
        failed ??= { error };
      });
      under.push(result);
      if (under.length >= width) yield await under.shift()!;
    }
    while (under.length > 0 && !failed) yield await under.shift()!;
  } finally {
    await Promise.allSettled(under);
  }
  if (failed) throw failed.error;
}
