/** Light markdown as nodes: paragraphs, `- ` lists, **bold**, *emphasis*, `code`, [links](https://..). No HTML ever. */
import { h } from "./dom";

const INLINE = /\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|`([^`]+)`|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/g;

function inline(text: string): (Node | string)[] {
  const out: (Node | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    out.push(text.slice(end, match.index));
    const [whole, strong, emphasis, code, label, href] = match;
    if (strong) out.push(h("strong", {}, strong));
    else if (emphasis) out.push(h("em", {}, emphasis));
    else if (code) out.push(h("code", {}, code));
    else out.push(h("a", { href, target: "_blank", rel: "noopener noreferrer" }, label ?? ""));
    end = match.index + whole.length;
  }
  return [...out, text.slice(end)];
}

function block(text: string): HTMLElement {
  const lines = text.split("\n");
  if (lines.every((line) => /^\s*[-*] /.test(line))) {
    return h("ul", {}, ...lines.map((line) => h("li", {}, ...inline(line.replace(/^\s*[-*] /, "")))));
  }
  return h("p", {}, ...lines.flatMap((line, index) => (index ? [h("br"), ...inline(line)] : inline(line))));
}

export function markdown(text: string): HTMLElement[] {
  return text.split(/\n{2,}/).filter((part) => part.trim() !== "").map((part) => block(part.trim()));
}
