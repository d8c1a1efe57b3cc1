/**
 * Code that is fetched when it is needed, from beside our own script. A script tag, because it needs no CORS, takes the
 * entry's nonce and passes `strict-dynamic`.
 */
import { SDK_VERSION } from "../constants";

const REGISTRY = Symbol.for("kriptik.chunks");

type Registry = Map<string, unknown>;

function registry(): Registry {
  const holder = window as unknown as Record<symbol, Registry | undefined>;
  return (holder[REGISTRY] ??= new Map());
}

/** Called by a chunk when it has run. */
export function chunkReady(name: string, exports: unknown): void {
  registry().set(name, exports);
}

export class Chunks {
  private readonly loading = new Map<string, Promise<unknown>>();

  constructor(private readonly base: string, private readonly nonce: string) {}

  load<T>(name: string): Promise<T> {
    const known = this.loading.get(name);
    if (known) return known as Promise<T>;
    const promise = this.fetch(name).catch((error: unknown) => {
      this.loading.delete(name); // the next need tries again
      throw error;
    });
    this.loading.set(name, promise);
    return promise as Promise<T>;
  }

  private fetch(name: string): Promise<unknown> {
    if (registry().has(name)) return Promise.resolve(registry().get(name));
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js?v=${SDK_VERSION}`, this.base).href;
      script.async = true;
      if (this.nonce) script.nonce = this.nonce;
      script.onload = () => {
        script.remove();
        const exports = registry().get(name);
        if (exports) resolve(exports);
        else reject(new Error(`${name} did not register`));
      };
      script.onerror = () => {
        script.remove();
        reject(new Error(`${name} could not be loaded`));
      };
      (document.head ?? document.documentElement).append(script);
    });
  }
}
