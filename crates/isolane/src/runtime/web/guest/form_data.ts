// The class FormData (XMLHttpRequest standard, section 4.3).
// Runs in a guest's context, on whichever thread has its isolate entered.

type FormDataFacade = InstanceType<Families['form_data']['FormData']>;
type FileObject = InstanceType<Families['blob']['File']>;
type FormEntry = [name: string, value: string | FileObject];

const formDataFamily = define('form_data', { globals: { FormData: 'class' } }, (use) => {
  const { finishInterface, makePairIterable, requireArguments, toUSVString } = use('webidl');

  let entriesOf!: (form: FormData) => FormEntry[];
  let isFormData!: (value: unknown) => value is FormData;

  class FormData {
    #entries: FormEntry[] = [];

    constructor(form: unknown = undefined) {
      if (form !== undefined) throw new TypeError('There are no form elements to make a FormData of');
    }

    append(name: unknown, value: unknown, filename: unknown = undefined): void {
      const entries = this.#entries;
      requireArguments(2, arguments.length, "Failed to execute 'append' on 'FormData'");
      entries.push(toEntry(name, value, filename, arguments.length > 2));
    }

    delete(name: unknown): void {
      void this.#entries;
      requireArguments(1, arguments.length, "Failed to execute 'delete' on 'FormData'");
      const key = toUSVString(name);
      this.#entries = this.#entries.filter((entry) => entry[0] !== key);
    }

    get(name: unknown): string | FileObject | null {
      const entries = this.#entries;
      requireArguments(1, arguments.length, "Failed to execute 'get' on 'FormData'");
      const key = toUSVString(name);
      return entries.find((entry) => entry[0] === key)?.[1] ?? null;
    }

    getAll(name: unknown): Array<string | FileObject> {
      const entries = this.#entries;
      requireArguments(1, arguments.length, "Failed to execute 'getAll' on 'FormData'");
      const key = toUSVString(name);
      return entries.filter((entry) => entry[0] === key).map((entry) => entry[1]);
    }

    has(name: unknown): boolean {
      const entries = this.#entries;
      requireArguments(1, arguments.length, "Failed to execute 'has' on 'FormData'");
      const key = toUSVString(name);
      return entries.some((entry) => entry[0] === key);
    }

    set(name: unknown, value: unknown, filename: unknown = undefined): void {
      void this.#entries;
      requireArguments(2, arguments.length, "Failed to execute 'set' on 'FormData'");
      const entry = toEntry(name, value, filename, arguments.length > 2);
      const at = this.#entries.findIndex((other) => other[0] === entry[0]);
      if (at === -1) {
        this.#entries.push(entry);
        return;
      }
      this.#entries = this.#entries.filter((other, i) => i <= at || other[0] !== entry[0]);
      this.#entries[at] = entry;
    }

    static {
      entriesOf = (form) => form.#entries;
      isFormData = (value): value is FormData =>
        typeof value === 'object' && value !== null && #entries in value;
    }
  }

  makePairIterable(FormData, (form, index) => entriesOf(form)[index]);
  finishInterface(FormData);

  /** The standard's "create an entry"; a Blob becomes a File. */
  function toEntry(name: unknown, value: unknown, filename: unknown, hasFilename: boolean): FormEntry {
    const key = toUSVString(name);
    if (typeof value === 'string') {
      if (hasFilename) throw new TypeError('Only a Blob can be given a file name');
      return [key, value.toWellFormed()];
    }
    const { File, isBlob } = use('blob');
    if (!isBlob(value)) {
      if (hasFilename) throw new TypeError('Only a Blob can be given a file name');
      return [key, toUSVString(value)];
    }
    const isFile = value instanceof File;
    if (isFile && filename === undefined) return [key, value];
    const options = isFile ? { type: value.type, lastModified: value.lastModified } : { type: value.type };
    return [key, new File([value], filename === undefined ? 'blob' : toUSVString(filename), options)];
  }

  return { FormData, entriesOf, isFormData };
});
interface Families {
  form_data: FamilyOf<typeof formDataFamily>;
}
