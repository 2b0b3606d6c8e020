import assert from 'node:assert/strict';
import { describeSystemError, errorCode, NOT_A_FILE } from '../../../src/server/util/systemError.js';

describe('systemError', () => {
  const rows: [code: string, reading: string | undefined, writing: string | undefined][] = [
    ['ENOENT', 'there is no such file', undefined],
    ['EACCES', 'it may not be read', 'this program may not write it'],
    ['EPERM', 'it may not be read', 'this program may not write it'],
    ['EISDIR', 'it is a folder', 'it is a folder'],
    ['ENOTDIR', 'a part of its path is not a folder', 'a part of its path is not a folder'],
    ['ELOOP', 'it is a link that leads to itself', 'it is a link that leads to itself'],
    ['ENOSPC', 'no space is left on the disk', 'no space is left on the disk'],
    [NOT_A_FILE, 'it is not a regular file', 'it is not a regular file'],
    ['EBADF', undefined, undefined],
    ['constructor', undefined, undefined],
  ];
  for (const [code, reading, writing] of rows)
    it(code, () => {
      const error = Object.assign(new Error('/a/secret/path'), { code });
      assert.equal(describeSystemError(error, 'read'), reading);
      assert.equal(describeSystemError(error, 'write'), writing);
      assert.equal(errorCode(error), code);
    });

  it('an error of another kind has no code and no words', () => {
    for (const error of [new Error('x'), 'x', undefined, Object.assign(new Error('x'), { code: 7 })]) {
      assert.equal(errorCode(error), undefined);
      assert.equal(describeSystemError(error, 'read'), undefined);
    }
  });
});
