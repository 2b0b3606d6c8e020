/**
 * Fonts of `@font-face`: the rule cannot be told another file, so a face of the same name and kind is put beside it.
 */
export interface Fonts {
  /** @param style of the rule @param source its `src`, with the new URL */
  readonly replace: (style: CSSStyleDeclaration, source: string) => void;
}

/** Descriptors of the rule, and what a FontFace calls them. */
const DESCRIPTORS = {
  'font-style': 'style',
  'font-weight': 'weight',
  'font-stretch': 'stretch',
  'unicode-range': 'unicodeRange',
  'font-feature-settings': 'featureSettings',
  'font-display': 'display',
} as const satisfies Record<string, keyof FontFaceDescriptors>;

export function createFonts(): Fonts {
  /** By what the face is for: the one that was asked for last, and the one that stands in until that is loaded. */
  const asked = new Map<string, { readonly face: FontFace; readonly source: string }>();
  const shown = new Map<string, FontFace>();
  return {
    replace(style, source) {
      const family = style.getPropertyValue('font-family').replace(/^["']|["']$/g, '');
      const descriptors: FontFaceDescriptors = {};
      for (const [name, property] of Object.entries(DESCRIPTORS)) {
        const value = style.getPropertyValue(name);
        if (value) descriptors[property] = value as FontDisplay;
      }
      const key = JSON.stringify([family, descriptors]);
      if (asked.get(key)?.source === source) return;
      const face = new FontFace(family, source, descriptors);
      asked.set(key, { face, source });
      face.load().then(
        () => {
          // A later one may have come first.
          if (asked.get(key)?.face !== face) return;
          const earlier = shown.get(key);
          document.fonts.add(face);
          if (earlier) document.fonts.delete(earlier);
          shown.set(key, face);
        },
        () => undefined,
      );
    },
  };
}
