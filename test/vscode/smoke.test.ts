import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the host', () => {
  it('is a VS Code we support', () => {
    const [major = 0, minor = 0] = vscode.version.split('.').map(Number);
    assert.ok(
      major > 1 || (major === 1 && minor >= 100),
      `VS Code ${vscode.version} is older than engines.vscode allows`,
    );
  });

  it('is remote where the workbench is served to a browser, and local on a desktop', () => {
    const expected = vscode.env.uiKind === vscode.UIKind.Web ? 'string' : 'undefined';
    assert.equal(typeof vscode.env.remoteName, expected);
  });
});
