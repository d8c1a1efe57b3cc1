/**
 * Thrown out right after logging in: back on the login page, an "expired" page, or a 401/403/419, within 10 s of a
 * login. The memory of the login lives in sessionStorage, because a login is a page load.
 */
import { LOGIN_WATCH_MS } from "../constants";
import { storeRead, storeWrite } from "../browser/store";
import { isVisible } from "../capture/visible";
import { listen } from "../browser/guard";

const KEY = "kriptik:login";
const LOGIN_PATH = /(^|\/)(log-?in|sign-?in|signin|session\/new|auth)(\/|$|\.)/i;
const LOGOUT = /log-?out|sign-?out/i;
const EXPIRED = /(session|login|sign-?in)\b[^.]{0,40}\b(expired|timed out|ended|is over|no longer valid)|expired[^.]{0,20}\bsession|please (log|sign) in again|sitzung[^.]{0,20}abgelaufen|session a expiré/i;
/** Characters of page text searched for words of expiry: they stand near the top. */
const PAGE_CHARS = 5000;

interface Login { at: number; landed: boolean; told: boolean }

export interface AuthPorts {
  epoch: () => number;
  found: (reasons: string[], message: string) => void;
}

export function isLoginForm(form: Element): boolean {
  const passwords = Array.from(form.querySelectorAll<HTMLInputElement>("input[type=password]"));
  return passwords.length === 1 && passwords[0]?.getAttribute("autocomplete") !== "new-password";
}

function isLoginPage(): boolean {
  const field = Array.from(document.querySelectorAll("input[type=password]")).filter(isVisible);
  return field.length === 1 && (LOGIN_PATH.test(location.pathname) || isLoginForm(document.documentElement));
}

const saysExpired = (): boolean => EXPIRED.test((document.body?.innerText ?? document.body?.textContent ?? "").slice(0, PAGE_CHARS));

export class AuthWatch {
  private remove: (() => void) | null = null;

  constructor(private readonly ports: AuthPorts) {}

  start(): void {
    this.remove = listen(document, "submit", (event: Event) => {
      if (event.isTrusted && event.target instanceof Element && isLoginForm(event.target)) this.submitted();
    });
    this.arrived();
  }

  stop(): void {
    this.remove?.();
  }

  /** A new document or route is shown. */
  arrived(): void {
    const login = this.fresh();
    if (!login || login.told) return;
    if (saysExpired()) return this.tell(login, "login_then_expired", "The session had expired right after the login.");
    if (!isLoginPage()) return this.keep({ ...login, landed: true });
    if (login.landed) this.tell(login, "login_then_login_page", "The login page came back right after the login.");
  }

  /** An answer to a request of the page. */
  answered(status: number, path: string): void {
    const login = this.fresh();
    if (!login || login.told) return;
    if (LOGOUT.test(path)) return this.keep(null);
    const refused = status === 401 || status === 403 || status === 419;
    if (LOGIN_PATH.test(path)) {
      if (status >= 200 && status < 300) this.keep({ ...login, landed: true });
      return;
    }
    if (refused && login.landed) this.tell(login, "login_then_refused", `${path} answered ${status} right after the login.`);
  }

  /** The user leaves on purpose. */
  clicked(name: string): void {
    if (LOGOUT.test(name)) this.keep(null);
  }

  private submitted(): void {
    this.keep({ at: this.ports.epoch(), landed: false, told: false });
  }

  private fresh(): Login | null {
    const login = storeRead<Login>("sessionStorage", KEY);
    return login && this.ports.epoch() - login.at <= LOGIN_WATCH_MS ? login : null;
  }

  private keep(login: Login | null): void {
    storeWrite("sessionStorage", KEY, login);
  }

  private tell(login: Login, reason: string, message: string): void {
    this.keep({ ...login, told: true });
    const reasons = reason === "login_then_expired" ? [reason] : ["login_then_expired", reason];
    this.ports.found(reasons, message);
  }
}
