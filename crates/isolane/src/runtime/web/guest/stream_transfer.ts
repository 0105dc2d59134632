// Owns how streams are taken along by structuredClone and postMessage (Streams standard, "transferable
// streams"). All ends are in one context, so what the standard sends through ports goes through a transform
// stream that copies each chunk. Runs on the isolate's thread.

const streamTransferFamily = define('stream_transfer', { globals: {} }, (use) => {
  const { createTransform } = use('transform_stream');
  const { coreOf } = use('readable_stream');
  const { writableCoreOf } = use('writable_stream');
  const { markHandled } = use('stream_support');

  /** Both ends of a stream whose chunks come out as structured clones; one that cannot be cloned errors it. */
  function copier(): TransformSides {
    const { structuredClone } = use('structured_clone');
    return createTransform((output) => ({ transform: (chunk) => output.enqueue(structuredClone(chunk)) }));
  }

  function connect(source: ReadableCore, destination: WritableCore): void {
    const { pipe, toPipeOptions } = use('readable_pipe');
    markHandled(pipe(source, destination, toPipeOptions(undefined)));
  }

  /** The stream that lives on in the place of a readable one, which is locked from now on. */
  function transferReadable(source: ReadableCore): ReadableFacade {
    const { readable, writable } = copier();
    connect(source, writableCoreOf(writable));
    return readable;
  }

  /** The stream that lives on in the place of a writable one, which is locked from now on. */
  function transferWritable(destination: WritableCore): TransformSides['writable'] {
    const { readable, writable } = copier();
    connect(coreOf(readable), destination);
    return writable;
  }

  return { transferReadable, transferWritable };
});
interface Families {
  stream_transfer: FamilyOf<typeof streamTransferFamily>;
}
