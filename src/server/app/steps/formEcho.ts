/**
 * POST requests that no backend takes, answered with a page that shows what the form has sent.
 */
import type { RequestContext } from '../../connection/requestContext.js';
import type { Request } from '../../http/message.js';
import type { Hooks } from '../../options/hooks.js';
import type { ServerOptions } from '../../options/serverOptions.js';
import type { Outcome, Step } from './step.js';

/** @returns undefined when forms are refused */
export function formEcho(post: ServerOptions['post'], hooks: Hooks): Step | undefined {
  if (post !== 'echo') return undefined;
  return ({ request, client }) =>
    client === undefined || request.method !== 'POST' ? undefined : echo(request, client, hooks);
}

async function echo(request: Request, client: RequestContext, hooks: Hooks): Promise<Outcome> {
  const { echoResponse, readForm } = await import('../../pages/echo/echo.js');
  const report = await readForm(request, client.body);
  return 'why' in report ? report : echoResponse(report, request, hooks);
}
