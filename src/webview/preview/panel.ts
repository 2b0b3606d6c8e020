/**
 * The script of a preview panel. It shows the page in a frame of another origin: nothing of the page can be read here,
 * and what the page says of itself is checked again by the extension.
 */
import type { FromPanel, ToPanel } from '../../shared/liveProtocol.js';
import type { FromPanelView, PanelConfig, PanelState, ToPanelView } from '../../shared/panelProtocol.js';
import { byId, toolbarKeys } from './panelElements.js';
import { createStage, type Size } from './panelStage.js';

interface VSCodeApi {
  postMessage(message: FromPanelView): void;
  getState(): unknown;
  setState(state: PanelState): void;
}
declare function acquireVsCodeApi(): VSCodeApi;

/** Milliseconds a page may take to reload itself before it is shown anew from outside: its script may hang. */
const RELOAD_PATIENCE = 1500;
/** Addresses kept for going back from something that has no script. */
const MAX_VISITED = 50;

const vscode = acquireVsCodeApi();
const config = JSON.parse(document.body.dataset.config ?? '') as PanelConfig;
const kept = (vscode.getState() ?? {}) as Partial<PanelState>;

if (config.origin === undefined) showStopped(config);
else showPage(config, config.origin);

/** What the extension says; whatever a page or a frame in it sends has another origin than this document. */
function listen(take: (message: ToPanelView) => void, frame?: HTMLIFrameElement): void {
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.origin !== window.origin || event.source === frame?.contentWindow) return;
    take(event.data as ToPanelView);
  });
}

function save(change: Partial<PanelState>): void {
  const before = (vscode.getState() ?? {}) as Partial<PanelState>;
  const { folder, path, pinned } = config;
  vscode.setState({
    preset: 'responsive',
    rotated: false,
    width: 0,
    height: 0,
    path,
    pinned,
    ...before,
    folder,
    ...change,
  });
}

function showStopped({ path, isOff }: PanelConfig): void {
  const start = byId('start', HTMLButtonElement);
  const why = byId('why', HTMLElement);
  byId('what', HTMLElement).textContent = isOff
    ? 'liteServer.live.enabled is false for this folder.'
    : `Start it to see ${path}`;
  save({ path });
  start.addEventListener('click', () => {
    start.disabled = true;
    start.textContent = 'Starting…';
    why.textContent = '';
    vscode.postMessage({ type: 'start' });
  });
  listen((message) => {
    if (message.type !== 'notStarted') return;
    start.disabled = false;
    start.textContent = 'Start';
    why.textContent = message.why;
  });
}

function showPage({ path: first, pinned: wasPinned }: PanelConfig, origin: string): void {
  const frame = byId('page', HTMLIFrameElement);
  const address = byId('address', HTMLInputElement);
  let path = first;
  /** Whether the document in the frame has said where it is: only then it also does what it is told. */
  let answers = false;
  /** Whether `path` is what the frame shows: a link may have led to something that says nothing. */
  let isKnown = true;
  let opened = 0;
  let patience: number | undefined;
  const visited: string[] = [];

  const tell = (what: FromPanel['do']): void =>
    frame.contentWindow?.postMessage({ liteServer: 'panel', do: what } satisfies FromPanel, origin);
  const navigate = (to: string | undefined): void => {
    if (to !== undefined) vscode.postMessage({ type: 'navigate', path: to });
  };
  const field = addressField(address, () => path, navigate);
  const visit = (to: string): void => {
    path = to;
    isKnown = true;
    if (visited.at(-1) !== to) visited.push(to);
    if (visited.length > MAX_VISITED) visited.shift();
    // Not under the hands of somebody who writes.
    if (!field.isEdited()) address.value = to;
    save({ path: to });
  };

  frame.addEventListener('load', () => {
    clearTimeout(patience);
    if (answers) isKnown = false;
    answers = false;
    tell('hello');
  });
  window.addEventListener('message', (event: MessageEvent<Partial<ToPanel> | null>) => {
    const { source, data } = event;
    if (source !== frame.contentWindow || event.origin !== origin || !isFromPage(data)) return;
    clearTimeout(patience);
    answers = true;
    visit(data.url);
    vscode.postMessage({ type: 'location', path: data.url, title: data.title, opened });
  });
  listen((message) => {
    if (message.type === 'refused') refuse(address);
    if (message.type !== 'open') return;
    // The document that is there until the other one comes says nothing more, not even when it is loaded only now.
    if (opened > 0) tell('quiet');
    opened = message.opened;
    const isSame = message.path === path && visited.length > 0;
    answers = false;
    visit(message.path);
    // What is shown anew is no new step of the history.
    if (isSame) frame.contentWindow?.location.replace(message.url);
    else frame.src = message.url;
  }, frame);

  byId('back', HTMLButtonElement).addEventListener('click', () => {
    if (answers) return tell('back');
    if (isKnown) visited.pop();
    navigate(visited.at(-1));
  });
  byId('forward', HTMLButtonElement).addEventListener('click', () => {
    if (answers) tell('forward');
  });
  byId('reload', HTMLButtonElement).addEventListener('click', () => {
    if (!answers) return navigate(path);
    tell('reload');
    clearTimeout(patience);
    patience = setTimeout(() => {
      navigate(path);
    }, RELOAD_PATIENCE);
  });
  otherControls(wasPinned);
  vscode.postMessage({ type: 'ready' });
}

