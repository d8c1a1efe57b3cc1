/** Random ids. crypto.randomUUID is missing on plain-HTTP pages, getRandomValues is not. */

function hex(bytes: number): string {
  const out = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(out, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const traceId = (): string => hex(16);
export const spanId = (): string => hex(8);

export function uuid(): string {
  const h = hex(16);
  const variant = ((parseInt(h.charAt(16), 16) & 3) | 8).toString(16);
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-${variant}${h.slice(17, 20)}-${h.slice(20)}`;
}
