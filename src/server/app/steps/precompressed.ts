/**
 * Compressed twins: `site.css.br` or `site.css.gz` is sent in place of `site.css` to clients that can read it (RFC 9110
 * §8.4, §12.5.3).
 */
import { acceptedCodings, compressedTwin } from '../../files/precompressed.js';
import type { FileRules } from '../../files/representation.js';
import type { Resolver } from '../../files/resolver.js';
import { isDocument } from '../../http/mediaType.js';
import type { Hooks } from '../../options/hooks.js';
import type { Step } from './step.js';

const VARIES: readonly [string, string] = ['Vary', 'Accept-Encoding'];

/** @returns undefined when the setting is off */
export function precompressed(
  isOn: boolean,
  resolver: Pick<Resolver, 'openBeside'>,
  rules: Pick<FileRules, 'typeOf'>,
  hooks: Hooks,
): Step | undefined {
  if (!isOn) return undefined;
  // Browsers send the same field with every request.
  let last = { text: undefined as string | undefined, codings: acceptedCodings(undefined) };
  return (context) => {
    const text = context.request.fields.get('accept-encoding');
    if (text !== last.text) last = { text, codings: acceptedCodings(text) };
    const { codings } = last;
    context.variant = codings.map(({ name }) => name).join();
    context.choose = async (file) => {
      const isTransformed = hooks.transform !== undefined && isDocument(rules.typeOf(file.name));
      // An editor's text and an injected script are not in the twin.
      return isTransformed || hooks.overlay?.(file.realPath) !== undefined
        ? { file, fields: [], isEncoded: false, dependsOn: { files: [], absent: [] } }
        : compressedTwin(file, codings, resolver, VARIES);
    };
    return undefined;
  };
}
