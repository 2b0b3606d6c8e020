/**
 * All of a request's body before anything is done for it: in memory while it is small, else in a file that nobody else
 * can find.
 */
import { EMPTY } from '../../http/body.js';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { IncomingBody } from '../../body/incomingBody.js';
import type { ExternalMemory } from '../../body/externalMemory.js';
import { BackendFailure, type BackendRequest } from './backend.js';

/** Beyond it, a body lies in a file. Bytes. */
const MAX_IN_MEMORY = 1024 * 1024;
/** What is read of a file at once: the longest FastCGI record that needs no padding. Bytes. */
const PIECE = 0xfff8;

/** A body that is complete. Whoever has it closes it. */
export interface Spooled {
  /** Bytes. */
  readonly length: number;
  /** All of it, where it is in memory. */
  readonly bytes: Buffer | undefined;
  /** The open file it is in, at its beginning, where it is not in memory. */
  readonly fd: number | undefined;
  /** Its bytes, from the beginning. */
  stream(): Readable;
  /** Gives back file and memory. May be called more than once. */
  close(): void;
}

/**
 * Reads all of a body.
 * @param memory is told of what is read from the file
 * @param folder for the file
 * @throws what the body was destroyed with; BackendFailure when the disk does not take it. No file is left then.
 */
export async function spool(body: IncomingBody, memory: ExternalMemory, folder: string = tmpdir()): Promise<Spooled> {
  if (body.isEmpty) return inMemory(EMPTY);
  const chunks: Buffer[] = [];
  let length = 0;
  let file: SpoolFile | undefined;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      chunks.push(chunk);
      if (file === undefined && length <= MAX_IN_MEMORY) continue;
      file ??= await SpoolFile.create(folder);
      const [first, ...more] = chunks.splice(0);
      await file.write(first === undefined || more.length > 0 ? Buffer.concat([first ?? EMPTY, ...more]) : first);
    }
    return file === undefined ? inMemory(Buffer.concat(chunks)) : inFile(file, length, memory);
  } catch (error) {
    await file?.close();
    throw error;
  }
}

/** The body of a request; of most there is none, and nothing to wait for. */
export function spoolOf(exchange: BackendRequest, memory: ExternalMemory): Spooled | Promise<Spooled> {
  return exchange.request.framing.kind === 'none' ? inMemory(EMPTY) : spool(exchange.body, memory);
}

function inMemory(bytes: Buffer): Spooled {
  return {
    length: bytes.length,
    bytes,
    fd: undefined,
    stream: () => Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false }),
    close: () => undefined,
  };
}

function inFile(file: SpoolFile, length: number, memory: ExternalMemory): Spooled {
  return {
    length,
    bytes: undefined,
    fd: file.fd,
    stream: () => Readable.from(file.pieces(length, memory), { objectMode: false }),
    close: () => {
      void file.close();
    },
  };
}

class SpoolFile {
  private position = 0;
  private isClosed = false;

  /** @param name undefined: it has none any more, and is gone with its descriptor, even if we are killed */
  private constructor(
    private readonly handle: FileHandle,
    private readonly name: string | undefined,
  ) {}

  static async create(folder: string): Promise<SpoolFile> {
    const name = path.join(folder, `lite-server-${randomBytes(16).toString('hex')}`);
    const handle = await open(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600).catch(fail);
    // Windows does not let go of the name of an open file.
    const unlinked =
      process.platform !== 'win32' &&
      (await unlink(name).then(
        () => true,
        () => false,
      ));
    return new SpoolFile(handle, unlinked ? undefined : name);
  }

  get fd(): number {
    return this.handle.fd;
  }

  /** At a position of our own, so that whoever inherits the descriptor reads from the beginning. */
  async write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, this.position).catch(fail);
      done += bytesWritten;
      this.position += bytesWritten;
    }
  }

  /** By our handle, and not by its number: what is closed meanwhile is closed, and nobody else's. */
  async *pieces(length: number, memory: ExternalMemory): AsyncGenerator<Buffer> {
    for (let at = 0; at < length;) {
      const { bytesRead, buffer } = await this.handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
      if (bytesRead === 0) throw new Error('the temporary file became shorter');
      memory.report(buffer);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.handle.close().catch(() => undefined);
    if (this.name !== undefined) await unlink(this.name).catch(() => undefined);
  }
}

function fail(error: unknown): never {
  throw new BackendFailure(
    500,
    'What was sent could not be put aside.',
    `The body of a request could not be written to a temporary file (${(error as NodeJS.ErrnoException).code ?? String(error)}): look at the space in ${tmpdir()}`,
  );
}
