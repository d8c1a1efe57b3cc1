/**
 * One MutationObserver over the document and every shadow root. It tells of changes that a person could see and that
 * are not the page moving by itself: a spot that changed twice lately without anybody acting (clock, spinner,
 * advert) is background until it has been still.
 */
import { BACKGROUND_MS, BACKGROUND_TIMES, MUTATIONS_PER_BATCH } from "../constants";
import { guard, lost, Undo } from "../browser/guard";
import { patchMethod } from "../browser/patch";
import { isOwn, isVisible } from "./visible";

export interface Change {
  /** What changed or came, already known not to be background. */
  element: Element;
    kind: "attribute" | "text" | "added" | "removed";
  /** Could be seen at that moment; an element that fades in only later. */
  visible: boolean;
}

export interface MutationPorts {
  now: () => number;
  /** Nobody acted lately, so what moves now moves by itself. */
  idle: () => boolean;
  changed: (changes: Change[]) => void;
}

const SILENT_TAGS = new Set(["HEAD", "SCRIPT", "STYLE", "LINK", "META", "NOSCRIPT", "TEMPLATE", "TITLE", "BASE"]);
const OPTIONS: MutationObserverInit = {
  subtree: true, childList: true, characterData: true, attributes: true, attributeOldValue: true, characterDataOldValue: true,
};

export class Mutations {
  private readonly observer: MutationObserver;
  private readonly seen = new WeakMap<Node, Map<string, number[]>>();
  private readonly roots = new WeakSet<Node>();
  private readonly undo = new Undo();

  constructor(private readonly ports: MutationPorts) {
    this.observer = new MutationObserver(guard("mutations", (records: MutationRecord[]) => this.take(records)));
  }

  start(): void {
    this.watch(document);
    for (const element of document.querySelectorAll("*")) if (element.shadowRoot) this.watch(element.shadowRoot);
    const watch = guard("attach_shadow", (root: Node) => this.watch(root));
    this.undo.add(
      patchMethod(Element.prototype, "attachShadow", (original) => function (this: unknown, ...args: unknown[]) {
        const root = original.apply(this, args);
        watch(root as Node);
        return root;
      }),
      () => this.observer.disconnect(),
    );
  }

  stop(): void {
    this.undo.stop();
  }

  /** Reads what is queued, so that a decision taken now knows everything painted until now. */
  flush(): void {
    this.take(this.observer.takeRecords());
  }

  watch(root: Node): void {
    if (this.roots.has(root) || isOwn(root)) return;
    this.roots.add(root);
    this.observer.observe(root, OPTIONS);
  }

  private take(records: MutationRecord[]): void {
    if (records.length > MUTATIONS_PER_BATCH) lost("mutation_flood");
    const now = this.ports.now();
    const idle = this.ports.idle();
    const changes: Seen[] = [];
    const added = new Set<Node>();
    for (const record of records.slice(0, MUTATIONS_PER_BATCH)) {
      for (const [key, change] of changesOf(record, added)) {
        if (!this.isBackground(record.target, key, now, idle)) changes.push(change);
      }
    }
    if (!idle && changes.length) this.ports.changed(changes.slice(0, LOOKS_PER_BATCH).map(looked));
  }

  /** Only moves without an action in flight teach that a spot moves by itself; a background spot stays one while it moves. */
  private isBackground(target: Node, key: string, now: number, idle: boolean): boolean {
    let keys = this.seen.get(target);
    if (!keys && !idle) return false;
    if (!keys) this.seen.set(target, (keys = new Map()));
    const times = (keys.get(key) ?? []).filter((time) => now - time < BACKGROUND_MS);
    const background = times.length >= BACKGROUND_TIMES;
    if (idle || background) keys.set(key, [...times.slice(-BACKGROUND_TIMES), now]);
    return background;
  }
}

type Seen = Omit<Change, "visible"> & { attribute?: string };

/** Elements whose box is asked for per callback: each may cost a layout. */
const LOOKS_PER_BATCH = 40;
/** Attributes by which things come and go: seen although the element may have no box any more. */
const SHOWING = /^(class|style|hidden|open|src|aria-(hidden|expanded|selected|checked|pressed|invalid|disabled|busy)|disabled|checked|selected)$/;

function looked({ element, kind, attribute }: Seen): Change {
  const visible = kind === "removed" || (attribute !== undefined && SHOWING.test(attribute)) || isVisible(element);
  return { element, kind, visible };
}

function elementOf(node: Node): Element | null {
  return node instanceof Element ? node : (node.parentElement ?? (node.parentNode instanceof ShadowRoot ? node.parentNode.host : null));
}

function isSilent(node: Node): boolean {
  if (node instanceof Comment) return true;
  const element = elementOf(node);
  return !element || SILENT_TAGS.has(element.tagName) || isOwn(element) || element.closest("head") !== null;
}

function changesOf(record: MutationRecord, added: Set<Node>): [string, Seen][] {
  if (record.type === "childList") return childChanges(record, added);
  const element = elementOf(record.target);
  if (!element || isSilent(record.target)) return [];
  if (record.type === "characterData") {
    return record.oldValue === record.target.nodeValue ? [] : [["text", { element, kind: "text" }]];
  }
  const name = record.attributeName ?? "";
  if (record.oldValue === element.getAttribute(name)) return [];
  return [[`@${name}`, { element, kind: "attribute", attribute: name }]];
}

const signature = (node: Node): string =>
  node instanceof Element ? `${node.tagName}.${node.getAttribute("class") ?? ""}` : node.nodeName;

/** `added`: nodes that came within the same batch; what goes again before anybody saw it is no change. */
function childChanges(record: MutationRecord, added: Set<Node>): [string, Seen][] {
  const host = record.target instanceof ShadowRoot ? record.target.host : elementOf(record.target);
  if (!host || isSilent(host)) return [];
  const out: [string, Seen][] = [];
  for (const node of record.addedNodes) {
    added.add(node);
    if (!isSilent(node)) out.push([`+${signature(node)}`, { element: node instanceof Element ? node : host, kind: "added" }]);
  }
  for (const node of record.removedNodes) {
    const silent = added.has(node) || node instanceof Comment || (node instanceof Element && SILENT_TAGS.has(node.tagName));
    if (!silent) out.push([`-${signature(node)}`, { element: host, kind: "removed" }]);
  }
  return out;
}
