/**
 * A form without a program behind it (`liteServer.post: "echo"`): the answer is what arrived. Nothing is stored.
 */
import { bytesBody } from '../../http/body.js';
import { readablePath } from '../pageText.js';
import { renderEcho } from './echoPage.js';
import type { FormReport } from './formParser.js';
import { generatedResponse } from '../generatedPage.js';
import type { Hooks } from '../../options/hooks.js';
import { preferred } from '../../http/accept.js';
import type { Request } from '../../http/message.js';
import { headerFields, type Response } from '../../http/responseHead.js';

export { readForm } from './formParser.js';

/** As a page, or as JSON for whoever asks for it. */
export function echoResponse(report: FormReport, request: Request, hooks: Hooks): Response {
  const form = preferred(request.fields.get('accept'), ['text/html', 'application/json']);
  if (form === 'text/html') {
    // It shows what was sent once: there is nothing to keep up to date, and asking again would send it again.
    return generatedResponse(
      { status: 200, html: (nonce) => renderEcho(report, request, nonce), extra: [['Vary', 'Accept']] },
      request,
      { ...hooks, script: () => undefined },
    );
  }
  const { type, length, fields, files, text, json } = report;
  const query = [...new URLSearchParams(request.query ?? '')].map(([name, value]) => ({ name, value }));
  const value = {
    method: request.method,
    path: readablePath(request.path),
    query,
    contentType: type,
    length,
    fields: fields.map((field) => ({ name: field.name, value: field.value })),
    files,
    ...(json !== undefined ? { json } : text !== undefined && { text }),
  };
  const bytes = Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`, 'utf8');
  return {
    status: 200,
    fields: headerFields([
      ['Content-Type', 'application/json'],
      ['Content-Length', bytes.length],
      ['Cache-Control', 'no-store'],
      ['Vary', 'Accept'],
    ]),
    body: bytesBody(bytes),
  };
}
