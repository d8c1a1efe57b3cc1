/** Web storage with the failures it absorbs: blocked cookies, full quota, sandboxed frames. */
import { lost } from "./guard";

function area(kind: "sessionStorage" | "localStorage"): Storage | null {
  try {
    return window[kind];
  } catch {
    lost("storage_blocked");
    return null;
  }
}

export function storeRead<T>(kind: "sessionStorage" | "localStorage", key: string): T | null {
  try {
    const text = area(kind)?.getItem(key);
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}

export function storeWrite(kind: "sessionStorage" | "localStorage", key: string, value: unknown): void {
  try {
    if (value === null) area(kind)?.removeItem(key);
    else area(kind)?.setItem(key, JSON.stringify(value));
  } catch {
    lost("storage_full");
  }
}
