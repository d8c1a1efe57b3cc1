/** The values of the page's fields as one number, to see whether a script changed any. Never leaves the page. */
import { FORM_FIELDS } from "../constants";

export function formDigest(): number {
  let digest = 7;
  let count = 0;
  for (const field of document.querySelectorAll<HTMLInputElement>("input,textarea,select")) {
    if (++count > FORM_FIELDS) break;
    const text = `${field.value}|${field.checked ?? ""}`;
    for (let i = 0; i < text.length; i++) digest = (digest * 31 + text.charCodeAt(i)) | 0;
  }
  return digest;
}
