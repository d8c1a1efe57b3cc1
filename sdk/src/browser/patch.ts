/**
 * Replaces a method of a global object by one that calls us first and then the original with the same `this` and
 * arguments. The undo restores only when nobody patched after us; otherwise our layer goes quiet instead of tearing
 * out theirs.
 */
import { guard } from "./guard";

type Method = (this: unknown, ...args: unknown[]) => unknown;

export function patchMethod(
  owner: object | null | undefined, name: string, build: (original: Method) => Method,
): () => void {
  const holder = owner as Record<string, unknown> | null | undefined;
  const original = holder?.[name];
  if (!holder || typeof original !== "function") return () => undefined;
  let live = true;
  const inner = build(original as Method);
  const patched = function (this: unknown, ...args: unknown[]): unknown {
    return (live ? inner : (original as Method)).apply(this, args);
  };
  // Identity as a page may test it: name, length, source text and static members stay the original's.
  guard("patch_identity", () => {
    Object.defineProperty(patched, "name", { value: (original as Method).name, configurable: true });
    Object.defineProperty(patched, "length", { value: (original as Method).length, configurable: true });
    Object.defineProperty(patched, "toString", { value: () => Function.prototype.toString.call(original), configurable: true });
    Object.setPrototypeOf(patched, original as object);
  })();
  const own = Object.getOwnPropertyDescriptor(holder, name);
  try {
    holder[name] = patched;
  } catch {
    return () => undefined; // frozen prototype: the page works, we see less
  }
  return () => {
    live = false;
    if (holder[name] !== patched) return;
    if (own) Object.defineProperty(holder, name, own);
    else delete holder[name];
  };
}

/** Tells `called` before each call and passes it on untouched. */
export function watchCalls(owner: object | null | undefined, name: string, called: (args: unknown[], self: unknown) => void): () => void {
  const tell = guard(`watch_${name}`, called);
  return patchMethod(owner, name, (original) => function (this: unknown, ...args: unknown[]) {
    tell(args, this);
    return original.apply(this, args);
  });
}
