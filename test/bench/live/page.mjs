// The page in the browser, and when it shows what.

/**
 * @typedef {import('./site.mjs').Kind} Kind
 * @typedef {Record<Kind, string> & { at: number, document: number }} Sight the marks a frame shows, and when that frame
 * was made; which
 *   document it belongs to. Milliseconds since the epoch
 */

/**
 * In every document of the page, before all else: tells with each frame what it shows, when that is news. A document
 * whose style sheets are still loading has no frames.
 */
const TELL_SIGHTS = `(() => {
  if (top !== self) return;
  let told = '';
  const look = () => {
    const css = getComputedStyle(document.documentElement).getPropertyValue('--mark').trim();
    const html = document.getElementById('mark')?.textContent ?? '';
    if (told !== css + ' ' + html && window.tellSight) {
      told = css + ' ' + html;
      window.tellSight({ css, html, at: performance.timeOrigin + performance.now(), document: performance.timeOrigin });
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()`;

/** This process's clock, the same as the page's. */
export function now() {
  return performance.timeOrigin + performance.now();
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 */
export async function openPage(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1024, height: 768 } });
  try {
    const page = await context.newPage();
    /** @type {Sight | undefined} */
    let last;
    /** @type {(() => void) | undefined} */
    let onSight;
    await page.exposeBinding('tellSight', (_source, /** @type {Sight} */ sight) => {
      last = sight;
      onSight?.();
    });
    await page.addInitScript({ content: TELL_SIGHTS });
    await page.goto(url, { timeout: 10_000 });
    return {
      /**
       * Waits until the page shows a mark.
       * @param {Kind} kind @param {string} mark @param {number} patience milliseconds
       * @returns {Promise<number | undefined>} since when; undefined when it does not show it in time
       */
      async shows(kind, mark, patience) {
        /** @type {NodeJS.Timeout | undefined} */
        let timer;
        const late = new Promise((resolve) => {
          timer = setTimeout(resolve, patience);
        });
        const seen = new Promise((resolve) => {
          onSight = () => {
            if (last?.[kind] === mark) resolve(undefined);
          };
          onSight();
        });
        await Promise.race([seen, late]);
        clearTimeout(timer);
        onSight = undefined;
        return last?.[kind] === mark ? last.at : undefined;
      },
      /** Which document is shown: a reload makes another one. */
      document: () => last?.document,
      /** Leaves something in the window that no reload survives. */
      async mark() {
        await page.evaluate('window.survivor = true');
      },
      async isMarked() {
        return (await page.evaluate('window.survivor === true')) === true;
      },
      /** How far the page's clock is ahead of ours at most, in milliseconds. */
      async clockError() {
        const before = now();
        const there = Number(await page.evaluate('performance.timeOrigin + performance.now()'));
        const after = now();
        return there < before ? there - before : there > after ? there - after : 0;
      },
      close: () => context.close(),
    };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** @typedef {Awaited<ReturnType<typeof openPage>>} OpenPage */
