/**
 * A first page for an empty folder.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const FILES: Readonly<Record<string, string>> = {
  'index.html': `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>My site</title>
  <link rel="stylesheet" href="style.css">
</head>
<body>
  <main>
    <h1>It works</h1>
    <p>This is <code>index.html</code>. Change it, save it, and look again.</p>
  </main>
</body>
</html>
`,
  'style.css': `:root {
  color-scheme: light dark;
}

body {
  margin: 0;
  min-height: 100vh;
  display: grid;
  place-items: center;
  font: 1.1rem/1.6 system-ui, sans-serif;
}

main {
  padding: 2rem;
  text-align: center;
}
`,
};

/** Writes the files that are not there yet. Existing ones are left as they are. */
export async function createStarterSite(root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [name, content] of Object.entries(FILES)) {
    await writeFile(path.join(root, name), content, { flag: 'wx' }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}