/** Those that need nothing of what the frame shows. */
function otherControls(wasPinned: boolean): void {
  byId('browser', HTMLButtonElement).addEventListener('click', () => {
    vscode.postMessage({ type: 'openInBrowser' });
  });
  pinButton(byId('pin', HTMLButtonElement), wasPinned);
  toolbarKeys(byId('back', HTMLButtonElement).closest('header'));
  showSize(kept);
}

function isFromPage(data: Partial<ToPanel> | null): data is ToPanel {
  return (
    data?.liteServer === 'page' &&
    typeof data.url === 'string' &&
    /^\/(?!\/)/.test(data.url) &&
    typeof data.title === 'string'
  );
}

function addressField(
  address: HTMLInputElement,
  path: () => string,
  navigate: (to: string) => void,
): { isEdited(): boolean } {
  let edited = false;
  const accept = (): void => {
    address.setCustomValidity('');
    address.removeAttribute('aria-invalid');
  };
  const restore = (): void => {
    accept();
    edited = false;
    address.value = path();
  };
  byId('go', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    edited = false;
    navigate(address.value);
  });
  address.addEventListener('focus', () => {
    address.select();
  });
  address.addEventListener('input', () => {
    accept();
    edited = true;
  });
  address.addEventListener('blur', restore);
  address.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') restore();
  });
  return { isEdited: () => edited };
}

function refuse(address: HTMLInputElement): void {
  address.setCustomValidity('Only pages of this site are shown here.');
  address.setAttribute('aria-invalid', 'true');
  address.reportValidity();
}

function pinButton(pin: HTMLButtonElement, wasPinned: boolean): void {
  pin.setAttribute('aria-pressed', String(wasPinned));
  save({ pinned: wasPinned });
  pin.addEventListener('click', () => {
    const pinned = pin.getAttribute('aria-pressed') !== 'true';
    pin.setAttribute('aria-pressed', String(pinned));
    save({ pinned });
    vscode.postMessage({ type: 'pin', pinned });
  });
}

function showSize({ preset, rotated, width, height }: Partial<PanelState>): void {
  const select = byId('preset', HTMLSelectElement);
  const rotate = byId('rotate', HTMLButtonElement);
  const size = byId('size', HTMLOutputElement);
  const stage = createStage(
    byId('stage', HTMLElement),
    byId('box', HTMLElement),
    { preset, rotated, width, height },
    {
      sized: (now: Size) => {
        size.value = `${now.width} × ${now.height}`;
      },
      changed: (view) => {
        save(view);
      },
    },
  );
  const show = (): void => {
    select.value = stage.preset;
    rotate.disabled = stage.preset === 'responsive';
  };
  select.addEventListener('change', () => {
    stage.choose(select.value);
    show();
  });
  rotate.addEventListener('click', () => {
    stage.rotate();
  });
  show();
}
