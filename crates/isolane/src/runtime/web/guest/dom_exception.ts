// Owns DOMException (https://webidl.spec.whatwg.org/#idl-DOMException). Runs on the isolate's thread.

const domExceptionFamily = define('dom_exception', { globals: { DOMException: 'class' } }, (use) => {
  const { defineConstants, finishInterface, makeCloneable, toDOMString } = use('webidl');

  /** Returns its argument from a constructor, so that a class can put its fields into an object made elsewhere. */
  const Given = function (object: object) {
    return object;
  } as unknown as new (
    object: object,
  ) => object;

  /** The slots of a DOMException. They are put into a real Error, for its stack and its [[ErrorData]]. */
  class Slots extends Given {
    #name: string;
    #message: string;
    constructor(error: Error, name: string, message: string) {
      super(error);
      this.#name = name;
      this.#message = message;
    }
    static has(value: unknown): value is Slots {
      return typeof value === 'object' && value !== null && #name in value;
    }
    static nameOf(value: unknown): string {
      return (value as Slots).#name;
    }
    static messageOf(value: unknown): string {
      return (value as Slots).#message;
    }
  }

  class DOMException {
    constructor(message: unknown = undefined, name: unknown = undefined) {
      const text = message === undefined ? '' : toDOMString(message);
      const kind = name === undefined ? 'Error' : toDOMString(name);
      const error = Reflect.construct(Error, [text], new.target) as Error;
      new Slots(error, kind, text);
      // Taken again, now that the name is known, and without this constructor's own frame. V8 puts an own
      // message into the first line; afterwards it must not be there.
      Error.captureStackTrace(error, new.target);
      Reflect.deleteProperty(error, 'message');
      return error as unknown as DOMException;
    }

    get name(): string {
      return Slots.nameOf(this);
    }

    get message(): string {
      return Slots.messageOf(this);
    }

    get code(): number {
      return legacyCodes()[Slots.nameOf(this)] ?? 0;
    }
  }

  const legacyNames = [
    ['INDEX_SIZE_ERR', 'IndexSizeError'],
    ['DOMSTRING_SIZE_ERR', null],
    ['HIERARCHY_REQUEST_ERR', 'HierarchyRequestError'],
    ['WRONG_DOCUMENT_ERR', 'WrongDocumentError'],
    ['INVALID_CHARACTER_ERR', 'InvalidCharacterError'],
    ['NO_DATA_ALLOWED_ERR', null],
    ['NO_MODIFICATION_ALLOWED_ERR', 'NoModificationAllowedError'],
    ['NOT_FOUND_ERR', 'NotFoundError'],
    ['NOT_SUPPORTED_ERR', 'NotSupportedError'],
    ['INUSE_ATTRIBUTE_ERR', 'InUseAttributeError'],
    ['INVALID_STATE_ERR', 'InvalidStateError'],
    ['SYNTAX_ERR', 'SyntaxError'],
    ['INVALID_MODIFICATION_ERR', 'InvalidModificationError'],
    ['NAMESPACE_ERR', 'NamespaceError'],
    ['INVALID_ACCESS_ERR', 'InvalidAccessError'],
    ['VALIDATION_ERR', null],
    ['TYPE_MISMATCH_ERR', 'TypeMismatchError'],
    ['SECURITY_ERR', 'SecurityError'],
    ['NETWORK_ERR', 'NetworkError'],
    ['ABORT_ERR', 'AbortError'],
    ['URL_MISMATCH_ERR', 'URLMismatchError'],
    ['QUOTA_EXCEEDED_ERR', 'QuotaExceededError'],
    ['TIMEOUT_ERR', 'TimeoutError'],
    ['INVALID_NODE_TYPE_ERR', 'InvalidNodeTypeError'],
    ['DATA_CLONE_ERR', 'DataCloneError'],
  ] as const;

  let codes: Record<string, number> | undefined;
  function legacyCodes(): Record<string, number> {
    if (codes === undefined) {
      codes = Object.create(null) as Record<string, number>;
      for (const [index, [, name]] of legacyNames.entries()) if (name !== null) codes[name] = index + 1;
    }
    return codes;
  }

  function isDOMException(value: unknown): value is DOMException {
    return Slots.has(value);
  }

  Object.setPrototypeOf(DOMException.prototype, Error.prototype);
  const constants = { __proto__: null } as unknown as Record<string, number>;
  legacyNames.forEach(([constant], index) => (constants[constant] = index + 1));
  defineConstants(DOMException, constants);
  finishInterface(DOMException);
  makeCloneable(DOMException, {
    clone(value: DOMException) {
      const copy = new DOMException(Slots.messageOf(value), Slots.nameOf(value));
      const stack = Object.getOwnPropertyDescriptor(value, 'stack')?.value;
      if (typeof stack === 'string') Object.defineProperty(copy, 'stack', { value: stack });
      return copy;
    },
  });
  return { DOMException, isDOMException };
});
interface Families {
  dom_exception: FamilyOf<typeof domExceptionFamily>;
}
