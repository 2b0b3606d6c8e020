/**
 * How large the page is shown: as the panel is, as a device has it, or as it is dragged. Never scaled: what does not
 * fit is scrolled.
 */
import type { PanelState, Preset } from '../../shared/panelProtocol.js';

/** CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export type StageView = Pick<PanelState, 'preset' | 'rotated' | 'width' | 'height'>;

export interface Stage {
  readonly preset: Preset;
  choose(preset: string): void;
  rotate(): void;
}

export interface StageEvents {
  /** The page has another size now. */
  readonly sized: (size: Size) => void;
  /** Something to keep has changed. */
  readonly changed: (view: StageView) => void;
}

const DEVICES: Readonly<Record<string, Size>> = {
  phone: { width: 390, height: 844 },
  tablet: { width: 820, height: 1180 },
  laptop: { width: 1366, height: 768 },
};
const SMALLEST = 120;
const MAX_SIDE = 10_000;
const STEP = 10;
/** A free frame begins as large as the panel, less what makes its edges visible. */
const MARGIN = 48;

/** @param kept of last time, as it was found */
export function createStage(
  stage: HTMLElement,
  box: HTMLElement,
  kept: { readonly [key in keyof StageView]: StageView[key] | undefined },
  events: StageEvents,
): Stage {
  let preset: Preset = isPreset(kept.preset) ? kept.preset : 'responsive';
  let rotated = kept.rotated === true;
  let free: Size | undefined =
    isSide(kept.width) && isSide(kept.height) ? { width: kept.width, height: kept.height } : undefined;

  const size = (): Size | undefined => {
    if (preset === 'responsive') return undefined;
    if (preset === 'free')
      return (free ??= { width: clamp(stage.clientWidth - MARGIN), height: clamp(stage.clientHeight - MARGIN) });
    const device = DEVICES[preset] as Size;
    return rotated ? { width: device.height, height: device.width } : device;
  };
  const apply = (): void => {
    const now = size();
    stage.className = preset;
    box.style.width = now === undefined ? '' : `${now.width}px`;
    box.style.height = now === undefined ? '' : `${now.height}px`;
    events.changed({ preset, rotated, width: free?.width ?? 0, height: free?.height ?? 0 });
  };
  const resize = (to: Size): void => {
    free = { width: clamp(to.width), height: clamp(to.height) };
    apply();
  };

  new ResizeObserver(() => {
    events.sized({ width: box.clientWidth, height: box.clientHeight });
  }).observe(box);
  for (const handle of box.querySelectorAll<HTMLElement>('.handle')) makeHandle(handle, stage, box, resize);
  apply();

  return {
    get preset() {
      return preset;
    },
    choose: (name) => {
      if (!isPreset(name)) return;
      preset = name;
      rotated = false;
      apply();
    },
    rotate: () => {
      const now = size();
      if (preset === 'free' && now !== undefined) return resize({ width: now.height, height: now.width });
      rotated = !rotated;
      apply();
    },
  };
}

function makeHandle(handle: HTMLElement, stage: HTMLElement, box: HTMLElement, resize: (to: Size) => void): void {
  const resizes = handle.dataset.resizes ?? '';
  const changed = (from: Size, dx: number, dy: number): Size => ({
    width: from.width + (resizes.includes('width') ? dx : 0),
    height: from.height + (resizes.includes('height') ? dy : 0),
  });
  const current = (): Size => ({ width: box.clientWidth, height: box.clientHeight });

  handle.addEventListener('pointerdown', (down) => {
    const from = current();
    handle.setPointerCapture(down.pointerId);
    // Over the page, the pointer would be the page's.
    stage.classList.add('dragging');
    handle.classList.add('active');
    const move = (event: PointerEvent): void => {
      // A frame that fits stays in the middle: its edge moves half as far as it grows.
      const grows = (side: number, room: number): number => (side < room ? 2 : 1);
      resize(
        changed(
          from,
          (event.clientX - down.clientX) * grows(from.width, stage.clientWidth),
          (event.clientY - down.clientY) * grows(from.height, stage.clientHeight),
        ),
      );
      stage.classList.add('dragging');
    };
    const end = (): void => {
      handle.removeEventListener('pointermove', move);
      stage.classList.remove('dragging');
      handle.classList.remove('active');
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', end, { once: true });
    down.preventDefault();
  });
  handle.addEventListener('keydown', (event) => {
    const steps: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const step = steps[event.key];
    if (step === undefined) return;
    const by = event.shiftKey ? 1 : STEP;
    resize(changed(current(), step[0] * by, step[1] * by));
    handle.setAttribute('aria-valuenow', String(box.clientWidth));
    event.preventDefault();
  });
}

function isPreset(name: unknown): name is Preset {
  return name === 'responsive' || name === 'free' || (typeof name === 'string' && Object.hasOwn(DEVICES, name));
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && value >= SMALLEST && value <= MAX_SIDE;
}

function clamp(side: number): number {
  return Math.round(Math.min(MAX_SIDE, Math.max(SMALLEST, side)));
}
