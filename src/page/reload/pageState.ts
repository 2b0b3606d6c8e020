/** What a reload would lose: where the page is scrolled to, what was typed, what is open, where the caret is. */

import {
  childElementsOf,
  localNameOf,
  parentElementOf,
  previousElementOf,
  scrollLeftOf,
  scrollTopOf,
} from '../dom/builtins.js';

/** Characters of all that was typed; what is longer is let go. */
const MAX_TEXT = 200_000;
const MAX_FIELDS = 500;
/** Never kept, not even for a moment. */
const SECRET = new Set(['password', 'file', 'hidden']);

/** From the root: tag and position among the children, at every level. */
type ElementPath = readonly (readonly [tag: string, index: number])[];

export interface PageState {
  readonly scroll: readonly [x: number, y: number];
  readonly scrolled: readonly (readonly [ElementPath, x: number, y: number])[];
  readonly fields: readonly (readonly [ElementPath, FieldName, FieldState])[];
  readonly details: readonly (readonly [ElementPath, open: boolean])[];
  readonly focus?: readonly [ElementPath, start: number | null, end: number | null];
}

/** Which field it was, should others have come before it. */
interface FieldName {
  readonly tag: string;
  readonly type: string;
  readonly id: string;
  readonly name: string;
  /** What a box or a radio button stands for. */
  readonly choice: string | null;
  /** Position among those that are called the same. */
  readonly nth: number;
}

interface FieldState {
  readonly value?: string;
  readonly checked?: boolean;
  readonly selected?: readonly number[];
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

export function takeState(): PageState {
  const scrolled: [ElementPath, number, number][] = [];
  for (const element of document.querySelectorAll('body *')) {
    const [left, top] = [scrollLeftOf(element), scrollTopOf(element)];
    if (top !== 0 || left !== 0) scrolled.push([pathTo(element), left, top]);
  }
  // A page that is not written in takes no caret from where that is: an editor around its frame.
  const focused = document.hasFocus() ? document.activeElement : null;
  return {
    scroll: [window.scrollX, window.scrollY],
    scrolled,
    fields: takeFields(),
    details: Array.from(document.querySelectorAll('details'), (element) => [pathTo(element), element.open] as const),
    ...(focused && focused !== document.body ? { focus: [pathTo(focused), ...selectionOf(focused)] } : {}),
  };
}

function takeFields(): [ElementPath, FieldName, FieldState][] {
  const fields: [ElementPath, FieldName, FieldState][] = [];
  const all = allFields();
  let room = MAX_TEXT;
  for (const field of all) {
    const state = SECRET.has(field.type) ? undefined : stateOf(field);
    if (!state || fields.length === MAX_FIELDS || (room -= state.value?.length ?? 0) < 0) continue;
    fields.push([pathTo(field), nameOf(field, all), state]);
  }
  return fields;
}

function allFields(): Field[] {
  return [...document.querySelectorAll<Field>('input,textarea,select')];
}

function nameOf(field: Field, all: readonly Field[]): FieldName {
  const { localName: tag, type, id, name } = field;
  const called = { tag, type, id, name, choice: choiceOf(field) };
  return { ...called, nth: name ? all.filter((other) => isCalled(other, called)).indexOf(field) : 0 };
}

function choiceOf(field: Field): string | null {
  return isChoice(field) ? field.getAttribute('value') : null;
}

function isChoice(field: Field): boolean {
  return field.type === 'checkbox' || field.type === 'radio';
}

function isCalled(field: Field, { tag, type, name, choice }: Omit<FieldName, 'nth'>): boolean {
  return field.localName === tag && field.type === type && field.name === name && choiceOf(field) === choice;
}

/** By its id, else by its name, else where it was. */
function findField(path: ElementPath, wanted: FieldName, all: readonly Field[]): Field | undefined {
  const isLike = (field: Field): boolean => field.localName === wanted.tag && field.type === wanted.type;
  const byId = wanted.id ? all.find((field) => field.id === wanted.id && isLike(field)) : undefined;
  const byName = wanted.name ? all.filter((field) => isCalled(field, wanted))[wanted.nth] : undefined;
  const there = elementAt(path);
  return byId ?? byName ?? all.find((field) => field === there && isLike(field));
}

function restoreField(field: Field, state: FieldState): void {
  if (field instanceof HTMLSelectElement)
    [...field.options].forEach((option, index) => {
      option.selected = state.selected?.includes(index) ?? option.selected;
    });
  else if (isChoice(field)) (field as HTMLInputElement).checked = state.checked ?? (field as HTMLInputElement).checked;
  else if (state.value !== undefined && !SECRET.has(field.type)) field.value = state.value;
}

/** Nothing for a field that is as its author made it. */
function stateOf(field: Field): FieldState | undefined {
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    if (options.every(({ selected, defaultSelected }) => selected === defaultSelected)) return undefined;
    return { selected: options.flatMap(({ selected }, index) => (selected ? [index] : [])) };
  }
  if (field instanceof HTMLInputElement && (field.type === 'checkbox' || field.type === 'radio')) {
    return field.checked === field.defaultChecked ? undefined : { checked: field.checked };
  }
  return field.value === field.defaultValue ? undefined : { value: field.value };
}

/** Fields, open details and focus; once, when the document is whole. */
export function restoreContent({ fields, details, focus }: PageState): void {
  const all = allFields();
  for (const [path, name, state] of fields) {
    try {
      const field = findField(path, name, all);
      if (field) restoreField(field, state);
    } catch {
      // What one field does not take, is no reason for the others to go without.
    }
  }
  for (const [path, open] of details) {
    const element = elementAt(path);
    if (element instanceof HTMLDetailsElement) element.open = open;
  }
  const focused = focus && elementAt(focus[0]);
  if (!focus || !(focused instanceof HTMLElement)) return;
  focused.focus({ preventScroll: true });
  const [, start, end] = focus;
  if (isEditable(focused) && start !== null) select(focused, start, end ?? start);
}

/** @returns whether the page is long enough to be where it was */
export function restoreScroll({ scroll: [x, y], scrolled }: PageState): boolean {
  window.scrollTo({ left: x, top: y, behavior: 'instant' });
  for (const [path, left, top] of scrolled) elementAt(path)?.scrollTo({ left, top, behavior: 'instant' });
  return Math.abs(window.scrollX - x) < 2 && Math.abs(window.scrollY - y) < 2;
}

function selectionOf(element: Element): [start: number | null, end: number | null] {
  try {
    return isEditable(element) ? [element.selectionStart, element.selectionEnd] : [null, null];
  } catch {
    return [null, null];
  }
}

function select(field: HTMLInputElement | HTMLTextAreaElement, start: number, end: number): void {
  try {
    field.setSelectionRange(start, end);
  } catch {
    // Numbers, dates and the like have no selection.
  }
}

function isEditable(element: Element): element is HTMLInputElement | HTMLTextAreaElement {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}

function pathTo(element: Element): ElementPath {
  const path: [string, number][] = [];
  for (
    let [node, parent] = [element, parentElementOf(element)];
    parent;
    [node, parent] = [parent, parentElementOf(parent)]
  ) {
    let index = 0;
    const tag = localNameOf(node);
    for (let sibling = previousElementOf(node); sibling; sibling = previousElementOf(sibling))
      if (localNameOf(sibling) === tag) index++;
    path.unshift([tag, index]);
  }
  return path;
}

function elementAt(path: ElementPath): Element | undefined {
  let element: Element | undefined = document.documentElement;
  for (const [tag, index] of path)
    element = element && [...childElementsOf(element)].filter((child) => localNameOf(child) === tag)[index];
  return element;
}
