/**
 * The elements of the panel's own document.
 */

/** @throws when the document lacks it: it is made together with this script */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`no #${id}`);
}

/** Arrow keys move between the buttons of a toolbar; where they mean something else, Tab does (WAI-ARIA: toolbar). */
export function toolbarKeys(toolbar: Element | null): void {
  toolbar?.addEventListener('keydown', (event) => {
    const { key, target } = event as KeyboardEvent;
    if (!(target instanceof HTMLButtonElement) || (key !== 'ArrowLeft' && key !== 'ArrowRight')) return;
    const controls = [...toolbar.querySelectorAll<HTMLElement>('button:enabled, input, select')];
    controls[controls.indexOf(target) + (key === 'ArrowRight' ? 1 : -1)]?.focus();
    event.preventDefault();
  });
}
