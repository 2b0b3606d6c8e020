import assert from 'node:assert/strict';
import { LoopTurn, type TurnWork } from '../../../src/server/util/loopTurn.js';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('LoopTurn', () => {
  const loop = new LoopTurn();

  it('what is given in one turn is done together, in order, after it', async () => {
    const done: string[] = [];
    const work = (name: string): TurnWork => ({
      endOfTurn: () => {
        done.push(name);
      },
    });
    loop.atEnd(work('a'));
    loop.atEnd(work('b'));
    assert.deepEqual(done, []);
    await turn();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('what is given meanwhile has its own turn', async () => {
    const done: string[] = [];
    loop.atEnd({
      endOfTurn: () => {
        done.push('a');
        loop.atEnd({
          endOfTurn: () => {
            done.push('b');
          },
        });
      },
    });
    await turn();
    assert.deepEqual(done, ['a']);
    await turn();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('the trouble of one is not that of the others', async () => {
    const done: string[] = [];
    const others = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
    process.removeAllListeners('uncaughtException');
    const trouble = new Promise<Error>((resolve) => {
      process.once('uncaughtException', resolve);
    });
    loop.atEnd({
      endOfTurn: () => {
        throw new Error('mine');
      },
    });
    loop.atEnd({
      endOfTurn: () => {
        done.push('b');
      },
    });
    const { message } = await trouble;
    for (const listener of others) process.on('uncaughtException', listener);
    await turn();
    await turn();
    assert.deepEqual([message, done], ['mine', ['b']]);
  });
});
